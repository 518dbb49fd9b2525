#include <xgrad/ops/scan.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

namespace {

using Scan = std::vector<Tensor> (*)(const Tensor& x, std::int64_t axis);

/// Along each axis, of permuted and of empty memory. `reference` is a function of PyTorch.
std::vector<OpSample> scan_samples(const std::string& reference, Scan f) {
  std::vector<OpSample> samples;
  const auto add = [&](Tensor x, std::int64_t axis) {
    samples.push_back(
        {reference + "(x[0], " + std::to_string(axis) + ")", {x}, [=](auto& inputs) { return f(inputs[0], axis); }});
  };
  add(sample_normal({2, 3, 4}), 1);
  add(sample_normal({2, 5}), -1);
  add(view(sample_normal({3, 2}), {2, 3}, {1, 2}).requires_grad_(), 0);
  add(sample_normal({0, 3}), 0);
  add(sample_normal({3, 0}), 0);
  return samples;
}

std::vector<OpError> scan_errors(Scan f) {
  return {{[f] {
             f(ones({2, 3}), 2);
           },
           "axis 2 is out of range for a tensor with 2 axes"},
          {[f] { f(Tensor(), 0); }, "undefined"}};
}

}  // namespace

std::span<const OpInfo> scan_ops() {
  static const OpInfo ops[] = {
      {"cumprod", "reductions", "y_i = x_0 ... x_i", true,
       [] {
         const Tensor zeros_inside =
             tensor({{2, 0, 3, 4, 0.5}, {0, 0, 1.5, 2, 3}, {1, 2, 3, 4, 0}}, {.dtype = float64, .requires_grad = true});
         return scan_samples("torch.cumprod", [](auto& x, auto axis) { return std::vector{cumprod(x, axis)}; }) +
                std::vector<OpSample>{
                    sample("torch.cumprod(x[0], 1)", {zeros_inside}, [](auto& x) { return cumprod(x[0], 1); }),
                    sample("torch.cumprod(x[0], 0)", {tensor({3, -2, 5}, {.dtype = int64})},
                           [](auto& x) { return cumprod(x[0], 0); })};
       },
       [] { return scan_errors([](auto& x, auto axis) { return std::vector{cumprod(x, axis)}; }); }},
      {"cummax", "reductions", "the largest so far, and where it is", true,
       [] {
         const auto f = [](auto& x, auto axis) {
           const auto [values, indices] = cummax(x, axis);
           return std::vector{values, indices};
         };
         return scan_samples("torch.cummax", f) + std::vector<OpSample>{{"torch.cummax(x[0], 0)",
                                                                         {tensor({1, 3, 2, 3, -5}, {.dtype = int64})},
                                                                         [f](auto& x) { return f(x[0], 0); }}};
       },
       [] { return scan_errors([](auto& x, auto axis) { return std::vector{cummax(x, axis).values}; }); }},
      {"cummin", "reductions", "the smallest so far, and where it is", true,
       [] {
         return scan_samples("torch.cummin", [](auto& x, auto axis) {
           const auto [values, indices] = cummin(x, axis);
           return std::vector{values, indices};
         });
       },
       [] { return scan_errors([](auto& x, auto axis) { return std::vector{cummin(x, axis).values}; }); }},
      {"logcumsumexp", "reductions", "log of e^x_0 + ... + e^x_i", true,
       [] {
         return scan_samples("torch.logcumsumexp",
                             [](auto& x, auto axis) { return std::vector{logcumsumexp(x, axis)}; });
       },
       [] { return scan_errors([](auto& x, auto axis) { return std::vector{logcumsumexp(x, axis)}; }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
