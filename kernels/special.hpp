#pragma once
// Special functions of doubles, one number at a time: not vectorised. Right to a few units in the last place where the
// function is not near a zero of its own.

namespace xgrad::elementary {

/// The x with erf(x) = y: infinite at 1 and -1, NaN beyond.
double erfinv(double y);

/// Modified Bessel functions of the first kind, of order 0 and 1, and e^-|x| times them.
double i0(double x);
double i1(double x);
double i0e(double x);
double i1e(double x);

/// The n-th derivative of sin(pi x) / (pi x).
double sinc(int n, double x);

/// log(gamma(x)) - ((x - 1/2) log(x) - x + log(2 pi) / 2), for x >= 10.
double stirling_rest(double x);
/// log |gamma(a) gamma(b) / gamma(a + b)|, without cancellation where a or b is large.
double betaln(double a, double b);
double beta(double a, double b);

/// log(e^a + e^b), log2(2^a + 2^b) and x log(y), which is 0 where x is.
double logaddexp(double a, double b);
double logaddexp2(double a, double b);
double xlogy(double x, double y);

}  // namespace xgrad::elementary
