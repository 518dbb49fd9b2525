#include "norm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../autograd/apply.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "elementwise_samples.hpp"
#include "extrema.hpp"
#include "kernels/extrema.hpp"
#include "kernels/map.hpp"
#include "math.hpp"
#include "reduce_samples.hpp"
#include "spread.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

using detail::fused;
using detail::map;
using detail::ReducedShape;
using detail::run_reduction;
using detail::spread;
using detail::sum_over;

template <class T>
struct Exponentials : detail::Adding<T> {
  static constexpr bool centred = true;
  [[gnu::always_inline]] static T lift(T x, T center) { return lane_math::exp(x - center); }
};

// In double, where squares of float neither overflow nor vanish.
template <class T>
struct Squares : detail::Adding<T, double> {
  [[gnu::always_inline]] static double lift(T x, T) { return static_cast<double>(x) * static_cast<double>(x); }
};

template <class T>
struct Powers : detail::Adding<T, double> {
  double p;
  explicit Powers(double exponent) : p(exponent) {}
  [[gnu::always_inline]] double lift(T x, T) const { return lane_math::pow(lane_math::abs(static_cast<double>(x)), p); }
};

struct LogSumExp {
  static constexpr const char* name = "logsumexp";
  ReducedShape shape;
  Saved x = {}, largest = {}, log_sum = {};  // not their sum, in which a large one rounds the other away
  Tensor forward(const Tensor& input) {
    x = input;
    const Tensor center = detail::extreme_values(detail::Extreme::largest, input, shape);
    return dispatch_floating(name, input.dtype(), [&](auto zero) -> Tensor {
      using T = decltype(zero);
      constexpr T infinity = std::numeric_limits<T>::infinity();
      detail::change_elements<T>(center, [](T c) { return lane_math::abs(c) == infinity ? T(0) : c; });
      const Tensor sums = run_reduction(Exponentials<T>{}, input, shape, center);
      detail::change_elements<T>(sums, [](T s) { return lane_math::log(s); });
      largest = center, log_sum = sums;
      return detail::map(
          name, [](const auto& l, const auto& c) { return l + c; }, sums, center);
    });
  }
  Tensor backward(const Tensor& grad) const { return weighted(spread(grad, shape)); }
  Tensor jvp(const Tensor& dx) const { return sum_over(weighted(dx), shape); }

 private:
  Tensor weighted(const Tensor& grad) const {
    if (is_grad_enabled()) {
      const Tensor input = x, powers = exp(input - spread(largest, shape));
      return grad * (powers / spread(sum_over(powers, shape), shape));
    }
    const auto formula = [](const auto& g, const auto& in, const auto& most, const auto& l) {
      return g * exp(in - most - l);
    };
    return fused(name, formula, grad, x, spread(largest, shape), spread(log_sum, shape));
  }
};

/// Of elements divided by a centre near the result, for sums that leave the range of double.
template <class T>
struct CentredPowers : detail::Adding<T, double> {
  static constexpr bool centred = true;
  double p;
  explicit CentredPowers(double exponent) : p(exponent) {}
  [[gnu::always_inline]] double lift(T x, T center) const {
    return lane_math::pow(lane_math::abs(static_cast<double>(x)) / static_cast<double>(center), p);
  }
};

template <class T>
T* dense_elements(const Tensor& x) {
  return reinterpret_cast<T*>(x.impl().data);
}

/// (sum of |x|^p)^(1/p), for finite p other than 0.
struct Norm {
  static constexpr const char* name = "norm";
  ReducedShape shape;
  double p;
  Saved x = {}, y = {};
  Tensor forward(const Tensor& input) {
    x = input;
    const Tensor roots = dispatch_floating(name, input.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const Tensor sums =
          p == 2 ? run_reduction(Squares<T>{}, input, shape) : run_reduction(Powers<T>(p), input, shape);
      if ((p == 2 && lane_math::is_float<T>) || in_range(sums)) {
        detail::change_elements<double>(sums, [q = p](double s) { return q == 2 ? std::sqrt(s) : std::pow(s, 1 / q); });
        return sums;
      }
      return centred_norm<T>(input);
    });
    const Tensor out = roots.to(input.dtype());
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const { return weighted(spread(grad, shape)); }
  Tensor jvp(const Tensor& dx) const { return sum_over(weighted(dx), shape); }

 private:
  /// Whether no sum lost what is below the normal numbers, or overflowed.
  static bool in_range(const Tensor& sums) {
    const double* const s = dense_elements<double>(sums);
    return std::all_of(s, s + sums.numel(), [](double value) { return value > 0x1p-900 && value < 0x1p1023; });
  }
  /// norm(x / c) c, where c is the largest |x|; for p < 0 the smallest.
  template <class T>
  Tensor centred_norm(const Tensor& input) const {
    const Tensor sizes = map(
        name, [](const auto& v) { return abs(v); }, input);
    const detail::Extreme nearest = p > 0 ? detail::Extreme::largest : detail::Extreme::smallest;
    const Tensor centers = detail::extreme_values(nearest, sizes, shape);
    T* const c = dense_elements<T>(centers);
    for (std::int64_t i = 0; i < centers.numel(); ++i)
      if (!(c[i] > 0 && std::isfinite(c[i]))) c[i] = 1;
    const Tensor sums = run_reduction(CentredPowers<T>(p), sizes, shape, centers);
    double* const s = dense_elements<double>(sums);
    for (std::int64_t i = 0; i < sums.numel(); ++i) s[i] = std::pow(s[i], 1 / p) * static_cast<double>(c[i]);
    return sums;
  }

  Tensor weighted(const Tensor& grad) const {
    if (p == 2) {
      // g x / |x|, and 0 where |x| is
      const auto formula = [](const auto& g, const auto& in, const auto& out) {
        return where(out == 0, 0, g * (in / where(out == 0, 1, out)));
      };
      return fused(name, formula, grad, x, spread(y, shape));
    }
    // g sign(x) (|x| / norm)^(p - 1), and 0 where x or the norm is
    const auto formula = [q = p](const auto& g, const auto& in, const auto& out) {
      const auto none = in == 0 || out == 0;
      return where(none, 0, g * sign(in) * pow(abs(where(none, 1, in)) / where(none, 1, out), q - 1));
    };
    return fused(name, formula, grad, x, spread(y, shape));
  }
};

}  // namespace

Tensor logsumexp(Operand x, const Axes& axes, const ReduceOptions& options) {
  return apply(LogSumExp{{"logsumexp", x->shape(), axes, options.keepdim}}, detail::floating(x));
}

Tensor norm(Operand x, double p, const Axes& axes, const ReduceOptions& options) {
  check(p == p, "norm: p is NaN");
  const Tensor input = detail::floating(x);
  if (p == 0) return count_nonzero(input, axes, options).to(input.dtype());
  if (p == 1) return sum(abs(input), axes, {.keepdim = options.keepdim});
  if (std::isinf(p)) return p > 0 ? amax(abs(input), axes, options) : amin(abs(input), axes, options);
  const ReducedShape shape("norm", x->shape(), axes, options.keepdim);
  if (p < 0) shape.expect_elements("norm");
  return apply(Norm{shape, p}, input);
}

namespace detail {

std::span<const OpInfo> norm_ops() {
  static const OpInfo ops[] = {
      {"logsumexp", "reductions", "log of the sum of exp(x)", true,
       [] {
         return reduction_samples(
             "torch.logsumexp(x[0], dim={dim}, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return logsumexp(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return logsumexp(x, axes); }); }},
      {"norm", "reductions", "(sum of |x|^p)^(1/p)", true,
       [] {
         return reduction_samples(
                    "torch.linalg.vector_norm(x[0], 2, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, 2, axes, {.keepdim = keepdim}); }) +
                reduction_samples(
                    "torch.linalg.vector_norm(x[0], 1, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, 1, axes, {.keepdim = keepdim}); }) +
                reduction_samples(
                    "torch.linalg.vector_norm(x[0], 3.5, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, 3.5, axes, {.keepdim = keepdim}); }) +
                reduction_samples(
                    "torch.linalg.vector_norm(x[0], 0.5, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, 0.5, axes, {.keepdim = keepdim}); }) +
                reduction_samples(
                    "torch.linalg.vector_norm(x[0], -1, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, -1, axes, {.keepdim = keepdim}); },
                    {.of_nothing = false}) +
                reduction_samples("torch.linalg.vector_norm(x[0], float('inf'), dim={dim}, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) {
                                    return norm(x, std::numeric_limits<double>::infinity(), axes, {.keepdim = keepdim});
                                  },
                                  {.of_nothing = false});
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return norm(x, 2, axes); }); }},
  };
  return ops;
}

}  // namespace detail

}  // namespace xgrad
