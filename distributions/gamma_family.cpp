#include "gamma_family.hpp"

#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/math.hpp"
#include "../ops/reduce.hpp"
#include "../ops/special.hpp"
#include "draws.hpp"

namespace xgrad::distributions {

Exponential::Exponential(const Parameter& per_unit) {
  detail::broadcast("Exponential", {per_unit}, {&rate});
  detail::expect_all("Exponential", "rate", rate > 0, "not above 0");
}
Tensor Exponential::rsample(const Shape& shape, const SampleOptions& options) const {
  const Tensor u = detail::uniform(detail::joined(shape, batch_shape()), float64, options);
  return -log1p(-u).to(rate.dtype()) / rate;
}
Tensor Exponential::log_prob(const Tensor& value) const {
  return detail::log_prob_within(value, value < 0, 1, [&](const Tensor& x) { return log(rate) - rate * x; });
}
Tensor Exponential::cdf(const Tensor& value) const { return -expm1(-rate * clamp(value, 0)); }
Tensor Exponential::icdf(const Tensor& probability) const { return -log1p(-probability) / rate; }
Tensor Exponential::entropy() const { return 1 - log(rate); }
Tensor Exponential::mean() const { return reciprocal(rate); }
Tensor Exponential::variance() const { return reciprocal(square(rate)); }

Gamma::Gamma(const Parameter& shape, const Parameter& per_unit) {
  detail::broadcast("Gamma", {shape, per_unit}, {&concentration, &rate});
  detail::expect_all("Gamma", "concentration", concentration > 0, "not above 0");
  detail::expect_all("Gamma", "rate", rate > 0, "not above 0");
}
Tensor Gamma::rsample(const Shape& shape, const SampleOptions& options) const {
  return detail::gamma(expand(concentration, detail::joined(shape, batch_shape())), options) / rate;
}
Tensor Gamma::log_prob(const Tensor& value) const {
  return detail::log_prob_within(value, value < 0, 1, [&](const Tensor& x) {
    return concentration * log(rate) + xlogy(concentration - 1, x) - rate * x - lgamma(concentration);
  });
}
Tensor Gamma::cdf(const Tensor& value) const { return gammainc(concentration, rate * clamp(value, 0)); }
Tensor Gamma::icdf(const Tensor& probability) const { return gammaincinv(concentration, probability) / rate; }
Tensor Gamma::entropy() const {
  return concentration - log(rate) + lgamma(concentration) + (1 - concentration) * digamma(concentration);
}
Tensor Gamma::mean() const { return concentration / rate; }
Tensor Gamma::variance() const { return concentration / square(rate); }

namespace {

Tensor checked_freedom(const Parameter& freedom) {
  Tensor df;
  detail::broadcast("Chi2", {freedom}, {&df});
  detail::expect_all("Chi2", "df", df > 0, "not above 0");
  return df;
}

}  // namespace

Chi2::Chi2(const Parameter& freedom) : Gamma(0.5 * checked_freedom(freedom), 0.5) {}
Tensor Chi2::df() const { return 2 * concentration; }

Beta::Beta(const Parameter& of_one, const Parameter& of_zero) {
  detail::broadcast("Beta", {of_one, of_zero}, {&concentration1, &concentration0});
  detail::expect_all("Beta", "concentration1", concentration1 > 0, "not above 0");
  detail::expect_all("Beta", "concentration0", concentration0 > 0, "not above 0");
}
Tensor Beta::rsample(const Shape& shape, const SampleOptions& options) const {
  const Shape whole = detail::joined(shape, batch_shape());
  return detail::beta(expand(concentration1, whole), expand(concentration0, whole), options);
}
Tensor Beta::log_prob(const Tensor& value) const {
  return detail::log_prob_within(value, value < 0 || value > 1, 0.5, [&](const Tensor& x) {
    return xlogy(concentration1 - 1, x) + xlogy(concentration0 - 1, 1 - x) - betaln(concentration1, concentration0);
  });
}
Tensor Beta::cdf(const Tensor& value) const { return betainc(concentration1, concentration0, clamp(value, 0, 1)); }
Tensor Beta::icdf(const Tensor& probability) const { return betaincinv(concentration1, concentration0, probability); }
Tensor Beta::entropy() const {
  const Tensor &a = concentration1, &b = concentration0;
  return betaln(a, b) - (a - 1) * digamma(a) - (b - 1) * digamma(b) + (a + b - 2) * digamma(a + b);
}
Tensor Beta::mean() const { return concentration1 / (concentration1 + concentration0); }
Tensor Beta::variance() const {
  const Tensor total = concentration1 + concentration0;
  return concentration1 / total * (concentration0 / total) / (total + 1);
}

Dirichlet::Dirichlet(const Tensor& concentrations) {
  check(concentrations.defined() && concentrations.dim() > 0 && concentrations.size(-1) > 0,
        "Dirichlet: the concentration needs a last axis of one number or more");
  detail::broadcast("Dirichlet", {concentrations}, {&concentration});
  detail::expect_all("Dirichlet", "concentration", concentration > 0, "not above 0");
}
Shape Dirichlet::batch_shape() const {
  Shape shape = concentration.shape();
  shape.erase(shape.size() - 1);
  return shape;
}
Tensor Dirichlet::rsample(const Shape& shape, const SampleOptions& options) const {
  return detail::dirichlet(expand(concentration, detail::joined(shape, concentration.shape())), options);
}
Tensor Dirichlet::log_prob(const Tensor& value) const {
  return sum(xlogy(concentration - 1, value) - lgamma(concentration), -1) + lgamma(sum(concentration, -1));
}
Tensor Dirichlet::entropy() const {
  const Tensor total = sum(concentration, -1);
  return sum(lgamma(concentration) - (concentration - 1) * digamma(concentration), -1) - lgamma(total) +
         (total - static_cast<double>(concentration.size(-1))) * digamma(total);
}
Tensor Dirichlet::mean() const { return concentration / sum(concentration, -1, {.keepdim = true}); }
Tensor Dirichlet::variance() const {
  const Tensor total = sum(concentration, -1, {.keepdim = true});
  return concentration / total * ((total - concentration) / total) / (total + 1);
}

}  // namespace xgrad::distributions
