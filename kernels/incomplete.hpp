#pragma once
// The regularised incomplete gamma and beta functions, which are the distribution functions of gamma and beta
// variables, and how such a variable moves with its parameters at a fixed probability: implicit reparametrisation
// (Figurnov, Mohamed and Mnih 2018). Doubles, one at a time. The work grows with the square root of the parameters.

#include <utility>

namespace xgrad::elementary {

/// P(a, x), the integral of t^(a-1) e^-t / gamma(a) from 0 to x, and what is left of 1. NaN for a < 0 or x < 0; a = 0
/// is the limit.
double gammainc(double a, double x);
double gammaincc(double a, double x);
/// dP/dx, x^(a-1) e^-x / gamma(a).
double gamma_density(double a, double x);
/// The first or second derivative of P by a, for a > 0.
double gammainc_by_a(int order, double a, double x);
/// The x with P(a, x) = p, for a > 0.
double gammaincinv(double a, double p);
/// dx/da where gammainc(a, x) stays: of a sample x of a gamma variable of shape a.
double gamma_sample_slope(double a, double x);

/// I(a, b, x), the integral of t^(a-1) (1-t)^(b-1) / beta(a, b) from 0 to x. NaN unless a, b > 0 and 0 <= x <= 1.
/// `rest` is 1 - x, which the caller may know to more digits.
double betainc(double a, double b, double x, double rest);
/// Its derivative by a, `by_a` times, and by b, `by_b` times: one or two times together.
double betainc_by(int by_a, int by_b, double a, double b, double x, double rest);
/// The x with I(a, b, x) = p.
double betaincinv(double a, double b, double p);
/// The smallest count whose distribution function is not below p: of Poisson's distribution, and of n trials that
/// succeed with a chance. Infinite for p = 1 where there is no largest one.
double poisson_quantile(double rate, double p);
double binomial_quantile(double n, double chance, double p);
/// dx/da and dx/db where betainc(a, b, x) stays: of a sample x of a beta variable.
std::pair<double, double> beta_sample_slopes(double a, double b, double x, double rest);

}  // namespace xgrad::elementary
