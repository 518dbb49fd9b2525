#include "extrema.hpp"

#include <cmath>

#include "../autograd/apply.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "elementwise_samples.hpp"
#include "gather.hpp"
#include "kernels/extrema.hpp"
#include "kernels/map.hpp"
#include "reduce_samples.hpp"
#include "shape.hpp"
#include "spread.hpp"

namespace xgrad {

namespace {

using detail::Extreme;
using detail::ReducedShape;
using detail::spread;
using detail::sum_over;

/// Counts the elements that are a given one, or NaN.
template <class T>
struct Equal : detail::Adding<T> {
  static constexpr bool centred = true;
  [[gnu::always_inline]] static T lift(T x, T extreme) { return T((x == extreme) | (x != x)); }
};

struct Amax {
  static constexpr const char* name = "amax";
  Extreme which;
  ReducedShape shape;
  bool nans_share;  // whether those that are NaN share the gradient of NaN, as PyTorch's max() has it; else all get NaN
  Saved x = {}, y = {};
  Tensor forward(const Tensor& input) {
    const Tensor out = detail::extreme_values(which, input, shape);
    x = input, y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    const Tensor values = y.get().detach(), number = is_grad_enabled() ? sum_over(chosen(), shape) : count(values);
    const auto divided = [](const auto& g, const auto& n, const auto& out) { return where(out == out, g / n, NAN); };
    const auto given = [](const auto& in, const auto& out, const auto& share) {
      return where(in == out || out != out, share, 0);
    };
    if (nans_share || is_grad_enabled()) {
      const Tensor shares = grad / number;
      if (nans_share) return where(chosen(), spread(shares, shape), 0);
      return where(chosen(), spread(where(values == values, shares, NAN), shape), 0);
    }
    return detail::map(name, given, x.get(), spread(values, shape),
                       spread(detail::map(name, divided, grad, number, values), shape));
  }
  Tensor jvp(const Tensor& dx) const {
    const Tensor at = chosen(), change = sum_over(where(at, dx, 0), shape) / sum_over(at, shape);
    return nans_share ? change : where(isnan(y.get().detach()), NAN, change);
  }

 private:
  Tensor chosen() const {
    const Tensor values = spread(y.get().detach(), shape);
    if (nans_share)
      return detail::map(
          name, [](const auto& in, const auto& out) { return in == out || in != in; }, x.get(), values);
    return detail::map(
        name, [](const auto& in, const auto& out) { return in == out || out != out; }, x.get(), values);
  }
  Tensor count(const Tensor& values) const {
    return dispatch_floating(name, values.dtype(), [&](auto zero) {
      return detail::run_reduction(Equal<decltype(zero)>{}, x.get(), shape, values);
    });
  }
};

Tensor extreme(const char* op, Extreme which, const Tensor& x, const Axes& axes, bool keepdim, bool nans_share) {
  const ReducedShape shape(op, x.shape(), axes, keepdim);
  shape.expect_elements(op);
  return apply(Amax{which, shape, nans_share}, x);
}

/// The values along an axis, not recorded, and their positions.
ValuesAndIndices find_extremes(Extreme which, const Tensor& x, const ReducedShape& shape,
                               const detail::ReducedSize& size) {
  const Tensor values = detail::empty(shape.result(), x.dtype()), indices = detail::empty(shape.result(), int64);
  detail::find_extremes(which, detail::dense(x), size, values, indices.data<std::int64_t>());
  return {values, indices};
}

ValuesAndIndices find_along(const char* op, Extreme which, const Tensor& x, std::int64_t axis, bool keepdim) {
  const ReducedShape shape(op, x.shape(), axis, keepdim);
  shape.expect_elements(op);
  return find_extremes(which, x, shape, detail::size_along(x.shape(), normalize_axis(op, axis, x.dim())));
}

Tensor find_first(const char* op, Extreme which, const Tensor& x) {
  const ReducedShape shape(op, x.shape(), {}, false);
  shape.expect_elements(op);
  return find_extremes(which, x, shape, {1, x.numel(), 1}).indices;
}

ValuesAndIndices extremes_along(const char* op, Extreme which, const Tensor& x, std::int64_t axis, bool keepdim) {
  ValuesAndIndices found = find_along(op, which, x, axis, keepdim);
  if (is_grad_enabled() && x.requires_grad()) {
    const Tensor chosen = gather(x, axis, keepdim ? found.indices : unsqueeze(found.indices, axis));
    found.values = keepdim ? chosen : squeeze(chosen, axis);
  }
  return found;
}

}  // namespace

Tensor amax(Operand x, const Axes& axes, const ReduceOptions& options) {
  return extreme("amax", Extreme::largest, x, axes, options.keepdim, false);
}
Tensor amin(Operand x, const Axes& axes, const ReduceOptions& options) {
  return extreme("amin", Extreme::smallest, x, axes, options.keepdim, false);
}

Tensor max(Operand x) { return extreme("max", Extreme::largest, x, {}, false, true); }
ValuesAndIndices max(Operand x, Axis axis, const ReduceOptions& options) {
  return extremes_along("max", Extreme::largest, x, axis, options.keepdim);
}
Tensor min(Operand x) { return extreme("min", Extreme::smallest, x, {}, false, true); }
ValuesAndIndices min(Operand x, Axis axis, const ReduceOptions& options) {
  return extremes_along("min", Extreme::smallest, x, axis, options.keepdim);
}

Tensor argmax(Operand x) { return find_first("argmax", Extreme::largest, x); }
Tensor argmax(Operand x, Axis axis, const ReduceOptions& options) {
  return find_along("argmax", Extreme::largest, x, axis, options.keepdim).indices;
}
Tensor argmin(Operand x) { return find_first("argmin", Extreme::smallest, x); }
Tensor argmin(Operand x, Axis axis, const ReduceOptions& options) {
  return find_along("argmin", Extreme::smallest, x, axis, options.keepdim).indices;
}

namespace detail {

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

}  // namespace detail

}  // namespace xgrad
