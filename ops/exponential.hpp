#pragma once
// Logarithms and powers of other bases, logarithms of sums, inverse hyperbolic functions and lengths, element by
// element. Integers are converted to float32 first; all is computed in float64, one number at a time, and rounded once.

#include "../autograd/operand.hpp"

namespace xgrad {

/// The logarithms to base 2 and 10; NaN for negative numbers. Exact for powers of the base.
Tensor log2(Operand x);
Tensor log10(Operand x);
/// 2^x
Tensor exp2(Operand x);
/// log(e^a + e^b) and log2(2^a + 2^b), without overflow.
Tensor logaddexp(Operand a, Operand b);
Tensor logaddexp2(Operand a, Operand b);
/// The number whose hyperbolic sine, cosine (x >= 1, else NaN) or tangent (|x| <= 1, else NaN) is x.
Tensor asinh(Operand x);
Tensor acosh(Operand x);
Tensor atanh(Operand x);
/// sqrt(a^2 + b^2), without overflow. The gradient at (0, 0) is 0.
Tensor hypot(Operand a, Operand b);

}  // namespace xgrad
