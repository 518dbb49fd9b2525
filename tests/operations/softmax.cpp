#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

using FunctionAlong = Tensor (*)(const Tensor& x, std::int64_t axis, const SoftmaxOptions& options);

std::vector<OpSample> softmax_samples(const std::string& function, FunctionAlong f) {
  std::vector<OpSample> samples;
  const auto add = [&](const Tensor& x, std::int64_t axis) {
    samples.push_back(sample(function + "(x[0], " + std::to_string(axis) + ")", {x},
                             [f, axis](auto& inputs) { return f(inputs[0], axis, {}); }));
  };
  add(sample_normal({3, 5}), 1);
  add(sample_normal({2, 40}), -1);
  add(sample_normal({2, 3, 4}), 1);
  add(sample_normal({4, 1}), 0);
  add(view(sample_normal({5, 2}), {2, 5}, {1, 2}).requires_grad_(), 1);
  add(sample_normal({0, 3}), 1);
  add(sample_normal({3, 0}), 1);
  samples.push_back(sample(function + "(x[0], 1, dtype=torch.float64)", {sample_normal({2, 3})},
                           [f](auto& inputs) { return f(inputs[0], 1, {.dtype = float64}); }));
  return samples;
}

std::vector<OpError> softmax_errors(FunctionAlong f) {
  return {{[f] {
             f(ones({2, 3}), 2, {});
           },
           "axis 2 is out of range for a tensor with 2 axes"},
          {[f] { f(ones({2}), 0, {.dtype = int64}); }, "dtype is int64"},
          {[f] { f(Tensor(), 0, {}); }, "undefined"}};
}

}  // namespace

std::span<const OpInfo> softmax_ops() {
  static const OpInfo ops[] = {
      {"softmax", "softmax", "exp(x) / sum of exp(x)", true,
       [] {
         return softmax_samples("torch.softmax",
                                [](auto& x, auto axis, auto& options) { return softmax(x, axis, options); });
       },
       [] { return softmax_errors([](auto& x, auto axis, auto& options) { return softmax(x, axis, options); }); }},
      {"log_softmax", "softmax", "log(softmax(x))", true,
       [] {
         return softmax_samples("torch.log_softmax",
                                [](auto& x, auto axis, auto& options) { return log_softmax(x, axis, options); });
       },
       [] { return softmax_errors([](auto& x, auto axis, auto& options) { return log_softmax(x, axis, options); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
