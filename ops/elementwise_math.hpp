#pragma once
// The functions of exponential.hpp, special.hpp, rounding.hpp and division.hpp inside the lambdas of elementwise():
// log2 log10 exp2, asinh acosh atanh, erfinv i0 i1 i0e i1e sinc, ceil trunc round frac nan_to_num, and of two numbers
// hypot logaddexp logaddexp2 xlogy beta betaln gammainc gammaincc fmod remainder floor_divide. A loop with one of them
// is not vectorised.

#include "../kernels/call_count.hpp"
#include "../kernels/dual_math.hpp"
#include "division.hpp"
#include "elementwise.hpp"
#include "exponential.hpp"
#include "rounding.hpp"
#include "special.hpp"

namespace xgrad {

#define XGRAD_UNARY(name)                                             \
  inline TensorDual name(const TensorDual& x) { return {name(x.v)}; } \
  constexpr CountedDual name(CountedDual x) { return detail::counted(x); }
XGRAD_UNARY(log2)
XGRAD_UNARY(log10)
XGRAD_UNARY(exp2)
XGRAD_UNARY(asinh)
XGRAD_UNARY(acosh)
XGRAD_UNARY(atanh)
XGRAD_UNARY(erfinv)
XGRAD_UNARY(i0)
XGRAD_UNARY(i1)
XGRAD_UNARY(i0e)
XGRAD_UNARY(i1e)
XGRAD_UNARY(sinc)
XGRAD_UNARY(ceil)
XGRAD_UNARY(trunc)
XGRAD_UNARY(round)
XGRAD_UNARY(frac)
XGRAD_UNARY(nan_to_num)
#undef XGRAD_UNARY

inline TensorDual round(const TensorDual& x, int decimals) { return {round(x.v, decimals)}; }
constexpr CountedDual round(CountedDual x, int) { return detail::counted(x); }

#define XGRAD_BINARY(name)                                                           \
  template <class A, class B>                                                        \
  requires detail::TensorDuals<A, B> TensorDual name(const A& a, const B& b) {       \
    const DType dtype = detail::dtype_of_duals(a, b);                                \
    return {name(detail::tensor_dual(a, dtype).v, detail::tensor_dual(b, dtype).v)}; \
  }                                                                                  \
  template <class A, class B>                                                        \
  requires detail::CountedDuals<A, B>                                                \
  constexpr CountedDual name(A a, B b) { return detail::counted({detail::calls_of(a, b)}); }
XGRAD_BINARY(hypot)
XGRAD_BINARY(logaddexp)
XGRAD_BINARY(logaddexp2)
XGRAD_BINARY(xlogy)
XGRAD_BINARY(beta)
XGRAD_BINARY(betaln)
XGRAD_BINARY(gammainc)
XGRAD_BINARY(gammaincc)
XGRAD_BINARY(fmod)
XGRAD_BINARY(remainder)
XGRAD_BINARY(floor_divide)
#undef XGRAD_BINARY

}  // namespace xgrad
