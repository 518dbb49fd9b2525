#pragma once
// Calls beyond the registry's: layers, and scores that are not finite, where differences cannot check a gradient.

#include <limits>

#include <xgrad/xgrad.hpp>

namespace reference {

/// Rows of scores as a network that diverges makes them.
inline xgrad::Tensor special_rows() {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  return xgrad::tensor({{inf, 1.0, 2.0},
                        {-inf, -inf, -inf},
                        {inf, -inf, 0.0},
                        {nan, 1.0, 2.0},
                        {1e30, -1e30, 0.0},
                        {-1e30, -1e30, -1e30},
                        {-inf, 0.0, 1.0},
                        {inf, inf, 0.0},
                        {1e30, 1e30, 1e30}},
                       {.dtype = xgrad::float64, .requires_grad = true});
}

inline std::vector<xgrad::OpSample> more_samples() {
  using namespace xgrad;
  std::vector<OpSample> samples;
  const auto of_rows = [&samples](const char* text, auto f) {
    samples.push_back(detail::sample(text, {special_rows()}, [f](const std::vector<Tensor>& x) { return f(x[0]); }));
  };
  of_rows("torch.softmax(x[0], 1)", [](const Tensor& x) { return softmax(x, 1); });
  of_rows("torch.softmax(x[0].t(), 0)", [](const Tensor& x) { return softmax(transpose(x, 0, 1), 0); });
  of_rows("torch.softmax(x[0].repeat(1, 50), 1)",
          [](const Tensor& x) { return softmax(concat(std::vector<Tensor>(50, x), 1), 1); });
  of_rows("torch.log_softmax(x[0], 1)", [](const Tensor& x) { return log_softmax(x, 1); });
  of_rows("torch.log_softmax(x[0].t(), 0)", [](const Tensor& x) { return log_softmax(transpose(x, 0, 1), 0); });
  of_rows("torch.log_softmax(x[0].repeat(1, 50), 1)",
          [](const Tensor& x) { return log_softmax(concat(std::vector<Tensor>(50, x), 1), 1); });
  of_rows("F.cross_entropy(x[0], torch.arange(9) % 3, reduction='none')", [](const Tensor& x) {
    const Tensor labels = tensor({0, 1, 2, 0, 1, 2, 0, 1, 2}, {.dtype = int64});
    return cross_entropy(x, labels, {.reduction = Reduction::none});
  });
  of_rows("F.binary_cross_entropy_with_logits(x[0], torch.ones_like(x[0]), reduction='none')", [](const Tensor& x) {
    return binary_cross_entropy_with_logits(x, ones_like(x), {.reduction = Reduction::none});
  });

  // Layers: outputs and what a training step leaves in the buffers, after which they are evaluated.
  const auto batch_norm = [&samples](const char* python, const Shape& shape, auto make) {
    const std::string reference =
        std::string("[o for m in [torch.nn.") + python +
        "] for o in [m(x[0]), m(x[1]), m.running_mean, m.running_var, m.eval()(x[0])] if o is not None]";
    samples.push_back({reference,
                       {detail::sample_normal(shape, 1), detail::sample_normal(shape, 2)},
                       [make](const std::vector<Tensor>& x) {
                         auto layer = make();
                         std::vector<Tensor> outputs{layer(x[0]), layer(x[1])};
                         if (layer.running_mean.defined())
                           outputs.insert(outputs.end(), {layer.running_mean.clone(), layer.running_var.clone()});
                         nn::eval(layer);
                         outputs.push_back(layer(x[0]));
                         return outputs;
                       }});
  };
  batch_norm("BatchNorm1d(3, dtype=torch.float64)", {4, 3}, [] { return nn::BatchNorm1d(3, {.dtype = float64}); });
  batch_norm("BatchNorm1d(3, eps=0.1, momentum=0.3, dtype=torch.float64)", {4, 3, 2},
             [] { return nn::BatchNorm1d(3, {.eps = 0.1, .momentum = 0.3, .dtype = float64}); });
  batch_norm("BatchNorm2d(3, dtype=torch.float64)", {2, 3, 2, 4},
             [] { return nn::BatchNorm2d(3, {.dtype = float64}); });
  batch_norm("BatchNorm2d(3, momentum=None, dtype=torch.float64)", {2, 3, 2, 4},
             [] { return nn::BatchNorm2d(3, {.momentum = std::nullopt, .dtype = float64}); });
  batch_norm("BatchNorm3d(3, dtype=torch.float64)", {2, 3, 1, 2, 3},
             [] { return nn::BatchNorm3d(3, {.dtype = float64}); });
  batch_norm("BatchNorm2d(3, affine=False, dtype=torch.float64)", {2, 3, 1, 2},
             [] { return nn::BatchNorm2d(3, {.affine = false, .dtype = float64}); });
  batch_norm("BatchNorm2d(3, track_running_stats=False, dtype=torch.float64)", {2, 3, 1, 2},
             [] { return nn::BatchNorm2d(3, {.track_running_stats = false, .dtype = float64}); });
  return samples;
}

}  // namespace reference
