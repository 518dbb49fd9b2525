#pragma once
// A tensor as argument of a function written for duals: it has the functions of a dual (see kernels/dual.hpp) with
// their meaning, `max` of two numbers for one, and records what is called on it.

#include "../autograd/create.hpp"
#include "../kernels/dual.hpp"
#include "activation.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "math.hpp"

namespace xgrad {

/// What a lambda for elementwise() is given to find derivatives of its derivative.
struct TensorDual {
  Tensor v;
};

/// A comparison of them. It knows the dtype that `where` gives numbers.
struct TensorMask {
  Tensor v;
  DType dtype;
};

namespace detail {

inline TensorDual tensor_dual(Number auto number, DType dtype) {
  return {full({}, static_cast<double>(number), {.dtype = dtype})};
}
inline const TensorDual& tensor_dual(const TensorDual& x, DType) { return x; }

template <class A, class B>
concept TensorDuals = (std::is_same_v<A, TensorDual> && (std::is_same_v<B, TensorDual> || Number<B>)) ||
                      (Number<A> && std::is_same_v<B, TensorDual>);

inline const Tensor& operand(const TensorDual& x) { return x.v; }
inline Scalar operand(Number auto x) { return x; }

inline DType dtype_of_duals(const TensorDual& x, const auto&) { return x.v.dtype(); }
inline DType dtype_of_duals(Number auto, const TensorDual& x) { return x.v.dtype(); }

}  // namespace detail

#define XGRAD_UNARY(name) \
  inline TensorDual name(const TensorDual& x) { return {name(x.v)}; }
XGRAD_UNARY(operator-)
XGRAD_UNARY(exp)
XGRAD_UNARY(expm1)
XGRAD_UNARY(log)
XGRAD_UNARY(log1p)
XGRAD_UNARY(sqrt)
XGRAD_UNARY(rsqrt)
XGRAD_UNARY(square)
XGRAD_UNARY(sin)
XGRAD_UNARY(cos)
XGRAD_UNARY(tan)
XGRAD_UNARY(asin)
XGRAD_UNARY(acos)
XGRAD_UNARY(atan)
XGRAD_UNARY(sinh)
XGRAD_UNARY(cosh)
XGRAD_UNARY(tanh)
XGRAD_UNARY(sigmoid)
XGRAD_UNARY(erf)
XGRAD_UNARY(erfc)
XGRAD_UNARY(lgamma)
XGRAD_UNARY(digamma)
XGRAD_UNARY(abs)
XGRAD_UNARY(sign)
XGRAD_UNARY(floor)
XGRAD_UNARY(relu)
#undef XGRAD_UNARY

inline TensorDual operator+(const TensorDual& x) { return x; }
inline TensorDual polygamma(int n, const TensorDual& x) { return {polygamma(n, x.v)}; }
/// Without the threshold of softplus of a tensor.
inline TensorDual softplus(const TensorDual& x) { return {softplus(x.v, 1, elementary::Format<double>::infinity)}; }
inline TensorDual clamp(const TensorDual& x, Number auto low, Number auto high) {
  return {clamp(x.v, Scalar(low), Scalar(high))};
}

#define XGRAD_BINARY(name)                                                     \
  template <class A, class B>                                                  \
  requires detail::TensorDuals<A, B> TensorDual name(const A& a, const B& b) { \
    return {name(detail::operand(a), detail::operand(b))};                     \
  }
XGRAD_BINARY(operator+)
XGRAD_BINARY(operator-)
XGRAD_BINARY(operator*)
XGRAD_BINARY(operator/)
XGRAD_BINARY(pow)
#undef XGRAD_BINARY

#define XGRAD_BINARY(name, of_tensors)                                                     \
  template <class A, class B>                                                              \
  requires detail::TensorDuals<A, B> TensorDual name(const A& a, const B& b) {             \
    const DType dtype = detail::dtype_of_duals(a, b);                                      \
    return {of_tensors(detail::tensor_dual(a, dtype).v, detail::tensor_dual(b, dtype).v)}; \
  }
XGRAD_BINARY(maximum, maximum)
XGRAD_BINARY(minimum, minimum)
XGRAD_BINARY(max, maximum)
XGRAD_BINARY(min, minimum)
XGRAD_BINARY(atan2, atan2)
#undef XGRAD_BINARY

#define XGRAD_COMPARISON(op)                                                          \
  template <class A, class B>                                                         \
  requires detail::TensorDuals<A, B> TensorMask operator op(const A& a, const B& b) { \
    return {detail::operand(a) op detail::operand(b), detail::dtype_of_duals(a, b)};  \
  }
XGRAD_COMPARISON(<)
XGRAD_COMPARISON(<=)
XGRAD_COMPARISON(>)
XGRAD_COMPARISON(>=)
XGRAD_COMPARISON(==)
XGRAD_COMPARISON(!=)
#undef XGRAD_COMPARISON

inline TensorMask operator&&(const TensorMask& a, const TensorMask& b) { return {a.v && b.v, a.dtype}; }
inline TensorMask operator||(const TensorMask& a, const TensorMask& b) { return {a.v || b.v, a.dtype}; }
inline TensorMask operator!(const TensorMask& a) { return {!a.v, a.dtype}; }

template <class A, class B>
requires(Number<A> || std::is_same_v<A, TensorDual>) && (Number<B> || std::is_same_v<B, TensorDual>)TensorDual
    where(const TensorMask& condition, const A& a, const B& b) {
  return {where(condition.v, detail::tensor_dual(a, condition.dtype).v, detail::tensor_dual(b, condition.dtype).v)};
}

inline TensorDual& operator+=(TensorDual& a, const auto& b) { return a = a + b; }
inline TensorDual& operator-=(TensorDual& a, const auto& b) { return a = a - b; }
inline TensorDual& operator*=(TensorDual& a, const auto& b) { return a = a * b; }
inline TensorDual& operator/=(TensorDual& a, const auto& b) { return a = a / b; }

}  // namespace xgrad
