#include "lane_math.hpp"

#include <math.h>  // lgamma_r, which unlike lgamma has no global state

#include <cmath>
#include <numbers>

namespace xgrad::lane_math {

namespace {
volatile std::uint32_t zero = 0;
}
extern const std::uint32_t unknown_zero32;
extern const std::uint64_t unknown_zero64;
const std::uint32_t unknown_zero32 =
    zero;  // read when the program starts, so that link-time optimisation learns nothing
const std::uint64_t unknown_zero64 = zero;

float lgamma(float x) {
  int sign;
  return ::lgammaf_r(x, &sign);
}

double lgamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

double digamma(double x) {
  if (x == 0) return std::copysign(Format<double>::infinity, -x);
  double y = 0;
  if (x < 0) {
    if (x == std::floor(x)) return Format<double>::nan;
    // The fraction is taken first: pi x would lose its digits.
    y = -std::numbers::pi / std::tan(std::numbers::pi * (x - std::floor(x)));
    x = 1 - x;
  }
  for (; x < 10; ++x) y -= 1 / x;
  const double z = 1 / (x * x);  // asymptotic series with Bernoulli numbers
  const double series = polynomial(z, 1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12);
  return y + std::log(x) - 0.5 / x - (std::isinf(x) ? 0 : z * series);
}

}  // namespace xgrad::lane_math
