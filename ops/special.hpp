#pragma once
// Special functions, element by element, as torch.special and scipy.special have them. Integers are converted to
// float32 first; all is computed in float64, one number at a time, and rounded once.

#include "../autograd/operand.hpp"

namespace xgrad {

/// The x with erf(x) = y: infinite at 1 and -1, NaN beyond.
Tensor erfinv(Operand y);
/// The modified Bessel functions of the first kind, of order 0 and 1.
Tensor i0(Operand x);
Tensor i1(Operand x);
/// e^-|x| times them, which does not overflow.
Tensor i0e(Operand x);
Tensor i1e(Operand x);
/// sin(pi x) / (pi x), 1 at 0.
Tensor sinc(Operand x);
/// x log(y), 0 where x is 0 (NaN where y is NaN).
Tensor xlogy(Operand x, Operand y);
/// The regularised incomplete gamma functions: the integral of t^(a-1) e^-t / gamma(a) from 0 to x, and from x on. NaN
/// for a < 0 or x < 0. Their derivatives, and those of the functions below, are of every order by x and p, and of the
/// first and second by the parameters (an Error where a third is wanted), in float64 to 1e-11 of their size for
/// parameters up to 1000.
Tensor gammainc(Operand a, Operand x);
Tensor gammaincc(Operand a, Operand x);
/// The x with gammainc(a, x) = p: infinite for p = 1, NaN for p outside [0, 1] and unless a > 0.
Tensor gammaincinv(Operand a, Operand p);
/// The regularised incomplete beta function: the integral of t^(a-1) (1-t)^(b-1) / beta(a, b) from 0 to x. NaN unless
/// a, b > 0 and 0 <= x <= 1.
Tensor betainc(Operand a, Operand b, Operand x);
/// The x with betainc(a, b, x) = p: NaN for p outside [0, 1].
Tensor betaincinv(Operand a, Operand b, Operand p);
/// gamma(a) gamma(b) / gamma(a + b), and the logarithm of its absolute value.
Tensor beta(Operand a, Operand b);
Tensor betaln(Operand a, Operand b);

}  // namespace xgrad
