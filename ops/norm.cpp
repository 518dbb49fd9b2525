#include "norm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../kernels/extrema.hpp"
#include "arithmetic.hpp"
#include "broadcast.hpp"
#include "comparison.hpp"
#include "extrema.hpp"
#include "map.hpp"
#include "math.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

using detail::broadcast_over;
using detail::fused;
using detail::map;
using detail::ReducedShape;
using detail::run_reduction;
using detail::sum_over;

// In double, where squares of float neither overflow nor vanish.
template <class T>
struct Squares : detail::Adding<T, double> {
  [[gnu::always_inline]] static double lift(T x, T) { return static_cast<double>(x) * static_cast<double>(x); }
};

struct LogSumExp {
  static constexpr const char* name = "logsumexp";
  ReducedShape shape;
  Saved x = {}, largest = {}, log_sum = {};  // not their sum, in which a large one rounds the other away
  Tensor forward(const Tensor& input) {
    x = input;
    const Tensor center(detail::extreme_values(detail::Extreme::largest, input, shape));
    return dispatch_floating(name, input.dtype(), [&](auto zero) -> Tensor {
      using T = decltype(zero);
      constexpr T infinity = std::numeric_limits<T>::infinity();
      detail::change_elements<T>(center, [](T c) { return elementary::abs(c) == infinity ? T(0) : c; });
      const auto power = [](const auto& v, const auto& c) { return exp(v - c); };
      const Tensor sums = detail::sums(detail::map(name, power, input, broadcast_over(center, shape)), shape);
      detail::change_elements<T>(sums, [](T s) { return elementary::log(s); });
      largest = center, log_sum = sums;
      return detail::map(
          name, [](const auto& l, const auto& c) { return l + c; }, sums, center);
    });
  }
  Tensor backward(const Tensor& grad) const { return weighted(broadcast_over(grad, shape)); }
  Tensor jvp(const Tensor& dx) const { return sum_over(weighted(dx), shape); }

 private:
  Tensor weighted(const Tensor& grad) const {
    if (is_grad_enabled()) {
      const Tensor input = x, powers = exp(input - broadcast_over(largest, shape));
      return grad * (powers / broadcast_over(sum_over(powers, shape), shape));
    }
    const auto formula = [](const auto& g, const auto& in, const auto& most, const auto& l) {
      return g * exp(in - most - l);
    };
    return fused(name, formula, grad, x, broadcast_over(largest, shape), broadcast_over(log_sum, shape));
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
    const NoGrad no_grad;
    const Tensor roots = p == 2 ? of_squares(input) : of_powers(input);
    const Tensor out = roots.to(input.dtype());
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const { return weighted(broadcast_over(grad, shape)); }
  Tensor jvp(const Tensor& dx) const { return sum_over(weighted(dx), shape); }

 private:
  /// Whether no sum lost what is below the normal numbers, or overflowed.
  static bool in_range(const Tensor& sums) {
    const double* const s = dense_elements<double>(sums);
    return std::all_of(s, s + sums.numel(), [](double value) { return value > 0x1p-900 && value < 0x1p1023; });
  }
  /// In float64, as what follows.
  Tensor of_squares(const Tensor& input) const {
    return dispatch_floating(name, input.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const Tensor sums(run_reduction(Squares<T>{}, input, shape));
      if (!elementary::is_float<T> && !in_range(sums)) return centred(input);
      detail::change_elements<double>(sums, [](double s) { return std::sqrt(s); });
      return sums;
    });
  }
  Tensor of_powers(const Tensor& input) const {
    const Tensor sums = sum_of_powers(abs(input.to(float64)));
    if (!in_range(sums)) return centred(input);
    detail::change_elements<double>(sums, [root = 1 / p](double s) { return std::pow(s, root); });
    return sums;
  }
  Tensor sum_of_powers(const Tensor& sizes) const {
    const auto power = [q = p](const auto& v) { return pow(v, q); };
    return detail::sums(map(name, power, sizes), shape);
  }
  /// norm(x / c) c, where c is the largest |x|; for p < 0 the smallest.
  Tensor centred(const Tensor& input) const {
    const Tensor sizes = abs(input.to(float64));
    const detail::Extreme nearest = p > 0 ? detail::Extreme::largest : detail::Extreme::smallest;
    const Tensor centers(detail::extreme_values(nearest, sizes, shape));
    double* const c = dense_elements<double>(centers);
    for (std::int64_t i = 0; i < centers.numel(); ++i)
      if (!(c[i] > 0 && std::isfinite(c[i]))) c[i] = 1;
    const Tensor sums = sum_of_powers(sizes / broadcast_over(centers, shape));
    double* const s = dense_elements<double>(sums);
    for (std::int64_t i = 0; i < sums.numel(); ++i) s[i] = std::pow(s[i], 1 / p) * c[i];
    return sums;
  }

  Tensor weighted(const Tensor& grad) const {
    if (p == 2) {
      // g x / |x|, and 0 where |x| is
      const auto formula = [](const auto& g, const auto& in, const auto& out) {
        return where(out == 0, 0, g * (in / where(out == 0, 1, out)));
      };
      return fused(name, formula, grad, x, broadcast_over(y, shape));
    }
    // g sign(x) (|x| / norm)^(p - 1), and 0 where x or the norm is
    const auto formula = [q = p](const auto& g, const auto& in, const auto& out) {
      const auto none = in == 0 || out == 0;
      return where(none, 0, g * sign(in) * pow(abs(where(none, 1, in)) / where(none, 1, out), q - 1));
    };
    return fused(name, formula, grad, x, broadcast_over(y, shape));
  }
};

}  // namespace

Tensor logsumexp(Operand x, const Axes& axes, const ReduceOptions& options) {
  const detail::MaybeOwned numbers = detail::in_float32(*x), input = detail::floating(*numbers);
  const LogSumExp op{{"logsumexp", x->shape(), axes, options.keepdim}};
  return detail::narrowed(apply(op, detail::widened(input)), input->dtype());
}

Tensor norm(Operand x, double p, const Axes& axes, const ReduceOptions& options) {
  check(p == p, "norm: p is NaN");
  const detail::MaybeOwned numbers = detail::in_float32(*x);
  const Tensor input = detail::floating(*numbers);
  if (p == 0) return count_nonzero(input, axes, options).to(input.dtype());
  if (p == 1) return sum(abs(input), axes, {.keepdim = options.keepdim});
  if (std::isinf(p)) return p > 0 ? amax(abs(input), axes, options) : amin(abs(input), axes, options);
  const ReducedShape shape("norm", x->shape(), axes, options.keepdim);
  if (p < 0) shape.expect_elements("norm");
  return detail::narrowed(apply(Norm{shape, p}, detail::widened(input)), input.dtype());
}

}  // namespace xgrad
