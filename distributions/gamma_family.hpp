#pragma once
// Distributions made of gamma variables: exponential, gamma, chi-squared, beta, Dirichlet. Their samples have gradients
// for all parameters, but for the exponential's once only (implicit reparametrisation: create_graph is an Error).

#include "distribution.hpp"

namespace xgrad::distributions {

/// Density rate e^(-rate x) for x >= 0.
struct Exponential : OfNumbers, Reparametrized<Exponential> {
  Tensor rate;
  explicit Exponential(const Parameter& per_unit);
  Shape batch_shape() const { return rate.shape(); }
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

/// Density rate^c x^(c - 1) e^(-rate x) / gamma(c) for x >= 0, where c is the concentration. Samples below the
/// smallest normal number of the dtype are that number.
struct Gamma : OfNumbers, Reparametrized<Gamma> {
  Tensor concentration, rate;
  Gamma(const Parameter& shape, const Parameter& per_unit);
  Shape batch_shape() const { return rate.shape(); }
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

/// The sum of the squares of `df` standard normal variables: Gamma(df / 2, 1 / 2).
struct Chi2 : Gamma {
  explicit Chi2(const Parameter& freedom);
  Tensor df() const;
};

/// Density in proportion to x^(concentration1 - 1) (1 - x)^(concentration0 - 1) in [0, 1].
struct Beta : OfNumbers, Reparametrized<Beta> {
  Tensor concentration1, concentration0;
  Beta(const Parameter& of_one, const Parameter& of_zero);
  Shape batch_shape() const { return concentration1.shape(); }
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

/// Vectors (n,) of numbers that are not negative and add up to 1: density in proportion to the product of
/// x_i^(concentration_i - 1). concentration: (..., n).
struct Dirichlet : Reparametrized<Dirichlet> {
  Tensor concentration;
  explicit Dirichlet(const Tensor& concentrations);
  Shape batch_shape() const;
  Shape event_shape() const { return {concentration.size(-1)}; }
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

}  // namespace xgrad::distributions
