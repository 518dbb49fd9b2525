#pragma once
// Normal vectors.

#include "distribution.hpp"

namespace xgrad::distributions {

/// What makes the covariance, (..., n, n): one of the three.
struct CovarianceOptions {
  Tensor covariance_matrix = {};  // symmetric, positive definite
  Tensor precision_matrix = {};   // its inverse
  Tensor scale_tril = {};         // its Cholesky factor, lower triangular with a diagonal above 0
};

/// Normal vectors (n,) of mean `loc` (..., n). float32 and float64. Throws Error, with the matrix of the batch, for one
/// that is not positive definite.
struct MultivariateNormal : Reparametrized<MultivariateNormal> {
  Tensor loc, scale_tril;
  MultivariateNormal(const Tensor& location, const CovarianceOptions& options);
  Shape batch_shape() const;
  Shape event_shape() const { return {loc.size(-1)}; }
  Tensor rsample(const Shape& shape = {}, const SampleOptions& options = {}) const;
  Tensor log_prob(const Tensor& value) const;
  Tensor entropy() const;
  Tensor mean() const { return loc; }
  Tensor variance() const;
  Tensor covariance_matrix() const;
};

}  // namespace xgrad::distributions
