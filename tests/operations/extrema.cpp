#include <xgrad/xgrad.hpp>

#include "elementwise_samples.hpp"
#include "reduce_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

namespace {

using FunctionAlong = Tensor (*)(const Tensor& x, std::int64_t axis, bool keepdim);

std::vector<OpSample> samples_along(const std::string& function, FunctionAlong f) {
  std::vector<OpSample> samples;
  const auto add = [&](const std::string& arguments, const Tensor& x, std::int64_t axis, bool keepdim) {
    samples.push_back(sample(function + "(x[0], " + arguments + ")", {x},
                             [f, axis, keepdim](auto& inputs) { return f(inputs[0], axis, keepdim); }));
  };
  const Tensor permuted = permute(sample_normal({4, 2, 3}, 2).detach(), {1, 2, 0}).requires_grad_();
  add("1", sample_normal({2, 3, 4}), 1, false);
  add("-1, keepdim=True", sample_normal({2, 3, 4}), -1, true);
  add("0", permuted, 0, false);
  add("0", sample_normal({3, 0}), 0, false);
  return samples;
}

OpSample sample_of_all(const std::string& function, Tensor (*f)(const Tensor& x)) {
  return sample(function + "(x[0])", {sample_normal({2, 3, 4})}, [f](auto& x) { return f(x[0]); });
}

std::vector<OpError> errors_along(FunctionAlong f) {
  return {{[f] {
             f(ones({2, 3}), 2, false);
           },
           "axis 2 is out of range for a tensor with 2 axes"},
          {[f] {
             f(ones({2, 0}), 1, false);
           },
           "shape (2, 0) reduced to (2,)"},
          {[f] { f(Tensor(), 0, false); }, "undefined"}};
}

}  // namespace

std::span<const OpInfo> extrema_ops() {
  static const OpInfo ops[] = {
      {"amax", "reductions", "the largest of x", true,
       [] {
         return reduction_samples("torch.amax(x[0], dim={dim}, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) { return amax(x, axes, {.keepdim = keepdim}); },
                                  {.of_nothing = false});
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return amax(x, axes); }); }},
      {"amin", "reductions", "the smallest of x", true,
       [] {
         return reduction_samples("torch.amin(x[0], dim={dim}, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) { return amin(x, axes, {.keepdim = keepdim}); },
                                  {.of_nothing = false});
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return amin(x, axes); }); }},
      {"max", "reductions", "the largest of x, and where it is along an axis", true,
       [] {
         return samples_along("(lambda *a, **k: torch.max(*a, **k)[0])",
                              [](auto& x, std::int64_t axis, bool keepdim) {
                                return max(x, axis, {.keepdim = keepdim}).values;
                              }) +
                std::vector{sample_of_all("torch.max", [](auto& x) { return max(x); })};
       },
       [] { return errors_along([](auto& x, std::int64_t axis, bool) { return max(x, axis).values; }); }},
      {"min", "reductions", "the smallest of x, and where it is along an axis", true,
       [] {
         return samples_along("(lambda *a, **k: torch.min(*a, **k)[0])",
                              [](auto& x, std::int64_t axis, bool keepdim) {
                                return min(x, axis, {.keepdim = keepdim}).values;
                              }) +
                std::vector{sample_of_all("torch.min", [](auto& x) { return min(x); })};
       },
       [] { return errors_along([](auto& x, std::int64_t axis, bool) { return min(x, axis).values; }); }},
      {"argmax", "reductions", "where the largest of x is", false,
       [] {
         return samples_along("torch.argmax", [](auto& x, std::int64_t axis,
                                                 bool keepdim) { return argmax(x, axis, {.keepdim = keepdim}); }) +
                std::vector{sample_of_all("torch.argmax", [](auto& x) { return argmax(x); })};
       },
       [] { return errors_along([](auto& x, std::int64_t axis, bool) { return argmax(x, axis); }); }},
      {"argmin", "reductions", "where the smallest of x is", false,
       [] {
         return samples_along("torch.argmin", [](auto& x, std::int64_t axis,
                                                 bool keepdim) { return argmin(x, axis, {.keepdim = keepdim}); }) +
                std::vector{sample_of_all("torch.argmin", [](auto& x) { return argmin(x); })};
       },
       [] { return errors_along([](auto& x, std::int64_t axis, bool) { return argmin(x, axis); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
