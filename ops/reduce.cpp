#include "reduce.hpp"

#include <cmath>
#include <limits>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../kernels/reduction.hpp"
#include "../kernels/variance.hpp"
#include "arithmetic.hpp"
#include "broadcast.hpp"
#include "comparison.hpp"
#include "map.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

using detail::broadcast_over;
using detail::fused;
using detail::ReducedShape;
using detail::run_reduction;
using detail::sum_over;
using detail::sums;

struct Sum {
  static constexpr const char* name = "sum";
  static constexpr bool linear = true;
  ReducedShape shape;
  Tensor forward(const Tensor& x) { return sums(x, shape); }
  Tensor backward(const Tensor& grad) const { return broadcast_over(grad, shape); }
};

struct BroadcastOver {
  static constexpr const char* name = "expand";
  static constexpr bool linear = true;
  ReducedShape shape;
  Tensor forward(const Tensor& x) { return detail::view(x, shape.input(), shape.strides_of_result(x.strides())); }
  Tensor backward(const Tensor& grad) const { return apply(Sum{shape}, grad); }
};

struct Mean {
  static constexpr const char* name = "mean";
  ReducedShape shape;
  Tensor forward(const Tensor& x) { return sums(x, shape, static_cast<double>(shape.count())); }
  Tensor backward(const Tensor& grad) const {
    if (shape.count() == 0) return broadcast_over(grad, shape);  // empty, and free of the 0 / 0 of its value
    return broadcast_over(grad / static_cast<double>(shape.count()), shape);
  }
  Tensor jvp(const Tensor& dx) const { return shape.count() == 0 ? sum_over(dx, shape) : apply(Mean{shape}, dx); }
};

/// x less its mean, twice: the first mean has no digits for what may count in the difference.
Tensor centred(const Tensor& x, const ReducedShape& shape) {
  const Tensor about = x - apply(Mean{shape.keeping()}, x);
  return about - apply(Mean{shape.keeping()}, about);
}

/// The mean and divisor that variance and standard deviation need.
struct Deviation {
  ReducedShape shape;
  std::int64_t correction;
  Saved x = {}, center = {}, shift = {};  // the mean is center + shift

  double divisor() const { return static_cast<double>(std::max<std::int64_t>(shape.count() - correction, 0)); }
  Tensor find(const char* op, detail::Dispersion which, const Tensor& input) {
    detail::Deviations found = detail::deviations(op, input, shape, which, divisor());
    x = input, center = Tensor(std::move(found.centre));
    shift = found.shift.data ? Tensor(std::move(found.shift)) : Tensor();
    return Tensor(std::move(found.dispersion));
  }
  /// (x - mean) * factor, with a factor for each element; the mean is nothing where there are none
  Tensor times(const char* op, const Tensor& factor) const {
    if (shape.count() == 0) return factor;
    if (is_grad_enabled()) return centred(x, shape) * factor;
    if (!shift.defined()) {
      const auto formula = [](const auto& value, const auto& c, const auto& f) { return (value - c) * f; };
      return detail::map(op, formula, x.get(), center.get(), factor);
    }
    const auto formula = [](const auto& value, const auto& c, const auto& s, const auto& f) {
      return (value - c - s) * f;
    };
    return detail::map(op, formula, x.get(), center.get(), shift.get(), factor);
  }
  /// (x - mean) * scale * factor
  Tensor scaled(const char* op, const Tensor& scale, double factor) const {
    return times(op, broadcast_over(shape.count() == 0 ? scale : scale * factor, shape));
  }
  /// The sum of (x - mean) * dx, times a factor.
  Tensor covariance(const char* op, const Tensor& dx, double factor) const {
    const Tensor total = sum_over(times(op, dx), shape);
    return shape.count() == 0 ? total : total * factor;
  }
};

struct Var {
  static constexpr const char* name = "var";
  Deviation of;
  Tensor forward(const Tensor& x) { return of.find(name, detail::Dispersion::variance, x); }
  Tensor backward(const Tensor& grad) const { return of.scaled(name, grad, 2 / of.divisor()); }
  Tensor jvp(const Tensor& dx) const { return of.covariance(name, dx, 2 / of.divisor()); }
};

struct Stddev {
  static constexpr const char* name = "stddev";
  Deviation of;
  Saved y = {};
  Tensor forward(const Tensor& x) {
    const Tensor out = of.find(name, detail::Dispersion::deviation, x);
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    if (of.shape.count() == 0) return of.scaled(name, grad, 1);
    if (has_far_values()) return standardized_times(broadcast_over(grad, of.shape));
    return of.scaled(name, by_value(grad), 1 / of.divisor());
  }
  Tensor jvp(const Tensor& dx) const {
    if (of.shape.count() > 0 && has_far_values()) return sum_over(standardized_times(dx), of.shape);
    const Tensor change = of.covariance(name, dx, 1 / of.divisor());
    return of.shape.count() == 0 ? change : by_value(change);
  }

 private:
  /// g / y, and 0 where y is
  Tensor by_value(const Tensor& grad) const {
    const auto formula = [](const auto& g, const auto& s) { return where(s == 0, 0, g / where(s == 0, 1, s)); };
    return fused(name, formula, grad, y);
  }
  /// Whether 1 / y may leave the dtype, or (x - mean) / y^2.
  bool has_far_values() const {
    const Tensor values = y.get();
    return dispatch_floating(name, values.dtype(), [&](auto zero) {
      using T = decltype(zero);
      static const T least = std::sqrt(std::numeric_limits<T>::min()), most = std::sqrt(std::numeric_limits<T>::max());
      const T* const at = detail::first_element<T>(values);
      std::int64_t far = 0;
      for (std::int64_t i = 0; i < values.numel(); ++i) far += (at[i] < least && at[i] > 0) || at[i] > most ? 1 : 0;
      return far > 0;
    });
  }
  /// (x - mean) / y * factor / divisor, in this order, and 0 where y is
  Tensor standardized_times(const Tensor& factor) const {
    const auto formula = [](const auto& d, const auto& s, const auto& f) {
      return where(s == 0, 0, d / where(s == 0, 1, s) * f);
    };
    const Tensor apart =
        is_grad_enabled() ? centred(of.x, of.shape) : of.times(name, full({}, 1, {.dtype = y.dtype()}));
    return fused(name, formula, apart, broadcast_over(y, of.shape), factor) * (1 / of.divisor());
  }
};

/// Integers less the first of them, which changes no dispersion, in float64: exact where they are near one another.
Tensor moved(const Tensor& x) {
  const detail::Array from = detail::packed(detail::as_dtype(x, int64));
  detail::Array out;
  detail::allocate_array_like(out, from, float64);
  const auto* const at = detail::first_element<std::int64_t>(from);
  double* const to = detail::first_element<double>(out);
  for (std::int64_t i = 0; i < x.numel(); ++i)
    to[i] = (at[i] < 0) == (at[0] < 0) ? static_cast<double>(at[i] - at[0])
                                       : static_cast<double>(at[i]) - static_cast<double>(at[0]);
  return Tensor(std::move(out));
}

/// Var or Stddev of numbers of any dtype.
template <class Op>
Tensor deviation(const Op& op, const Tensor& x) {
  if (!is_floating(x.dtype())) return apply(op, moved(x)).to(float32);
  return detail::narrowed(apply(op, detail::widened(x)), x.dtype());
}

}  // namespace

Tensor detail::sums(const Tensor& x, const ReducedShape& shape, double divisor) {
  const ReductionMemory in(x, shape);
  const Tensor out = unallocated();
  in.allocate_result(out.impl(), shape, is_floating(x.dtype()) ? x.dtype() : int64);
  sum_axes(x.dtype(), in.shape, in.reduced, in.data, out.array().data, divisor);
  return out;
}
Tensor detail::broadcast_over(const Tensor& x, const ReducedShape& shape) { return apply(BroadcastOver{shape}, x); }
Tensor detail::sum_over(const Tensor& x, const ReducedShape& shape) { return apply(xgrad::Sum{shape}, x); }

Tensor sum(Operand x, const Axes& axes, const SumOptions& options) {
  const ReducedShape shape("sum", x->shape(), axes, options.keepdim);
  const DType dtype = options.dtype.value_or(x->dtype());
  Tensor total = apply(Sum{shape}, detail::converted(*x, dtype));
  return options.dtype ? detail::narrowed(std::move(total), dtype) : total;
}

Tensor mean(Operand x, const Axes& axes, const SumOptions& options) {
  const Mean op{{"mean", x->shape(), axes, options.keepdim}};
  if (options.dtype) {
    check(is_floating(*options.dtype), "mean: of dtype ", *options.dtype, "; a mean has a floating dtype");
    return apply(op, x->to(*options.dtype));
  }
  return is_floating(x->dtype()) ? apply(op, x) : apply(op, x->to(float64)).to(float32);
}

Tensor var(Operand x, const Axes& axes, const VarOptions& options) {
  const Var op{{{"var", x->shape(), axes, options.keepdim}, options.correction}};
  return deviation(op, *x);
}

Tensor stddev(Operand x, const Axes& axes, const VarOptions& options) {
  const Stddev op{{{"stddev", x->shape(), axes, options.keepdim}, options.correction}};
  return deviation(op, *x);
}

Tensor count_nonzero(Operand x, const Axes& axes, const ReduceOptions& options) {
  const ReducedShape shape("count_nonzero", x->shape(), axes, options.keepdim);
  return sums(x->dtype() == bool_ ? *x : *x != 0, shape);
}

Tensor all(Operand x, const Axes& axes, const ReduceOptions& options) {
  const ReducedShape shape("all", x->shape(), axes, options.keepdim);
  return count_nonzero(*x, axes, options) == shape.count();
}

Tensor any(Operand x, const Axes& axes, const ReduceOptions& options) {
  const ReducedShape shape("any", x->shape(), axes, options.keepdim);
  return count_nonzero(*x, axes, options) != 0;
}

}  // namespace xgrad
