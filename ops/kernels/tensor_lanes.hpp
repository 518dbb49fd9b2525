#pragma once
// A tensor as argument of a function written for lanes: it has the functions of a lane (see lanes.hpp) with their
// meaning, `max` of two numbers for one, and records what is called on it.

#include "../../autograd/create.hpp"
#include "../activation.hpp"
#include "../arithmetic.hpp"
#include "../comparison.hpp"
#include "../math.hpp"
#include "lanes.hpp"

namespace xgrad {

/// What a lambda for elementwise() is given to find derivatives of its derivative.
struct TensorLane {
  Tensor v;
};

/// A comparison of them. It knows the dtype that `where` gives numbers.
struct TensorMask {
  Tensor v;
  DType dtype;
};

namespace detail {

inline TensorLane tensor_lane(Number auto number, DType dtype) {
  return {full({}, static_cast<double>(number), {.dtype = dtype})};
}
inline const TensorLane& tensor_lane(const TensorLane& x, DType) { return x; }

template <class A, class B>
concept TensorLanes = (std::is_same_v<A, TensorLane> && (std::is_same_v<B, TensorLane> || Number<B>)) ||
                      (Number<A> && std::is_same_v<B, TensorLane>);

inline const Tensor& operand(const TensorLane& x) { return x.v; }
inline Scalar operand(Number auto x) { return x; }

inline DType dtype_of_lanes(const TensorLane& x, const auto&) { return x.v.dtype(); }
inline DType dtype_of_lanes(Number auto, const TensorLane& x) { return x.v.dtype(); }

}  // namespace detail

#define XGRAD_UNARY(name) \
  inline TensorLane name(const TensorLane& x) { return {name(x.v)}; }
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

inline TensorLane operator+(const TensorLane& x) { return x; }
inline TensorLane polygamma(int n, const TensorLane& x) { return {polygamma(n, x.v)}; }
/// Without the threshold of softplus of a tensor.
inline TensorLane softplus(const TensorLane& x) { return {softplus(x.v, 1, lane_math::Format<double>::infinity)}; }
inline TensorLane clamp(const TensorLane& x, Number auto low, Number auto high) {
  return {clamp(x.v, Scalar(low), Scalar(high))};
}

#define XGRAD_BINARY(name)                                                     \
  template <class A, class B>                                                  \
  requires detail::TensorLanes<A, B> TensorLane name(const A& a, const B& b) { \
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
  requires detail::TensorLanes<A, B> TensorLane name(const A& a, const B& b) {             \
    const DType dtype = detail::dtype_of_lanes(a, b);                                      \
    return {of_tensors(detail::tensor_lane(a, dtype).v, detail::tensor_lane(b, dtype).v)}; \
  }
XGRAD_BINARY(maximum, maximum)
XGRAD_BINARY(minimum, minimum)
XGRAD_BINARY(max, maximum)
XGRAD_BINARY(min, minimum)
XGRAD_BINARY(atan2, atan2)
#undef XGRAD_BINARY

#define XGRAD_COMPARISON(op)                                                          \
  template <class A, class B>                                                         \
  requires detail::TensorLanes<A, B> TensorMask operator op(const A& a, const B& b) { \
    return {detail::operand(a) op detail::operand(b), detail::dtype_of_lanes(a, b)};  \
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
requires(Number<A> || std::is_same_v<A, TensorLane>) && (Number<B> || std::is_same_v<B, TensorLane>)TensorLane
    where(const TensorMask& condition, const A& a, const B& b) {
  return {where(condition.v, detail::tensor_lane(a, condition.dtype).v, detail::tensor_lane(b, condition.dtype).v)};
}

inline TensorLane& operator+=(TensorLane& a, const auto& b) { return a = a + b; }
inline TensorLane& operator-=(TensorLane& a, const auto& b) { return a = a - b; }
inline TensorLane& operator*=(TensorLane& a, const auto& b) { return a = a * b; }
inline TensorLane& operator/=(TensorLane& a, const auto& b) { return a = a / b; }

}  // namespace xgrad
