#include "location_scale.hpp"

#include <cmath>
#include <numbers>

#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/math.hpp"
#include "../ops/special.hpp"
#include "draws.hpp"

namespace xgrad::distributions {

namespace {

using std::numbers::pi;
constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

/// x, and in place of 0 a number whose square is not 0.
Tensor beside_zero(const Tensor& x) { return x + where(x == 0, x.dtype() == float64 ? 1e-100 : 1e-15, zeros_like(x)); }

Tensor normal_cdf(const Tensor& z) { return 0.5 * erfc(z * -std::sqrt(0.5)); }

/// Exponential variables of rate 1.
Tensor exponentials(const Shape& shape, DType dtype, const SampleOptions& options) {
  return -log1p(-detail::uniform(shape, float64, options)).to(dtype);
}

}  // namespace

LocationScale::LocationScale(const char* op, const Parameter& location, const Parameter& width) {
  detail::broadcast(op, {location, width}, {&loc, &scale});
  detail::expect_all(op, "scale", scale > 0, "not above 0");
}

Tensor LocationScale::standardized(const Tensor& value) const { return (value - loc) / scale; }

Tensor Normal::rsample(const Shape& shape, const SampleOptions& options) const {
  return loc + scale * detail::normal(detail::joined(shape, batch_shape()), loc.dtype(), options);
}
Tensor Normal::log_prob(const Tensor& value) const {
  return -0.5 * square(standardized(value)) - log(scale) - 0.5 * std::log(2 * pi);
}
Tensor Normal::cdf(const Tensor& value) const { return normal_cdf(standardized(value)); }
Tensor Normal::icdf(const Tensor& probability) const {
  return loc + scale * (std::numbers::sqrt2 * erfinv(2 * probability - 1));
}
Tensor Normal::entropy() const { return log(scale) + (0.5 + 0.5 * std::log(2 * pi)); }
Tensor Normal::variance() const { return square(scale); }

Tensor LogNormal::rsample(const Shape& shape, const SampleOptions& options) const {
  return exp(base().rsample(shape, options));
}
Tensor LogNormal::log_prob(const Tensor& value) const {
  return detail::log_prob_within(value, value <= 0, 1, [&](const Tensor& x) {
    const Tensor logarithm = log(x);
    return base().log_prob(logarithm) - logarithm;
  });
}
Tensor LogNormal::cdf(const Tensor& value) const {
  const Tensor below = value <= 0;
  return where(below, 0, base().cdf(log(where(below, 1, value))));
}
Tensor LogNormal::icdf(const Tensor& probability) const { return exp(base().icdf(probability)); }
Tensor LogNormal::entropy() const { return base().entropy() + loc; }
Tensor LogNormal::mean() const { return exp(loc + 0.5 * square(scale)); }
Tensor LogNormal::variance() const { return expm1(square(scale)) * exp(2 * loc + square(scale)); }

Tensor Laplace::rsample(const Shape& shape, const SampleOptions& options) const {
  const Shape whole = detail::joined(shape, batch_shape());
  const Tensor up = exponentials(whole, loc.dtype(), options);
  return loc + scale * (up - exponentials(whole, loc.dtype(), options));
}
Tensor Laplace::log_prob(const Tensor& value) const { return -abs(standardized(value)) - log(2 * scale); }
Tensor Laplace::cdf(const Tensor& value) const {
  const Tensor z = standardized(value), tail = 0.5 * exp(-abs(z));
  return where(z < 0, tail, 1 - tail);
}
Tensor Laplace::icdf(const Tensor& probability) const {
  const Tensor off = probability - 0.5;
  return loc - scale * (sign(off) * log1p(-2 * abs(off)));
}
Tensor Laplace::entropy() const { return 1 + log(2 * scale); }
Tensor Laplace::variance() const { return 2 * square(scale); }

Tensor Cauchy::rsample(const Shape& shape, const SampleOptions& options) const {
  const Tensor u = detail::uniform(detail::joined(shape, batch_shape()), float64, options);
  return loc + scale * tan(pi * (u - 0.5)).to(loc.dtype());
}
Tensor Cauchy::log_prob(const Tensor& value) const {
  return -log1p(square(standardized(value))) - log(scale) - std::log(pi);
}
Tensor Cauchy::cdf(const Tensor& value) const { return 0.5 + atan(standardized(value)) / pi; }
Tensor Cauchy::icdf(const Tensor& probability) const { return loc + scale * tan(pi * (probability - 0.5)); }
Tensor Cauchy::entropy() const { return log(4 * pi * scale); }
Tensor Cauchy::mean() const { return full_like(loc, nan); }
Tensor Cauchy::variance() const { return full_like(loc, infinity); }

StudentT::StudentT(const Parameter& freedom, const Parameter& location, const Parameter& width)
    : LocationScale("StudentT", location, width) {
  detail::broadcast("StudentT", {freedom, location, width}, {&df, &loc, &scale});
  detail::expect_all("StudentT", "df", df > 0, "not above 0");
}
Tensor StudentT::rsample(const Shape& shape, const SampleOptions& options) const {
  const Shape whole = detail::joined(shape, batch_shape());
  const Tensor z = detail::normal(whole, loc.dtype(), options);
  return loc + scale * (z * rsqrt(detail::gamma(expand(0.5 * df, whole), options) / (0.5 * df)));
}
Tensor StudentT::log_prob(const Tensor& value) const {
  return -0.5 * (df + 1) * log1p(square(standardized(value)) / df) - log(scale) - 0.5 * log(df) -
         betaln(0.5 * df, full_like(df, 0.5).detach());
}
Tensor StudentT::cdf(const Tensor& value) const {
  // The tail by df / (df + z^2), the middle by what is left of 1, which at 0 has a finite derivative but for 0 itself.
  const Tensor z = standardized(value), far = abs(z) > 1, half = full_like(df, 0.5).detach();
  const Tensor tail = where(far, z, 1), middle = where(far, 1, beside_zero(z));
  const Tensor outside = 0.5 * betainc(0.5 * df, half, df / (df + square(tail)));
  const Tensor inside = 0.5 * betainc(half, 0.5 * df, square(middle) / (df + square(middle)));
  return where(far, where(z < 0, outside, 1 - outside), 0.5 + sign(middle) * inside);
}
Tensor StudentT::icdf(const Tensor& probability) const {
  const Tensor off = 2 * probability - 1, far = abs(off) > 0.5, half = full_like(df, 0.5).detach();
  const Tensor rest = betaincinv(0.5 * df, half, where(far, 1 - abs(off), 0.5)),
               part = betaincinv(half, 0.5 * df, where(far, 0.5, abs(beside_zero(off))));
  const Tensor odds = where(far, (1 - rest) / rest, part / (1 - part));  // z^2 / df
  return loc + scale * (where(off < 0, -1, 1) * sqrt(df * odds));
}
Tensor StudentT::entropy() const {
  const Tensor more = 0.5 * (df + 1), half = 0.5 * df;
  return log(scale) + more * (digamma(more) - digamma(half)) + 0.5 * log(df) +
         betaln(half, full_like(df, 0.5).detach());
}
Tensor StudentT::mean() const { return where(df > 1, loc, nan); }
Tensor StudentT::variance() const {
  const Tensor finite = df > 2, freedom = where(finite, df, 3);
  return where(finite, square(scale) * (freedom / (freedom - 2)), where(df > 1, full_like(df, infinity).detach(), nan));
}

Uniform::Uniform(const Parameter& from, const Parameter& to) {
  detail::broadcast("Uniform", {from, to}, {&low, &high});
  detail::expect_all("Uniform", "high", high > low, "not above low");
}
Tensor Uniform::rsample(const Shape& shape, const SampleOptions& options) const {
  return low + (high - low) *
                   rand(detail::joined(shape, batch_shape()), {.dtype = low.dtype(), .generator = options.generator});
}
Tensor Uniform::log_prob(const Tensor& value) const {
  return where(value < low || value >= high, -infinity, 0 * value - log(high - low));
}
Tensor Uniform::cdf(const Tensor& value) const { return clamp((value - low) / (high - low), 0, 1); }
Tensor Uniform::icdf(const Tensor& probability) const { return low + (high - low) * probability; }
Tensor Uniform::entropy() const { return log(high - low); }
Tensor Uniform::mean() const { return 0.5 * (low + high); }
Tensor Uniform::variance() const { return square(high - low) / 12; }

}  // namespace xgrad::distributions
