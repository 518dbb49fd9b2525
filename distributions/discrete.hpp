#pragma once
// Distributions of counts and classes. Samples have no gradient; those of counts have the floating dtype of the
// parameters, classes are int64. icdf is the smallest count whose cdf is not below the probability (NaN outside [0,
// 1]), and has no gradient.

#include "distribution.hpp"

namespace xgrad::distributions {

/// Probabilities, given as they are or as logits: one of the two.
struct ProbabilityOptions {
  Parameter probs = {};
  Parameter logits = {};  // log(p / (1 - p)); of classes, logarithms of weights
};

/// 1 with a probability, else 0: `Bernoulli({.probs = 0.3})`, `Bernoulli({.logits = net(x)})`.
struct Bernoulli : OfNumbers {
  Tensor probs, logits;  // logits are undefined where probabilities were given
  explicit Bernoulli(const ProbabilityOptions& options);
  Shape batch_shape() const { return probs.shape(); }
  Tensor sample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const { return probs; }
  Tensor variance() const;
};

/// How many fail before the first that succeeds, with probability `probs` in (0, 1].
struct Geometric : OfNumbers {
  Tensor probs;
  explicit Geometric(const ProbabilityOptions& options);
  Shape batch_shape() const { return probs.shape(); }
  Tensor sample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

/// Counts of mean `rate`, not negative: rate^k e^-rate / k!.
struct Poisson : OfNumbers {
  Tensor rate;
  explicit Poisson(const Parameter& mean_count);
  Shape batch_shape() const { return rate.shape(); }
  Tensor sample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  /// The sum over the counts that are within 12 standard deviations and 40 of the rate.
  Tensor entropy() const;
  Tensor mean() const { return rate; }
  Tensor variance() const { return rate; }
};

/// How many of `total_count` trials succeed. entropy() needs one total_count for all.
struct Binomial : OfNumbers {
  Tensor total_count, probs;
  Binomial(const Parameter& trials, const ProbabilityOptions& options);
  Shape batch_shape() const { return probs.shape(); }
  Tensor sample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

/// One of n classes, 0 to n - 1, with weights (..., n) in the last axis that need not add up to 1. Mean and variance
/// are NaN, as in PyTorch.
struct Categorical : OfNumbers {
  Tensor probs, logits;  // normalised: the logits are logarithms of the probabilities
  explicit Categorical(const ProbabilityOptions& options);
  Shape batch_shape() const;
  Tensor sample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  /// Throws Error for a class that there is not.
  Tensor log_prob(const Tensor& value) const;
  Tensor cdf(const Tensor& value) const;
  Tensor icdf(const Tensor& probability) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

/// How often each of n classes comes in `total_count` draws: vectors (n,).
struct Multinomial {
  std::int64_t total_count;
  Categorical classes;  // of one draw
  Multinomial(std::int64_t trials, const ProbabilityOptions& options);
  Shape batch_shape() const { return classes.batch_shape(); }
  Shape event_shape() const { return {classes.probs.size(-1)}; }
  Tensor sample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor entropy() const;
  Tensor mean() const;
  Tensor variance() const;
};

}  // namespace xgrad::distributions
