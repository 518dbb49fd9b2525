#pragma once
// Kullback-Leibler divergences.

#include "discrete.hpp"
#include "gamma_family.hpp"
#include "location_scale.hpp"
#include "multivariate_normal.hpp"

namespace xgrad::distributions {

// The mean of log p(x) - log q(x) for x of p, for each pair of distributions of the batches, which broadcast together.

Tensor kl_divergence(const Normal& p, const Normal& q);
Tensor kl_divergence(const LogNormal& p, const LogNormal& q);
Tensor kl_divergence(const Laplace& p, const Laplace& q);
Tensor kl_divergence(const Cauchy& p, const Cauchy& q);
/// Infinite where q does not reach as far as p.
Tensor kl_divergence(const Uniform& p, const Uniform& q);
Tensor kl_divergence(const Exponential& p, const Exponential& q);
/// Of Chi2, too.
Tensor kl_divergence(const Gamma& p, const Gamma& q);
Tensor kl_divergence(const Beta& p, const Beta& q);
Tensor kl_divergence(const Dirichlet& p, const Dirichlet& q);
Tensor kl_divergence(const Bernoulli& p, const Bernoulli& q);
Tensor kl_divergence(const Geometric& p, const Geometric& q);
Tensor kl_divergence(const Poisson& p, const Poisson& q);
/// Of equal numbers of trials, an Error otherwise.
Tensor kl_divergence(const Binomial& p, const Binomial& q);
Tensor kl_divergence(const Categorical& p, const Categorical& q);
/// Of equal numbers of draws, an Error otherwise.
Tensor kl_divergence(const Multinomial& p, const Multinomial& q);
Tensor kl_divergence(const MultivariateNormal& p, const MultivariateNormal& q);

// Of different families.

Tensor kl_divergence(const Laplace& p, const Normal& q);
Tensor kl_divergence(const Uniform& p, const Normal& q);
Tensor kl_divergence(const Exponential& p, const Normal& q);
Tensor kl_divergence(const Gamma& p, const Normal& q);
Tensor kl_divergence(const Beta& p, const Normal& q);
/// Infinite where p reaches below 0.
Tensor kl_divergence(const Uniform& p, const Exponential& q);
Tensor kl_divergence(const Gamma& p, const Exponential& q);
Tensor kl_divergence(const Beta& p, const Exponential& q);
Tensor kl_divergence(const Exponential& p, const Gamma& q);

}  // namespace xgrad::distributions
