#include "extrema.hpp"

#include <cmath>

#include "../autograd/apply.hpp"
#include "../kernels/extrema.hpp"
#include "arithmetic.hpp"
#include "broadcast.hpp"
#include "comparison.hpp"
#include "gather.hpp"
#include "map.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

using detail::broadcast_over;
using detail::Extreme;
using detail::ReducedShape;
using detail::sum_over;

struct Amax {
  static constexpr const char* name = "amax";
  Extreme which;
  ReducedShape shape;
  bool nans_share;  // whether those that are NaN share the gradient of NaN, as PyTorch's max() has it; else all get NaN
  Saved x = {}, y = {};
  Tensor forward(const Tensor& input) {
    const Tensor out(detail::extreme_values(which, input, shape));
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
      if (nans_share) return where(chosen(), broadcast_over(shares, shape), 0);
      return where(chosen(), broadcast_over(where(values == values, shares, NAN), shape), 0);
    }
    return detail::map(name, given, x.get(), broadcast_over(values, shape),
                       broadcast_over(detail::map(name, divided, grad, number, values), shape));
  }
  Tensor jvp(const Tensor& dx) const {
    const Tensor at = chosen(), change = sum_over(where(at, dx, 0), shape) / sum_over(at, shape);
    return nans_share ? change : where(isnan(y.get().detach()), NAN, change);
  }

 private:
  Tensor chosen() const {
    const Tensor values = broadcast_over(y.get().detach(), shape);
    if (nans_share)
      return detail::map(
          name, [](const auto& in, const auto& out) { return in == out || in != in; }, x.get(), values);
    return detail::map(
        name, [](const auto& in, const auto& out) { return in == out || out != out; }, x.get(), values);
  }
  /// How many elements are the result, or NaN.
  Tensor count(const Tensor& values) const {
    const auto counts = [](const auto& in, const auto& out) { return in == out || in != in; };
    return detail::sums(detail::map(name, counts, x.get(), broadcast_over(values, shape)), shape).to(values.dtype());
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
  detail::find_extremes(which, *detail::dense(x), size, values, indices.data<std::int64_t>());
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

}  // namespace xgrad
