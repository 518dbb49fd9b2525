#include "elementary.hpp"

#include <math.h>  // lgamma_r, which unlike lgamma has no global state

#include <algorithm>
#include <cmath>
#include <numbers>

namespace xgrad::elementary {

namespace {
volatile std::uint32_t zero = 0;
}
extern const std::uint32_t unknown_zero32;
extern const std::uint64_t unknown_zero64;
const std::uint32_t unknown_zero32 =
    zero;  // read when the program starts, so that link-time optimisation learns nothing
const std::uint64_t unknown_zero64 = zero;

double lgamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

namespace {

// cot(pi x) for an x that is no integer. What x is off the nearest integer is exact; pi x would lose it.
double cotangent(double x) { return 1 / std::tan(std::numbers::pi * (x - std::round(x))); }

}  // namespace

double digamma(double x) {
  if (x == 0) return std::copysign(Format<double>::infinity, -x);
  double y = 0;
  if (x < 0) {
    if (x == std::floor(x)) return Format<double>::nan;
    y = -std::numbers::pi * cotangent(x);
    x = 1 - x;
  }
  for (; x < 10; ++x) y -= 1 / x;
  const double z = 1 / (x * x);  // asymptotic series with Bernoulli numbers
  const double series = polynomial(z, 1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12);
  return y + std::log(x) - 0.5 / x - (std::isinf(x) ? 0 : z * series);
}

namespace {

// The n-th derivative of pi cot(pi x), a polynomial in c = cot(pi x): the derivative of c is -pi (1 + c^2).
double cotangent_derivative(int n, double x) {
  double p[max_polygamma_order + 2] = {0, std::numbers::pi};  // coefficients of 1, c, c^2, ...
  for (int i = 0; i < n; ++i) {
    double next[max_polygamma_order + 2] = {};
    for (int k = 1; k <= i + 1; ++k) {
      next[k - 1] -= std::numbers::pi * k * p[k];
      next[k + 1] -= std::numbers::pi * k * p[k];
    }
    std::copy(next, next + n + 2, p);
  }
  const double c = cotangent(x);
  double y = p[n + 1];
  for (int k = n; k >= 0; --k) y = y * c + p[k];
  return y;
}

}  // namespace

double polygamma(int n, double x) {
  if (n == 0) return digamma(x);
  const double sign = n % 2 == 0 ? -1 : 1;
  if (x <= 0) {
    if (x == std::floor(x)) return sign * Format<double>::infinity;
    return -sign * polygamma(n, 1 - x) - cotangent_derivative(n, x);
  }
  if (std::isinf(x)) return 0 * sign;
  // n! (1 / x^(n+1) + 1 / (x+1)^(n+1) + ...): first terms one by one, the rest by the Euler-Maclaurin formula.
  const auto power = [n](double a) { return n == 1 ? (1 / a) * (1 / a) : std::pow(a, -n - 1); };
  double sum = 0;
  for (; x < 12 + n; ++x) sum += power(x);
  constexpr double bernoulli[] = {1.0 / 6,       -1.0 / 30, 1.0 / 42,      -1.0 / 30,     5.0 / 66,
                                  -691.0 / 2730, 7.0 / 6,   -3617.0 / 510, 43867.0 / 798, -174611.0 / 330};
  double rest = 1.0 / n + 0.5 / x, term = (n + 1) / (2 * x * x);  // term: (n+1) (n+2) ... (n+2k-1) / (2k)! / x^(2k)
  for (int k = 1; k <= 10; ++k) {
    rest += bernoulli[k - 1] * term;
    term *= (n + 2.0 * k) * (n + 2.0 * k + 1) / ((2.0 * k + 1) * (2.0 * k + 2) * x * x);
  }
  return sign * std::tgamma(n + 1.0) * (sum + rest * (n == 1 ? 1 / x : std::pow(x, -n)));
}

}  // namespace xgrad::elementary
