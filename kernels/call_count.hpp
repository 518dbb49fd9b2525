#pragma once
// How much work a function written for duals is.

#include "dual.hpp"

namespace xgrad {

/// A dual without a value, which counts the functions called on it that take far longer than arithmetic.
struct CountedDual {
  int* calls;
};
struct CountedMask {
  int* calls;
};

namespace detail {
template <class A, class B>
concept CountedDuals = (std::is_same_v<A, CountedDual> && (std::is_same_v<B, CountedDual> || Number<B>)) ||
                       (Number<A> && std::is_same_v<B, CountedDual>);
constexpr CountedDual counted(CountedDual x) {
  ++*x.calls;
  return x;
}
constexpr int* calls_of(CountedDual x, const auto&) { return x.calls; }
constexpr int* calls_of(Number auto, CountedDual x) { return x.calls; }
}  // namespace detail

#define XGRAD_FREE(name) \
  constexpr CountedDual name(CountedDual x) { return x; }
XGRAD_FREE(operator+)
XGRAD_FREE(operator-)
XGRAD_FREE(sqrt)
XGRAD_FREE(rsqrt)
XGRAD_FREE(square)
XGRAD_FREE(abs)
XGRAD_FREE(sign)
XGRAD_FREE(floor)
XGRAD_FREE(relu)
#undef XGRAD_FREE

#define XGRAD_COUNTED(name) \
  constexpr CountedDual name(CountedDual x) { return detail::counted(x); }
XGRAD_COUNTED(exp)
XGRAD_COUNTED(expm1)
XGRAD_COUNTED(log)
XGRAD_COUNTED(log1p)
XGRAD_COUNTED(sin)
XGRAD_COUNTED(cos)
XGRAD_COUNTED(tan)
XGRAD_COUNTED(asin)
XGRAD_COUNTED(acos)
XGRAD_COUNTED(atan)
XGRAD_COUNTED(sinh)
XGRAD_COUNTED(cosh)
XGRAD_COUNTED(tanh)
XGRAD_COUNTED(sigmoid)
XGRAD_COUNTED(softplus)
XGRAD_COUNTED(erf)
XGRAD_COUNTED(erfc)
XGRAD_COUNTED(lgamma)
XGRAD_COUNTED(digamma)
#undef XGRAD_COUNTED
constexpr CountedDual polygamma(int, CountedDual x) { return detail::counted(x); }
constexpr CountedDual clamp(CountedDual x, Number auto, Number auto) { return x; }

#define XGRAD_BINARY(name, of)        \
  template <class A, class B>         \
  requires detail::CountedDuals<A, B> \
  constexpr auto name(A a, B b) { return of{detail::calls_of(a, b)}; }
XGRAD_BINARY(operator+, CountedDual)
XGRAD_BINARY(operator-, CountedDual)
XGRAD_BINARY(operator*, CountedDual)
XGRAD_BINARY(operator/, CountedDual)
XGRAD_BINARY(maximum, CountedDual)
XGRAD_BINARY(minimum, CountedDual)
XGRAD_BINARY(max, CountedDual)
XGRAD_BINARY(min, CountedDual)
XGRAD_BINARY(operator<, CountedMask)
XGRAD_BINARY(operator<=, CountedMask)
XGRAD_BINARY(operator>, CountedMask)
XGRAD_BINARY(operator>=, CountedMask)
XGRAD_BINARY(operator==, CountedMask)
XGRAD_BINARY(operator!=, CountedMask)
#undef XGRAD_BINARY
template <class A, class B>
requires detail::CountedDuals<A, B>
constexpr CountedDual atan2(A a, B b) { return detail::counted({detail::calls_of(a, b)}); }
template <class A, class B>
requires detail::CountedDuals<A, B>
constexpr CountedDual pow(A a, B b) {
  const CountedDual result{detail::calls_of(a, b)};
  if constexpr (Number<B>)
    if (b == B(0) || b == B(1) || b == B(2) || b == B(3)) return result;
  return detail::counted(result);
}

constexpr CountedMask operator&&(CountedMask a, CountedMask) { return a; }
constexpr CountedMask operator||(CountedMask a, CountedMask) { return a; }
constexpr CountedMask operator!(CountedMask a) { return a; }
constexpr CountedDual where(CountedMask condition, const auto&, const auto&) { return {condition.calls}; }

constexpr CountedDual& operator+=(CountedDual& a, const auto&) { return a; }
constexpr CountedDual& operator-=(CountedDual& a, const auto&) { return a; }
constexpr CountedDual& operator*=(CountedDual& a, const auto&) { return a; }
constexpr CountedDual& operator/=(CountedDual& a, const auto&) { return a; }

}  // namespace xgrad
