#pragma once
// Elementary functions, element by element. Integer tensors are converted to float32 first. What is not defined is NaN:
// the logarithm and square root of negative numbers.

#include "../autograd/operand.hpp"

namespace xgrad {

/// e^x
Tensor exp(Operand x);
/// e^x - 1, exact for small x.
Tensor expm1(Operand x);
/// The natural logarithm.
Tensor log(Operand x);
/// log(1 + x), exact for small x.
Tensor log1p(Operand x);
/// The square root, with an infinite derivative at 0.
Tensor sqrt(Operand x);
/// 1 / sqrt(x)
Tensor rsqrt(Operand x);
/// Of an angle in radians.
Tensor sin(Operand x);
Tensor cos(Operand x);
Tensor tan(Operand x);
/// The angle whose sine, or cosine, is x: in [-pi/2, pi/2], or [0, pi]; NaN where |x| > 1. Infinite derivatives at 1,
/// -1.
Tensor asin(Operand x);
Tensor acos(Operand x);
/// The angle in (-pi/2, pi/2) whose tangent is x.
Tensor atan(Operand x);
/// The angle of the point (x, y), in [-pi, pi]. The tensors broadcast together.
Tensor atan2(Operand y, Operand x);
/// The hyperbolic sine and cosine.
Tensor sinh(Operand x);
Tensor cosh(Operand x);
/// The hyperbolic tangent.
Tensor tanh(Operand x);
/// 1 / (1 + e^-x)
Tensor sigmoid(Operand x);
/// The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
Tensor erf(Operand x);
/// 1 - erf(x), exact where that is small.
Tensor erfc(Operand x);
/// The logarithm of |gamma(x)|, its derivative digamma, and the n-th derivative of digamma (Error unless 0 <= n <= 64).
Tensor lgamma(Operand x);
Tensor digamma(Operand x);
Tensor polygamma(std::int64_t n, Operand x);
/// The largest integer that is not above x; a tensor of integers is given back as it is. The derivative is 0.
Tensor floor(Operand x);

}  // namespace xgrad
