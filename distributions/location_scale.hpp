#pragma once
// Continuous distributions that are moved and stretched: normal, log-normal, Laplace, Cauchy, Student's t, uniform.

#include "distribution.hpp"

namespace xgrad::distributions {

/// What a location and a scale above 0 are the parameters of.
struct LocationScale : OfNumbers {
  Tensor loc, scale;

  Shape batch_shape() const { return loc.shape(); }

 protected:
  LocationScale(const char* op, const Parameter& location, const Parameter& width);
  /// (value - loc) / scale
  Tensor standardized(const Tensor& value) const;
};

/// The normal distribution of mean `loc` and standard deviation `scale`.
struct Normal : LocationScale, Reparametrized<Normal> {
  Normal(const Parameter& location, const Parameter& width) : LocationScale("Normal", location, width) {}
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const { return loc; }
  Tensor variance() const;
};

/// e^x for normal x of mean `loc` and standard deviation `scale`.
struct LogNormal : LocationScale, Reparametrized<LogNormal> {
  LogNormal(const Parameter& location, const Parameter& width) : LocationScale("LogNormal", location, width) {}
  /// The distribution of the logarithm.
  Normal base() const { return {loc, scale}; }
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

/// Density e^-|z| / (2 scale), z = (x - loc) / scale.
struct Laplace : LocationScale, Reparametrized<Laplace> {
  Laplace(const Parameter& location, const Parameter& width) : LocationScale("Laplace", location, width) {}
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const { return loc; }
  Tensor variance() const;
};

/// Density 1 / (pi scale (1 + z^2)), z = (x - loc) / scale. It has no mean (NaN) and an infinite variance.
struct Cauchy : LocationScale, Reparametrized<Cauchy> {
  Cauchy(const Parameter& location, const Parameter& width) : LocationScale("Cauchy", location, width) {}
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

/// Student's t of `df` degrees of freedom: density in proportion to (1 + z^2 / df)^-((df + 1) / 2). The mean is NaN for
/// df <= 1, the variance infinite for df <= 2, NaN for df <= 1.
struct StudentT : LocationScale, Reparametrized<StudentT> {
  Tensor df;
  StudentT(const Parameter& freedom, const Parameter& location = 0, const Parameter& width = 1);
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

/// Uniform in [low, high), low < high.
struct Uniform : OfNumbers, Reparametrized<Uniform> {
  Tensor low, high;
  Uniform(const Parameter& from, const Parameter& to);
  Shape batch_shape() const { return low.shape(); }
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

}  // namespace xgrad::distributions
