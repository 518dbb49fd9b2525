#include "special.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "elementary.hpp"

namespace xgrad::elementary {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Of p in (0, 1): the x with erfc(x) = 2 p (P. J. Acklam's approximation of the normal quantile, to 1e-9).
double start_of_erfinv(double p) {
  const double q = p - 0.5;
  if (std::abs(q) <= 0.47575) {
    const double r = q * q;
    return -q *
           polynomial(r, 2.506628277459239e+00, -3.066479806614716e+01, 1.383577518672690e+02, -2.759285104469687e+02,
                      2.209460984245205e+02, -3.969683028665376e+01) /
           polynomial(r, 1.0, -1.328068155288572e+01, 6.680131188771972e+01, -1.556989798598866e+02,
                      1.615858368580409e+02, -5.447609879822406e+01) *
           std::numbers::sqrt2 / 2;
  }
  const double t = std::sqrt(-2 * std::log(p < 0.5 ? p : 1 - p));
  const double x =
      polynomial(t, 2.938163982698783e+00, 4.374664141464968e+00, -2.549732539343734e+00, -2.400758277161838e+00,
                 -3.223964580411365e-01, -7.784894002430293e-03) /
      polynomial(t, 1.0, 3.754408661907416e+00, 2.445134137142996e+00, 3.224671290700398e-01, 7.784695709041462e-03);
  return (p < 0.5 ? -x : x) * std::numbers::sqrt2 / 2;
}

/// The sum of (x/2)^(2k) / (k! (k + order)!), all terms positive.
double bessel_series(int order, double x) {
  const double z = 0.25 * x * x;
  double term = 1, sum = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) sum += term *= z / (k * (k + order));
  return sum;
}

/// sqrt(2 pi x) e^-x I(x) for x >= 30, by Hankel's expansion.
double bessel_expansion(int order, double x) {
  const double mu = 4.0 * order * order;
  double term = 1, sum = 1;
  for (int k = 1; k < 40 && std::abs(term) > 1e-17; ++k) {
    const double odd = 2 * k - 1;
    sum += term *= -(mu - odd * odd) / (8 * k * x);
  }
  return sum;
}

constexpr double large = 30;

double bessel_e(int order, double x) {
  const double a = std::abs(x);
  double y;
  if (a == infinity)
    y = 0;
  else if (a > large)
    y = bessel_expansion(order, a) / std::sqrt(2 * std::numbers::pi * a);
  else
    y = std::exp(-a) * bessel_series(order, a) * (order == 0 ? 1 : 0.5 * a);
  return order == 1 ? std::copysign(y, x) : y;
}

double bessel(int order, double x) {
  const double a = std::abs(x);
  if (a <= large) return bessel_series(order, a) * (order == 0 ? 1 : 0.5 * x);
  if (a == infinity) return order == 1 ? x : a;
  const double half = std::exp(0.5 * a);  // e^a overflows before I(a) does
  const double y = half * (bessel_expansion(order, a) / std::sqrt(2 * std::numbers::pi * a)) * half;
  return order == 1 ? std::copysign(y, x) : y;
}

}  // namespace

double erfinv(double y) {
  if (std::abs(y) == 1) return std::copysign(infinity, y);
  if (!(std::abs(y) < 1)) return std::numeric_limits<double>::quiet_NaN();
  const double a = std::abs(y), rest = 1 - a;  // exact from 1/2 on
  if (a < 1e-8) return y * (std::sqrt(std::numbers::pi) / 2);
  double x = std::abs(start_of_erfinv(0.5 * rest));
  // Halley's method, on the difference of what is small.
  for (int i = 0; i < 2; ++i) {
    const double off = a > 0.5 ? rest - std::erfc(x) : std::erf(x) - a;
    const double step = off / (2 * std::numbers::inv_sqrtpi * std::exp(-x * x));
    x -= step / (1 + x * step);
  }
  return std::copysign(x, y);
}

double i0(double x) { return bessel(0, x); }
double i1(double x) { return bessel(1, x); }
double i0e(double x) { return bessel_e(0, x); }
double i1e(double x) { return bessel_e(1, x); }

double sinc(int n, double x) {
  const double u = std::numbers::pi * x, scale = std::pow(std::numbers::pi, n);
  if (std::abs(u) < n + 1) {
    // The sum over even m >= n of (-1)^(m/2) u^(m-n) / ((m+1) (m-n)!)
    double sum = 0, power = n % 2 == 0 ? 1 : u;
    for (int m = n + n % 2; m < n + 40; m += 2) {
      sum += (m % 4 == 0 ? power : -power) / (m + 1);
      power *= u * u / ((m - n + 1.0) * (m - n + 2.0));
    }
    return scale * sum;
  }
  // By u f^(n) + n f^(n-1) = sin^(n). What x is off the nearest integer is exact.
  if (std::isinf(x)) return 0;
  const double nearest = std::nearbyint(x), angle = std::numbers::pi * (x - nearest);
  const double sign = std::fmod(nearest, 2) == 0 ? 1 : -1, s = sign * std::sin(angle), c = sign * std::cos(angle);
  const double derivatives[] = {s, c, -s, -c};
  double f = s / u;
  for (int k = 1; k <= n; ++k) f = (derivatives[k % 4] - k * f) / u;
  return scale * f;
}

double stirling_rest(double x) {
  const double z = 1 / (x * x);
  return polynomial(z, 1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156) / x;
}

double betaln(double a, double b) {
  if (a > b) return betaln(b, a);
  if (!(b >= 10) || std::isinf(b) || a <= 0) return lgamma(a) + lgamma(b) - lgamma(a + b);
  const double of_sum = stirling_rest(b) - stirling_rest(a + b);
  if (a < 10) return lgamma(a) + of_sum + (a - (a + b - 0.5) * std::log1p(a / b)) - a * std::log(b);
  return stirling_rest(a) + of_sum + 0.5 * std::log(2 * std::numbers::pi / b) + (a - 0.5) * std::log(a / (a + b)) -
         b * std::log1p(a / b);
}

double beta(double a, double b) {
  if (a > 0 && b > 0 && (a >= 10 || b >= 10)) return std::exp(betaln(a, b));
  return std::tgamma(a) / std::tgamma(a + b) * std::tgamma(b);
}

double logaddexp(double a, double b) {
  if (a == b) return a + std::numbers::ln2;
  return std::fmax(a, b) + (std::isnan(a - b) ? a - b : std::log1p(std::exp(-std::abs(a - b))));
}

double logaddexp2(double a, double b) {
  if (a == b) return a + 1;
  return std::fmax(a, b) + (std::isnan(a - b) ? a - b : std::log1p(std::exp2(-std::abs(a - b))) * std::numbers::log2e);
}

double xlogy(double x, double y) {
  if (x == 0 && !std::isnan(y)) return 0;
  return x * std::log(y);
}

}  // namespace xgrad::elementary
