#include "reduce.hpp"

#include "../autograd/apply.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "elementwise_samples.hpp"
#include "kernels/map.hpp"
#include "kernels/reduction.hpp"
#include "kernels/variance.hpp"
#include "reduce_samples.hpp"
#include "spread.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

using detail::fused;
using detail::ReducedShape;
using detail::run_reduction;
using detail::spread;
using detail::sum_over;

template <class T>
struct Nonzero : detail::Adding<T, std::uint64_t> {
  [[gnu::always_inline]] static std::uint64_t lift(T x, T) { return x != T(0); }
};

struct Sum {
  static constexpr const char* name = "sum";
  static constexpr bool linear = true;
  ReducedShape shape;
  Tensor forward(const Tensor& x) {
    const detail::ReductionMemory in(x, shape);
    Tensor out = in.make_result(shape, is_floating(x.dtype()) ? x.dtype() : int64);
    detail::sum_axes(x.dtype(), in.shape, in.reduced, in.tensor.impl().data, out.impl().data);
    return out;
  }
  Tensor backward(const Tensor& grad) const { return spread(grad, shape); }
};

struct Spread {
  static constexpr const char* name = "spread";
  static constexpr bool linear = true;
  ReducedShape shape;
  Tensor forward(const Tensor& x) { return detail::view(x, shape.input(), shape.strides_of_result(x.strides())); }
  Tensor backward(const Tensor& grad) const { return apply(Sum{shape}, grad); }
};

/// In place, outside the graph: results of a reduction are dense, and no one else has them yet.
void divide(const Tensor& x, double divisor) {
  dispatch_floating("mean", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    detail::change_elements<T>(x, [d = static_cast<T>(divisor)](T value) { return value / d; });
  });
}

Tensor raw_mean(const Tensor& x, const ReducedShape& shape) {
  const Tensor out = Sum{shape}.forward(x);
  divide(out, static_cast<double>(shape.count()));
  return out;
}

struct Mean {
  static constexpr const char* name = "mean";
  ReducedShape shape;
  Tensor forward(const Tensor& x) { return raw_mean(x, shape); }
  Tensor backward(const Tensor& grad) const {
    if (shape.count() == 0) return spread(grad, shape);  // empty, and free of the 0 / 0 of its value
    return spread(grad / static_cast<double>(shape.count()), shape);
  }
  Tensor jvp(const Tensor& dx) const { return shape.count() == 0 ? sum_over(dx, shape) : apply(Mean{shape}, dx); }
};

/// The mean and divisor that variance and standard deviation need.
struct Deviation {
  ReducedShape shape;
  std::int64_t correction;
  Saved x = {};
  Tensor center = {};

  double divisor() const { return static_cast<double>(std::max<std::int64_t>(shape.count() - correction, 0)); }
  Tensor variance(const Tensor& input) {
    x = input;
    const auto [mean, squares] = detail::deviations("var", input, shape);
    center = mean;
    divide(squares, divisor());
    return squares;
  }
  /// (x - mean) * factor, with a factor for each element; the mean is nothing where there are none
  Tensor times(const char* op, const Tensor& factor) const {
    if (shape.count() == 0) return factor;
    const Tensor mu = is_grad_enabled() ? apply(Mean{shape.keeping()}, x) : center;
    const auto formula = [](const auto& value, const auto& m, const auto& f) { return (value - m) * f; };
    return fused(op, formula, x, mu, factor);
  }
  /// (x - mean) * scale * factor
  Tensor scaled(const char* op, const Tensor& scale, double factor) const {
    return times(op, spread(shape.count() == 0 ? scale : scale * factor, shape));
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
  Tensor forward(const Tensor& x) { return of.variance(x); }
  Tensor backward(const Tensor& grad) const { return of.scaled(name, grad, 2 / of.divisor()); }
  Tensor jvp(const Tensor& dx) const { return of.covariance(name, dx, 2 / of.divisor()); }
};

struct Stddev {
  static constexpr const char* name = "stddev";
  Deviation of;
  Saved y = {};
  Tensor forward(const Tensor& x) {
    const Tensor out = of.variance(x);
    dispatch_floating(name, out.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::change_elements<T>(out, [](T value) { return lane_math::sqrt(value); });
    });
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    if (of.shape.count() == 0) return of.scaled(name, grad, 1);
    return of.scaled(name, by_value(grad), 1 / of.divisor());
  }
  Tensor jvp(const Tensor& dx) const {
    const Tensor change = of.covariance(name, dx, 1 / of.divisor());
    return of.shape.count() == 0 ? change : by_value(change);
  }

 private:
  /// g / y, and 0 where y is
  Tensor by_value(const Tensor& grad) const {
    const auto formula = [](const auto& g, const auto& s) { return where(s == 0, 0, g / where(s == 0, 1, s)); };
    return fused(name, formula, grad, y);
  }
};

/// Moments of integers are computed in float64, which holds those below 2^53, and are float32.
template <class Op>
Tensor moment(Op op, const Tensor& x) {
  if (is_floating(x.dtype())) return apply(std::move(op), x);
  return apply(std::move(op), x.to(float64)).to(float32);
}

}  // namespace

Tensor detail::spread(const Tensor& x, const ReducedShape& shape) { return apply(Spread{shape}, x); }
Tensor detail::sum_over(const Tensor& x, const ReducedShape& shape) { return apply(xgrad::Sum{shape}, x); }

Tensor sum(Operand x, const Axes& axes, const SumOptions& options) {
  const ReducedShape shape("sum", x->shape(), axes, options.keepdim);
  const detail::Borrowed in = detail::converted(*x, options.dtype.value_or(x->dtype()));
  if (options.dtype == DType::bool_) return apply(Sum{shape}, in).to(bool_);
  return apply(Sum{shape}, in);
}

Tensor mean(Operand x, const Axes& axes, const SumOptions& options) {
  const Mean op{{"mean", x->shape(), axes, options.keepdim}};
  if (!options.dtype) return moment(op, *x);
  check(is_floating(*options.dtype), "mean: of dtype ", *options.dtype, "; a mean is float32 or float64");
  return apply(op, x->to(*options.dtype));
}

Tensor var(Operand x, const Axes& axes, const VarOptions& options) {
  return moment(Var{{{"var", x->shape(), axes, options.keepdim}, options.correction}}, *x);
}

Tensor stddev(Operand x, const Axes& axes, const VarOptions& options) {
  return moment(Stddev{{{"stddev", x->shape(), axes, options.keepdim}, options.correction}}, *x);
}

Tensor count_nonzero(Operand x, const Axes& axes, const ReduceOptions& options) {
  const ReducedShape shape("count_nonzero", x->shape(), axes, options.keepdim);
  return dispatch(x->dtype(), [&](auto zero) { return run_reduction(Nonzero<decltype(zero)>{}, x, shape); });
}

Tensor all(Operand x, const Axes& axes, const ReduceOptions& options) {
  const ReducedShape shape("all", x->shape(), axes, options.keepdim);
  return count_nonzero(*x, axes, options) == shape.count();
}

Tensor any(Operand x, const Axes& axes, const ReduceOptions& options) {
  const ReducedShape shape("any", x->shape(), axes, options.keepdim);
  return count_nonzero(*x, axes, options) != 0;
}

namespace detail {

std::span<const OpInfo> reduce_ops() {
  static const OpInfo ops[] = {
      {"sum", "reductions", "sum of x", true,
       [] {
         return reduction_samples("torch.sum(x[0], dim={dim}, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) { return sum(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return sum(x, axes); }); }},
      {"mean", "reductions", "sum of x / n", true,
       [] {
         return reduction_samples(
             "torch.mean(x[0], dim={dim}, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return mean(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return mean(x, axes); }); }},
      {"var", "reductions", "sum of (x - mean(x))^2 / (n - correction)", true,
       [] {
         return reduction_samples("torch.var(x[0], dim={dim}, unbiased=True, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) { return var(x, axes, {.keepdim = keepdim}); },
                                  {.of_one = false}) +
                reduction_samples("torch.var(x[0], dim={dim}, unbiased=False, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) {
                                    return var(x, axes, {.correction = 0, .keepdim = keepdim});
                                  });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return var(x, axes); }); }},
      {"stddev", "reductions", "sqrt(var(x))", true,
       [] {
         return reduction_samples(
             "torch.std(x[0], dim={dim}, unbiased=True, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return stddev(x, axes, {.keepdim = keepdim}); },
             {.of_one = false});
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return stddev(x, axes); }); }},
      {"count_nonzero", "reductions", "number of elements other than 0", false,
       [] {
         return reduction_samples(
             "torch.sum(x[0] != 0, dim={dim}, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return count_nonzero(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return count_nonzero(x, axes); }); }},
      {"all", "reductions", "whether no element is 0", false,
       [] {
         return reduction_samples(
             "torch.sum(x[0] <= -1, dim={dim}, keepdim={keepdim}) == 0",
             [](auto& x, auto& axes, bool keepdim) { return all(x > -1, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return all(x, axes); }); }},
      {"any", "reductions", "whether an element is not 0", false,
       [] {
         return reduction_samples(
             "torch.sum(x[0] > 1, dim={dim}, keepdim={keepdim}) > 0",
             [](auto& x, auto& axes, bool keepdim) { return any(x > 1, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return any(x, axes); }); }},
  };
  return ops;
}

}  // namespace detail

}  // namespace xgrad
