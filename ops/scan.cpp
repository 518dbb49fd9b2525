#include "scan.hpp"

#include <limits>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/reduction.hpp"
#include "../kernels/scan.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "gather.hpp"
#include "joining.hpp"
#include "math.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

/// x moved one place along an axis, away from the end that a recurrence starts from, with `first` in the free place.
Tensor delayed(const Tensor& x, std::size_t axis, bool reverse, double first) {
  const auto along = static_cast<std::int64_t>(axis);
  const std::int64_t n = x.size(along);
  if (n == 0) return x;
  Shape one = x.shape();
  one[axis] = 1;
  const Tensor start = full(one, first, {.dtype = x.dtype()});
  return reverse ? concat({narrow(x, along, 1, n - 1), start}, along)
                 : concat({start, narrow(x, along, 0, n - 1)}, along);
}

struct LinearRecurrence {
  static constexpr const char* name = "linear_recurrence";
  std::size_t axis;
  bool reverse;
  Saved a = {}, y = {};
  Tensor forward(const Tensor& factor, const Tensor& b) {
    const detail::MaybeOwned of_a = detail::dense(factor), of_b = detail::dense(b);
    const Tensor out = detail::empty(b.shape(), b.dtype());
    if (b.numel() > 0)
      detail::dispatch_compute(b.dtype(), [&](auto zero) {
        using T = decltype(zero);
        detail::linear_recurrence(detail::size_along(b.shape(), axis), of_a->data<T>(), of_b->data<T>(), reverse,
                                  out.data<T>());
      });
    a = factor, y = out;
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    // r_i = g_i + a_(i+1) r_(i+1) is the gradient of b_i, and r_i y_(i-1) that of a_i.
    const Tensor by_b = detail::linear_recurrence(delayed(a, axis, !reverse, 0), grad, axis, !reverse);
    return {needs[0] ? by_b * delayed(y, axis, reverse, 0) : Tensor(), by_b};
  }
};

template <bool largest>
struct RunningExtremum {
  static constexpr const char* name = largest ? "cummax" : "cummin";
  std::size_t axis;
  Saved indices = {};
  Shape shape = {};
  std::array<Tensor, 2> forward(const Tensor& x) {
    const detail::MaybeOwned in = detail::dense(x);
    const Tensor values = detail::empty(x.shape(), x.dtype()), at = detail::empty(x.shape(), DType::int64);
    if (x.numel() > 0)
      detail::dispatch_compute(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        detail::running_extremum(detail::size_along(x.shape(), axis), in->data<T>(), largest, values.data<T>(),
                                 at.data<std::int64_t>());
      });
    indices = at, shape = x.shape();
    return {values, at};
  }
  Tensor backward(const std::array<Tensor, 2>& grads) const {
    const Tensor& grad = grads[0];
    return scatter_add(zeros(shape, {.dtype = grad.dtype()}), static_cast<std::int64_t>(axis), indices, grad);
  }
};

template <bool largest>
ValuesAndIndices running_extremum(const Tensor& x, std::int64_t axis) {
  using Op = RunningExtremum<largest>;
  const std::size_t along = normalize_axis(Op::name, axis, x.dim());
  auto [values, indices] = apply(Op{along}, detail::widened(x));
  return {detail::narrowed(std::move(values), x.dtype()), indices};
}

struct LogCumsumExp {
  static constexpr const char* name = "logcumsumexp";
  std::size_t axis;
  Saved x = {}, y = {};
  Tensor forward(const Tensor& input) {
    const detail::MaybeOwned in = detail::dense(input);
    const Tensor out = detail::empty(input.shape(), input.dtype());
    if (input.numel() > 0)
      dispatch_floating(name, input.dtype(), [&](auto zero) {
        using T = decltype(zero);
        detail::running_logsumexp(detail::size_along(input.shape(), axis), in->data<T>(), out.data<T>());
      });
    x = input, y = out;
    return out;
  }
  /// r_i = g_i + e^(y_i - y_(i+1)) r_(i+1), times e^(x_i - y_i): no exponent is above 0. Sums of nothing do not count.
  Tensor backward(const Tensor& grad) const {
    const auto along = static_cast<std::int64_t>(axis);
    const Tensor sums = y, nothing = sums == -std::numeric_limits<double>::infinity();
    const std::int64_t n = sums.size(along);
    if (sums.numel() == 0) return grad;
    const Tensor next = concat({narrow(sums, along, 1, n - 1), narrow(sums, along, n - 1, 1)}, along);
    const Tensor ratio = exp(where(nothing, 0, sums - next)), part = exp(where(nothing, 0, x.get() - sums));
    return where(nothing, 0, detail::linear_recurrence(ratio, grad, axis, true) * part);
  }
};

}  // namespace

namespace detail {

Tensor linear_recurrence(const Tensor& a, const Tensor& b, std::size_t axis, bool reverse) {
  return apply(LinearRecurrence{axis, reverse}, a, b);
}

}  // namespace detail

Tensor cumprod(Operand x, std::int64_t axis, const CumsumOptions& options) {
  const std::size_t along = normalize_axis("cumprod", axis, x->dim());
  const Tensor in = x->to(options.dtype.value_or(x->dtype()));
  const detail::MaybeOwned wide = detail::widened(in);
  // y_i = x_i y_(i-1) from the first element on.
  Tensor y;
  if (in.shape()[along] == 0) {
    y = (*wide).clone();
  } else {
    const Tensor first = narrow(*wide, axis, 0, 1);
    Shape rest = in.shape();
    rest[along] -= 1;
    y = detail::linear_recurrence(wide, concat({first, zeros(rest, {.dtype = wide->dtype()})}, axis), along, false);
  }
  return options.dtype || is_floating(in.dtype()) ? detail::narrowed(std::move(y), in.dtype()) : y;
}

ValuesAndIndices cummax(Operand x, std::int64_t axis) { return running_extremum<true>(*x, axis); }
ValuesAndIndices cummin(Operand x, std::int64_t axis) { return running_extremum<false>(*x, axis); }

Tensor logcumsumexp(Operand x, std::int64_t axis) {
  const std::size_t along = normalize_axis("logcumsumexp", axis, x->dim());
  const detail::MaybeOwned in = detail::converted(*x, detail::at_least(x->dtype(), DType::float32));
  return detail::narrowed(apply(LogCumsumExp{along}, detail::widened(in)), in->dtype());
}

}  // namespace xgrad
