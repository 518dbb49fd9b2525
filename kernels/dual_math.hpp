#pragma once
// More functions of duals (see dual.hpp): those of ops/exponential.hpp, special.hpp, rounding.hpp and division.hpp, for
// the lambdas of elementwise(). They are computed one number at a time, in double where not exact.

#include <cmath>
#include <limits>
#include <numbers>

#include "decimals.hpp"
#include "dual.hpp"
#include "elementary.hpp"
#include "incomplete.hpp"
#include "quotients.hpp"
#include "special.hpp"

namespace xgrad {

namespace detail {

/// f(x) and its derivative from functions of double; the derivative is computed where it is wanted alone.
template <class T, int N, class F, class D>
dual<T, N> from_doubles(const dual<T, N>& x, const F& f, const D& derivative) {
  const double at = static_cast<double>(x.v), y = f(at);
  if constexpr (N == 0)
    return {static_cast<T>(y)};
  else
    return chain_with_pole(x, static_cast<T>(y), static_cast<T>(derivative(at, y)));
}
template <class T, int N, class F, class D>
dual<T, N> from_doubles(const dual<T, N>& a, const dual<T, N>& b, const F& f, const D& derivatives) {
  const double x = static_cast<double>(a.v), y = static_cast<double>(b.v), value = f(x, y);
  if constexpr (N == 0) {
    return {static_cast<T>(value)};
  } else {
    const auto [by_a, by_b] = derivatives(x, y, value);
    return chain(a, b, static_cast<T>(value), static_cast<T>(by_a), static_cast<T>(by_b));
  }
}

struct Slopes {
  double by_a, by_b;
};

}  // namespace detail

#define XGRAD_OF_ONE(name, value, derivative)                                                       \
  template <class T, int N>                                                                         \
  dual<T, N> name(const dual<T, N>& at) {                                                           \
    return detail::from_doubles(                                                                    \
        at, [](double x) { return value; },                                                         \
        []([[maybe_unused]] double x, [[maybe_unused]] double y) -> double { return derivative; }); \
  }
XGRAD_OF_ONE(log2, std::log2(x), 1 / (x * std::numbers::ln2))
XGRAD_OF_ONE(log10, std::log10(x), 1 / (x * std::numbers::ln10))
XGRAD_OF_ONE(exp2, std::exp2(x), y* std::numbers::ln2)
XGRAD_OF_ONE(asinh, std::asinh(x), 1 / std::hypot(1, x))
XGRAD_OF_ONE(acosh, std::acosh(x), 1 / (std::sqrt(x - 1) * std::sqrt(x + 1)))
XGRAD_OF_ONE(atanh, std::atanh(x), 1 / ((1 - x) * (1 + x)))
XGRAD_OF_ONE(erfinv, elementary::erfinv(x), 0.5 / std::numbers::inv_sqrtpi * std::exp(y * y))
XGRAD_OF_ONE(i0, elementary::i0(x), elementary::i1(x))
XGRAD_OF_ONE(i1, elementary::i1(x), x == 0 ? 0.5 : elementary::i0(x) - y / x)
XGRAD_OF_ONE(i0e, elementary::i0e(x), elementary::i1e(x) - ((x > 0) - (x < 0)) * y)
XGRAD_OF_ONE(i1e, elementary::i1e(x), x == 0 ? 0.5 : elementary::i0e(x) - (x > 0 ? 1 : -1) * y - y / x)
XGRAD_OF_ONE(sinc, elementary::sinc(0, x), elementary::sinc(1, x))
XGRAD_OF_ONE(ceil, std::ceil(x), 0)
XGRAD_OF_ONE(trunc, std::trunc(x), 0)
XGRAD_OF_ONE(round, std::nearbyint(x), 0)
XGRAD_OF_ONE(frac, x - std::trunc(x), 1)
#undef XGRAD_OF_ONE

#define XGRAD_OF_TWO(name, value, of_a, of_b)                                                  \
  template <class A, class B, class L = typename detail::DualOf<A, B>::type>                   \
  L name(const A& first, const B& second) {                                                    \
    return detail::from_doubles(                                                               \
        detail::as<L>(first), detail::as<L>(second), [](double a, double b) { return value; }, \
        [](double a, double b, [[maybe_unused]] double y) {                                    \
          return detail::Slopes{of_a, of_b};                                                   \
        });                                                                                    \
  }
XGRAD_OF_TWO(hypot, std::hypot(a, b), y == 0 ? 0 : a / y, y == 0 ? 0 : b / y)
XGRAD_OF_TWO(logaddexp, elementary::logaddexp(a, b), a == b ? 0.5 : 1 / (1 + std::exp(b - a)),
             a == b ? 0.5 : 1 / (1 + std::exp(a - b)))
XGRAD_OF_TWO(logaddexp2, elementary::logaddexp2(a, b), a == b ? 0.5 : 1 / (1 + std::exp2(b - a)),
             a == b ? 0.5 : 1 / (1 + std::exp2(a - b)))
XGRAD_OF_TWO(xlogy, elementary::xlogy(a, b), a == 0 && b <= 0 ? 0 : std::log(b), a / b)
XGRAD_OF_TWO(betaln, elementary::betaln(a, b), elementary::digamma(a) - elementary::digamma(a + b),
             elementary::digamma(b) - elementary::digamma(a + b))
XGRAD_OF_TWO(beta, elementary::beta(a, b), y*(elementary::digamma(a) - elementary::digamma(a + b)),
             y*(elementary::digamma(b) - elementary::digamma(a + b)))
XGRAD_OF_TWO(gammainc, elementary::gammainc(a, b), elementary::gammainc_by_a(1, a, b), elementary::gamma_density(a, b))
XGRAD_OF_TWO(gammaincc, elementary::gammaincc(a, b), -elementary::gammainc_by_a(1, a, b),
             -elementary::gamma_density(a, b))
#undef XGRAD_OF_TWO

template <class A, class B, class L = typename detail::DualOf<A, B>::type>
L fmod(const A& first, const B& second) {
  const L a = detail::as<L>(first), b = detail::as<L>(second);
  return detail::chain(a, b, std::fmod(a.v, b.v), decltype(a.v)(1), -std::trunc(a.v / b.v));
}
template <class A, class B, class L = typename detail::DualOf<A, B>::type>
L remainder(const A& first, const B& second) {
  const L a = detail::as<L>(first), b = detail::as<L>(second);
  return detail::chain(a, b, elementary::floored_rest(a.v, b.v), decltype(a.v)(1),
                       -elementary::floored_quotient(a.v, b.v));
}
template <class A, class B, class L = typename detail::DualOf<A, B>::type>
L floor_divide(const A& first, const B& second) {
  return detail::as<L>(elementary::floored_quotient(detail::as<L>(first).v, detail::as<L>(second).v));
}

template <class T, int N>
dual<T, N> round(const dual<T, N>& x, int decimals) {
  return detail::as<dual<T, N>>(elementary::Decimals(decimals)(x.v));
}

/// 0 in place of NaN, and the largest numbers of T in place of infinities.
template <class T, int N>
dual<T, N> nan_to_num(const dual<T, N>& x) {
  constexpr T most = std::numeric_limits<T>::max();
  if (std::abs(x.v) <= most) return x;
  return detail::as<dual<T, N>>(std::isnan(x.v) ? T(0) : std::copysign(most, x.v));
}

}  // namespace xgrad
