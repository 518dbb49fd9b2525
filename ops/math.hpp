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
/// Of an angle in radians; NaN where |x| > 2^31.
Tensor sin(Operand x);
Tensor cos(Operand x);
Tensor tan(Operand x);
/// The hyperbolic tangent.
Tensor tanh(Operand x);
/// 1 / (1 + e^-x)
Tensor sigmoid(Operand x);
/// The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
Tensor erf(Operand x);

}  // namespace xgrad
