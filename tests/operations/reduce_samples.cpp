#include "reduce_samples.hpp"

#include <xgrad/ops/shape.hpp>

namespace xgrad::detail {

namespace {

void replace(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

}  // namespace

std::vector<OpSample> reduction_samples(const std::string& reference, ReductionFunction f,
                                        const ReductionSamples& which) {
  std::vector<OpSample> samples;
  const auto add = [&](const std::string& dim, const Tensor& x, const Axes& axes, bool keepdim) {
    std::string text = reference;
    replace(text, "{dim}", dim);
    replace(text, "{keepdim}", keepdim ? "True" : "False");
    samples.push_back(sample(text, {x}, [f, axes, keepdim](auto& inputs) { return f(inputs[0], axes, keepdim); }));
  };
  const Tensor permuted = permute(sample_normal({4, 2, 3}, 2).detach(), {1, 2, 0}).requires_grad_();
  add("(0, 1, 2)", sample_normal({2, 3, 4}), {}, false);
  add("(1,)", sample_normal({2, 3, 4}), 1, false);
  add("(0, 2)", sample_normal({2, 3, 4}), {0, 2}, true);
  add("(-1, -2)", sample_normal({2, 3, 4}), {-1, -2}, false);
  add("(0, 1)", permuted, {0, 1}, false);
  add("(2,)", permuted, 2, true);
  add("(0,)", sample_normal({3, 0}), 0, false);
  if (which.of_one) add("()", sample_normal({}), {}, false);
  if (which.of_nothing) add("(1,)", sample_normal({3, 0}), 1, true);
  return samples;
}

std::vector<OpError> reduction_errors(ReductionFunction f) {
  return {{[f] {
             f(ones({2, 3}), 2, false);
           },
           "axis 2 is out of range for a tensor with 2 axes"},
          {[f] {
             f(ones({2, 3}), {0, -2}, false);
           },
           "axis 0 is named twice"},
          {[f] { f(Tensor(), {}, false); }, "undefined"}};
}

}  // namespace xgrad::detail
