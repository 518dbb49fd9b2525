#pragma once
// Numbers that carry derivatives, and the arithmetic on them: what the lambda of elementwise() is evaluated on. A loop
// over them inside vectorized() (core/instruction_set.hpp) is vectorised by the compiler. The functions have the names
// of those on Tensor. Derivatives at kinks and poles are PyTorch's, except that a derivative of zero stays zero where
// PyTorch multiplies it with an infinite one: sqrt(relu(x)) has derivative 0 below 0.

#include <type_traits>
#include <utility>

#include "elementary.hpp"

namespace xgrad {

/// A value and its derivatives with respect to N variables; see `real` and `dual`.
template <class T, int N>
struct dual {
  T v;
  T d[N];
};
template <class T>
struct dual<T, 0> {
  T v;
  static constexpr T d[1] = {};  // so that code for N derivatives compiles; it is never read
};

/// One number: `real<float>{v}`.
template <class T>
using real = dual<T, 0>;
/// Result of a comparison of them; combined with &&, ||, ! (all operands are evaluated), consumed by `where`.
template <class T, int N>
struct mask {
  bool v;
};

template <class A>
concept Number = std::is_arithmetic_v<A>;

#define XGRAD_INLINE [[gnu::always_inline]] inline

#define XGRAD_INLINED __attribute__((always_inline))

namespace detail {

template <class T, class D, int... I>
XGRAD_INLINE dual<T, sizeof...(I)> make(T v, const D& d, std::integer_sequence<int, I...>) {
  return {v, {d(I)...}};
}
/// The dual with derivatives d(0), ..., d(N - 1). Without a loop: one inside the loop over the elements has to be
/// unrolled before that can be vectorised, which g++ -O1 does not always do.
template <class T, int N, class D>
XGRAD_INLINE dual<T, N> make(T v, const D& d) {
  if constexpr (N == 0)
    return {v};
  else
    return make(v, d, std::make_integer_sequence<int, N>{});
}

/// The dual of a number that does not depend on the variables.
template <class T, int N>
XGRAD_INLINE dual<T, N> constant(T v) {
  return detail::make<T, N>(v, [](int) XGRAD_INLINED { return T(0); });
}
template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> lift(A v) {
  return constant<T, N>(static_cast<T>(v));
}
template <class T, int N>
XGRAD_INLINE dual<T, N> lift(const dual<T, N>& v) {
  return v;
}

/// f(x) from its value and its derivative at x.
template <class T, int N>
XGRAD_INLINE dual<T, N> chain(const dual<T, N>& x, T value, T derivative) {
  return detail::make<T, N>(value, [&](int i) XGRAD_INLINED { return derivative * x.d[i]; });
}

/// a * d, and 0 where d is 0 and a infinite: the result does not depend on a variable that d does not depend on.
template <class T>
XGRAD_INLINE T times(T a, T d) {
  return elementary::select(d == T(0), T(0), a * d);
}

/// `chain` for a derivative that may be infinite.
template <class T, int N>
XGRAD_INLINE dual<T, N> chain_with_pole(const dual<T, N>& x, T value, T derivative) {
  return detail::make<T, N>(value, [&](int i) XGRAD_INLINED { return times(derivative, x.d[i]); });
}

/// f(x, y) from its value and its two derivatives.
template <class T, int N>
XGRAD_INLINE dual<T, N> chain(const dual<T, N>& x, const dual<T, N>& y, T value, T by_x, T by_y) {
  return detail::make<T, N>(value, [&](int i) XGRAD_INLINED { return times(by_x, x.d[i]) + times(by_y, y.d[i]); });
}

template <class T, int N>
XGRAD_INLINE dual<T, N> select(bool condition, const dual<T, N>& a, const dual<T, N>& b) {
  return detail::make<T, N>(condition ? a.v : b.v, [&](int i) XGRAD_INLINED { return condition ? a.d[i] : b.d[i]; });
}

}  // namespace detail

// Arithmetic. A number takes the type of the dual: 0.5 * x is float where x is.

template <class T, int N>
XGRAD_INLINE dual<T, N> operator+(const dual<T, N>& a) {
  return a;
}
template <class T, int N>
XGRAD_INLINE dual<T, N> operator-(const dual<T, N>& a) {
  return detail::make<T, N>(-a.v, [&](int i) XGRAD_INLINED { return -a.d[i]; });
}

template <class T, int N>
XGRAD_INLINE dual<T, N> operator+(const dual<T, N>& a, const dual<T, N>& b) {
  return detail::make<T, N>(a.v + b.v, [&](int i) XGRAD_INLINED { return a.d[i] + b.d[i]; });
}
template <class T, int N>
XGRAD_INLINE dual<T, N> operator-(const dual<T, N>& a, const dual<T, N>& b) {
  return detail::make<T, N>(a.v - b.v, [&](int i) XGRAD_INLINED { return a.d[i] - b.d[i]; });
}
template <class T, int N>
XGRAD_INLINE dual<T, N> operator*(const dual<T, N>& a, const dual<T, N>& b) {
  return detail::make<T, N>(a.v * b.v, [&](int i) XGRAD_INLINED { return a.v * b.d[i] + a.d[i] * b.v; });
}
template <class T, int N>
XGRAD_INLINE dual<T, N> operator/(const dual<T, N>& a, const dual<T, N>& b) {
  const T quotient = a.v / b.v;
  return detail::make<T, N>(quotient, [&](int i) XGRAD_INLINED {
    const T numerator = a.d[i] - detail::times(quotient, b.d[i]);
    return elementary::select(numerator == T(0), T(0), numerator / b.v);
  });
}

template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> operator+(const dual<T, N>& a, A b) {
  dual<T, N> r = a;
  r.v += static_cast<T>(b);
  return r;
}
template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> operator+(A a, const dual<T, N>& b) {
  return b + a;
}
template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> operator-(const dual<T, N>& a, A b) {
  dual<T, N> r = a;
  r.v -= static_cast<T>(b);
  return r;
}
template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> operator-(A a, const dual<T, N>& b) {
  return detail::chain(b, static_cast<T>(a) - b.v, T(-1));
}
template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> operator*(const dual<T, N>& a, A b) {
  return detail::chain(a, a.v * static_cast<T>(b), static_cast<T>(b));
}
template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> operator*(A a, const dual<T, N>& b) {
  return b * a;
}
template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> operator/(const dual<T, N>& a, A b) {
  return detail::make<T, N>(a.v / static_cast<T>(b), [&](int i) XGRAD_INLINED { return a.d[i] / static_cast<T>(b); });
}
template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> operator/(A a, const dual<T, N>& b) {
  const T v = static_cast<T>(a) / b.v;
  return detail::chain_with_pole(b, v, -v / b.v);
}

template <class T, int N, class B>
XGRAD_INLINE dual<T, N>& operator+=(dual<T, N>& a, const B& b) {
  return a = a + b;
}
template <class T, int N, class B>
XGRAD_INLINE dual<T, N>& operator-=(dual<T, N>& a, const B& b) {
  return a = a - b;
}
template <class T, int N, class B>
XGRAD_INLINE dual<T, N>& operator*=(dual<T, N>& a, const B& b) {
  return a = a * b;
}
template <class T, int N, class B>
XGRAD_INLINE dual<T, N>& operator/=(dual<T, N>& a, const B& b) {
  return a = a / b;
}

// Comparisons are of values.

#define XGRAD_COMPARISON(op)                                                      \
  template <class T, int N>                                                       \
  XGRAD_INLINE mask<T, N> operator op(const dual<T, N>& a, const dual<T, N>& b) { \
    return {a.v op b.v};                                                          \
  }                                                                               \
  template <class T, int N, Number A>                                             \
  XGRAD_INLINE mask<T, N> operator op(const dual<T, N>& a, A b) {                 \
    return {a.v op static_cast<T>(b)};                                            \
  }                                                                               \
  template <class T, int N, Number A>                                             \
  XGRAD_INLINE mask<T, N> operator op(A a, const dual<T, N>& b) {                 \
    return {static_cast<T>(a) op b.v};                                            \
  }
XGRAD_COMPARISON(<)
XGRAD_COMPARISON(<=)
XGRAD_COMPARISON(>)
XGRAD_COMPARISON(>=)
XGRAD_COMPARISON(==)
XGRAD_COMPARISON(!=)
#undef XGRAD_COMPARISON

template <class T, int N>
XGRAD_INLINE mask<T, N> operator&&(mask<T, N> a, mask<T, N> b) {
  return {elementary::both(a.v, b.v)};
}
template <class T, int N>
XGRAD_INLINE mask<T, N> operator||(mask<T, N> a, mask<T, N> b) {
  return {elementary::either(a.v, b.v)};
}
template <class T, int N>
XGRAD_INLINE mask<T, N> operator!(mask<T, N> a) {
  return {!a.v};
}

/// a where the mask is true, b elsewhere; each a dual or a number. The derivative is that of the chosen one alone.
template <class T, int N, class A, class B>
XGRAD_INLINE dual<T, N> where(mask<T, N> condition, const A& a, const B& b) {
  return detail::select(condition.v, detail::lift<T, N>(a), detail::lift<T, N>(b));
}

namespace detail {

// Derivatives of atan and atan2, for duals and tensors alike, without squares that overflow or vanish.

/// 1 / (1 + x^2)
template <class X>
XGRAD_INLINE X atan_slope(const X& x) {
  constexpr double scale = 0x1p-26;  // x^2 may then leave the range of float only where the result is 0
  const auto scaled = x * scale;
  return scale * scale / (scaled * scaled + scale * scale);
}

template <class X>
struct Atan2Slopes {
  X by_y, by_x;
};
/// x / (x^2 + y^2) and -y / (x^2 + y^2), 0 where both are 0.
template <class X>
XGRAD_INLINE Atan2Slopes<X> atan2_slopes(const X& y, const X& x) {
  const auto steep = abs(y) > abs(x), origin = y == 0 && x == 0;
  const X longer = where(origin, 1, where(steep, y, x)), ratio = where(steep, x, y) / longer;
  const X far = 0.5 / (0.5 * longer + 0.5 * ratio * where(steep, x, y)), near = ratio * far;
  return {where(origin, 0, where(steep, near, far)), where(origin, 0, -where(steep, far, near))};
}

}  // namespace detail

// Functions of one number.

template <class T, int N>
XGRAD_INLINE dual<T, N> exp(const dual<T, N>& x) {
  const T y = elementary::exp(x.v);
  return detail::chain(x, y, y);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> expm1(const dual<T, N>& x) {
  const T y = elementary::expm1(x.v);
  return detail::chain(x, y, y + T(1));
}
template <class T, int N>
XGRAD_INLINE dual<T, N> log(const dual<T, N>& x) {
  return detail::chain_with_pole(x, elementary::log(x.v), T(1) / x.v);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> log1p(const dual<T, N>& x) {
  return detail::chain_with_pole(x, elementary::log1p(x.v), T(1) / (T(1) + x.v));
}
/// sqrt'(0) is infinite.
template <class T, int N>
XGRAD_INLINE dual<T, N> sqrt(const dual<T, N>& x) {
  const T y = elementary::sqrt(x.v);
  return detail::chain_with_pole(x, y, T(0.5) / y);
}
/// 1 / sqrt(x)
template <class T, int N>
XGRAD_INLINE dual<T, N> rsqrt(const dual<T, N>& x) {
  const T y = T(1) / elementary::sqrt(x.v);
  return detail::chain_with_pole(x, y, T(-0.5) * y * y * y);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> square(const dual<T, N>& x) {
  return detail::chain(x, x.v * x.v, T(2) * x.v);
}
/// sin, cos and tan are NaN beyond |x| = 2^31.
template <class T, int N>
XGRAD_INLINE dual<T, N> sin(const dual<T, N>& x) {
  const auto [s, c] = elementary::circular(x.v);
  return detail::chain(x, s, c);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> cos(const dual<T, N>& x) {
  const auto [s, c] = elementary::circular(x.v);
  return detail::chain(x, c, -s);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> tan(const dual<T, N>& x) {
  const auto [s, c] = elementary::circular(x.v);
  const T y = s / c;
  return detail::chain(x, y, T(1) + y * y);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> asin(const dual<T, N>& x) {
  return detail::chain_with_pole(x, elementary::asin(x.v), T(1) / elementary::sqrt((T(1) - x.v) * (T(1) + x.v)));
}
template <class T, int N>
XGRAD_INLINE dual<T, N> acos(const dual<T, N>& x) {
  return detail::chain_with_pole(x, elementary::acos(x.v), T(-1) / elementary::sqrt((T(1) - x.v) * (T(1) + x.v)));
}
template <class T, int N>
XGRAD_INLINE dual<T, N> atan(const dual<T, N>& x) {
  return detail::chain(x, elementary::atan(x.v), detail::atan_slope(real<T>{x.v}).v);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> sinh(const dual<T, N>& x) {
  const auto [s, c] = elementary::hyperbolic(x.v);
  return detail::chain(x, s, c);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> cosh(const dual<T, N>& x) {
  const auto [s, c] = elementary::hyperbolic(x.v);
  return detail::chain(x, c, s);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> tanh(const dual<T, N>& x) {
  const T y = elementary::tanh(x.v);
  return detail::chain(x, y, T(1) - y * y);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> sigmoid(const dual<T, N>& x) {
  const T y = elementary::sigmoid(x.v);
  return detail::chain(x, y, y * (T(1) - y));
}
/// log(1 + exp(x))
template <class T, int N>
XGRAD_INLINE dual<T, N> softplus(const dual<T, N>& x) {
  const T y = elementary::softplus(x.v);
  if constexpr (N == 0)
    return {y};
  else
    return detail::chain(x, y, elementary::sigmoid(x.v));
}
template <class T, int N>
XGRAD_INLINE dual<T, N> erf(const dual<T, N>& x) {
  const T y = elementary::erf(x.v);
  if constexpr (N == 0)
    return {y};
  else
    return detail::chain(x, y, T(1.12837916709551257390) * elementary::gaussian(x.v));
}
template <class T, int N>
XGRAD_INLINE dual<T, N> erfc(const dual<T, N>& x) {
  const T y = elementary::erfc(x.v);
  if constexpr (N == 0)
    return {y};
  else
    return detail::chain(x, y, T(-1.12837916709551257390) * elementary::gaussian(x.v));
}
/// Of double, and its derivative, by calls for one number at a time.
template <class T, int N>
XGRAD_INLINE dual<T, N> lgamma(const dual<T, N>& x) {
  const T y = elementary::lgamma(x.v);
  if constexpr (N == 0)
    return {y};
  else
    return detail::chain_with_pole(x, y, static_cast<T>(elementary::digamma(x.v)));
}
/// The derivative of lgamma. One number at a time.
template <class T, int N>
XGRAD_INLINE dual<T, N> digamma(const dual<T, N>& x) {
  const T y = static_cast<T>(elementary::digamma(x.v));
  if constexpr (N == 0)
    return {y};
  else
    return detail::chain_with_pole(x, y, static_cast<T>(elementary::polygamma(1, x.v)));
}
/// The n-th derivative of digamma, n at most 63. One number at a time.
template <class T, int N>
XGRAD_INLINE dual<T, N> polygamma(int n, const dual<T, N>& x) {
  const T y = static_cast<T>(elementary::polygamma(n, x.v));
  if constexpr (N == 0)
    return {y};
  else
    return detail::chain_with_pole(x, y, static_cast<T>(elementary::polygamma(n + 1, x.v)));
}
/// abs'(0) is 0.
template <class T, int N>
XGRAD_INLINE dual<T, N> abs(const dual<T, N>& x) {
  return detail::chain(x, elementary::abs(x.v), x.v > T(0) ? T(1) : x.v < T(0) ? T(-1) : T(0));
}
/// -1, 0 or 1 (0 for NaN); derivative 0.
template <class T, int N>
XGRAD_INLINE dual<T, N> sign(const dual<T, N>& x) {
  return detail::constant<T, N>(x.v > T(0) ? T(1) : x.v < T(0) ? T(-1) : T(0));
}
/// Derivative 0.
template <class T, int N>
XGRAD_INLINE dual<T, N> floor(const dual<T, N>& x) {
  return detail::constant<T, N>(elementary::floor(x.v));
}
/// relu'(0) is 0. NaN stays NaN.
template <class T, int N>
XGRAD_INLINE dual<T, N> relu(const dual<T, N>& x) {
  return detail::select(x.v <= T(0), detail::constant<T, N>(T(0)), x);
}
/// x brought into [low, high]. The derivative is 1 between the bounds and on them, 0 outside. NaN stays NaN, and all is
/// NaN where a bound is.
template <class T, int N, Number A, Number B>
XGRAD_INLINE dual<T, N> clamp(const dual<T, N>& x, A low, B high) {
  const T a = static_cast<T>(low), b = static_cast<T>(high);
  T y = x.v < a ? a : x.v;
  y = y > b ? b : y;
  y = elementary::select(elementary::either(a != a, b != b), elementary::Format<T>::nan, y);
  return detail::chain(x, y, elementary::both(x.v >= a, x.v <= b) ? T(1) : T(0));
}

// Functions of two numbers, of which one may be a plain number.

namespace detail {
/// The dual type of two operands of which at least one is a dual.
template <class A, class B>
struct DualOf {};
template <class T, int N>
struct DualOf<dual<T, N>, dual<T, N>> {
  using type = dual<T, N>;
};
template <class T, int N, Number A>
struct DualOf<dual<T, N>, A> {
  using type = dual<T, N>;
};
template <class T, int N, Number A>
struct DualOf<A, dual<T, N>> {
  using type = dual<T, N>;
};

template <class L>
struct As;
template <class T, int N>
struct As<dual<T, N>> {
  template <class A>
  [[gnu::always_inline]] static dual<T, N> of(const A& a) {
    return lift<T, N>(a);
  }
};
template <class L, class A>
XGRAD_INLINE L as(const A& a) {
  return As<L>::of(a);
}

template <class T, int N>
XGRAD_INLINE dual<T, N> maximum(const dual<T, N>& a, const dual<T, N>& b) {
  const T tie = a.v == b.v ? T(0.5) : T(1);  // NaN, which is neither less nor equal, goes to both
  return chain(a, b, elementary::either(a.v > b.v, a.v != a.v) ? a.v : b.v, a.v < b.v ? T(0) : tie,
               a.v > b.v ? T(0) : tie);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> minimum(const dual<T, N>& a, const dual<T, N>& b) {
  const T tie = a.v == b.v ? T(0.5) : T(1);
  return chain(a, b, elementary::either(a.v < b.v, a.v != a.v) ? a.v : b.v, a.v > b.v ? T(0) : tie,
               a.v < b.v ? T(0) : tie);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> atan2(const dual<T, N>& y, const dual<T, N>& x) {
  const auto slopes = atan2_slopes(real<T>{y.v}, real<T>{x.v});
  return chain(y, x, elementary::atan2(y.v, x.v), slopes.by_y.v, slopes.by_x.v);
}
template <class T, int N>
XGRAD_INLINE dual<T, N> power(const dual<T, N>& x, T y) {
  if (y == T(0)) return constant<T, N>(T(1));
  if (y == T(1)) return x;
  if (y == T(2)) return chain(x, x.v * x.v, T(2) * x.v);
  if (y == T(3)) return chain(x, x.v * x.v * x.v, T(3) * x.v * x.v);
  if (y == T(-1)) return T(1) / x;
  const T value = elementary::pow(x.v, y);
  if constexpr (N == 0)
    return {value};
  else
    return chain_with_pole(x, value, y * elementary::pow(x.v, y - T(1)));
}
template <class T, int N>
XGRAD_INLINE dual<T, N> power(const dual<T, N>& x, const dual<T, N>& y) {
  const T value = elementary::pow(x.v, y.v);
  if constexpr (N == 0) {
    return {value};
  } else {
    const T by_x = elementary::select(y.v == T(0), T(0), y.v * elementary::pow(x.v, y.v - T(1)));
    const T by_y = elementary::select(elementary::both(x.v == T(0), y.v >= T(0)), T(0), value * elementary::log(x.v));
    return chain(x, y, value, by_x, by_y);
  }
}
}  // namespace detail

/// The larger of two; NaN if either is. Where they are equal each gets half of the derivative.
template <class A, class B, class L = typename detail::DualOf<A, B>::type>
XGRAD_INLINE L maximum(const A& a, const B& b) {
  return detail::maximum(detail::as<L>(a), detail::as<L>(b));
}
/// The smaller of two; NaN if either is. Where they are equal each gets half of the derivative.
template <class A, class B, class L = typename detail::DualOf<A, B>::type>
XGRAD_INLINE L minimum(const A& a, const B& b) {
  return detail::minimum(detail::as<L>(a), detail::as<L>(b));
}
/// maximum.
template <class A, class B, class L = typename detail::DualOf<A, B>::type>
XGRAD_INLINE L max(const A& a, const B& b) {
  return detail::maximum(detail::as<L>(a), detail::as<L>(b));
}
/// minimum.
template <class A, class B, class L = typename detail::DualOf<A, B>::type>
XGRAD_INLINE L min(const A& a, const B& b) {
  return detail::minimum(detail::as<L>(a), detail::as<L>(b));
}
/// The angle of the point (x, y).
template <class A, class B, class L = typename detail::DualOf<A, B>::type>
XGRAD_INLINE L atan2(const A& y, const B& x) {
  return detail::atan2(detail::as<L>(y), detail::as<L>(x));
}
/// x to the power y; the derivative by x is 0 where y is 0, the derivative by y is 0 where x is 0 and y >= 0. For
/// double and exponents other than the literals -1, 0, 1, 2 and 3 it calls libm, one number at a time.
template <class T, int N, Number A>
XGRAD_INLINE dual<T, N> pow(const dual<T, N>& x, A y) {
  return detail::power(x, static_cast<T>(y));
}
template <class A, class T, int N>
requires(Number<A> || std::is_same_v<A, dual<T, N>>) XGRAD_INLINE dual<T, N> pow(const A& x, const dual<T, N>& y) {
  return detail::power(detail::lift<T, N>(x), y);
}

#undef XGRAD_INLINED
#undef XGRAD_INLINE

}  // namespace xgrad
