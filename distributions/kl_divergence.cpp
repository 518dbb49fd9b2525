#include "kl_divergence.hpp"

#include <cmath>
#include <numbers>

#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/diagonal.hpp"
#include "../ops/linalg/triangular.hpp"
#include "../ops/math.hpp"
#include "../ops/reduce.hpp"
#include "../ops/shape.hpp"
#include "../ops/special.hpp"
#include "draws.hpp"

namespace xgrad::distributions {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// p log(p / q), 0 where p is.
Tensor part(const Tensor& p, const Tensor& q) { return xlogy(p, p) - xlogy(p, q); }
Tensor of_probabilities(const Tensor& p, const Tensor& q) { return part(p, q) + part(1 - p, 1 - q); }

/// Of numbers, by their entropy, mean and variance.
template <class D>
Tensor to_normal(const D& p, const Normal& q) {
  return 0.5 * (p.variance() + square(p.mean() - q.loc)) / square(q.scale) + log(q.scale) +
         0.5 * std::log(2 * std::numbers::pi) - p.entropy();
}
/// Of numbers that are not negative.
template <class D>
Tensor to_exponential(const D& p, const Exponential& q) {
  return q.rate * p.mean() - log(q.rate) - p.entropy();
}
Gamma as_gamma(const Exponential& p) { return {ones_like(p.rate).detach(), p.rate}; }

}  // namespace

Tensor kl_divergence(const Normal& p, const Normal& q) {
  const Tensor ratio = square(p.scale / q.scale);
  return 0.5 * (ratio + square((p.loc - q.loc) / q.scale) - 1 - log(ratio));
}

Tensor kl_divergence(const LogNormal& p, const LogNormal& q) { return kl_divergence(p.base(), q.base()); }

Tensor kl_divergence(const Laplace& p, const Laplace& q) {
  const Tensor ratio = p.scale / q.scale, distance = abs(p.loc - q.loc);
  return distance / q.scale + ratio * exp(-distance / p.scale) - log(ratio) - 1;
}

Tensor kl_divergence(const Cauchy& p, const Cauchy& q) {
  return log((square(p.scale + q.scale) + square(p.loc - q.loc)) / (4 * p.scale * q.scale));
}

Tensor kl_divergence(const Uniform& p, const Uniform& q) {
  return where(q.low > p.low || q.high < p.high, infinity, log((q.high - q.low) / (p.high - p.low)));
}

Tensor kl_divergence(const Exponential& p, const Exponential& q) {
  const Tensor ratio = q.rate / p.rate;
  return ratio - 1 - log(ratio);
}

Tensor kl_divergence(const Gamma& p, const Gamma& q) {
  const Tensor &a = p.concentration, &b = q.concentration;
  return b * log(p.rate / q.rate) + lgamma(b) - lgamma(a) + (a - b) * digamma(a) + (q.rate - p.rate) * (a / p.rate);
}

Tensor kl_divergence(const Beta& p, const Beta& q) {
  const Tensor &a = p.concentration1, &b = p.concentration0, &c = q.concentration1, &d = q.concentration0;
  return betaln(c, d) - betaln(a, b) + (a - c) * digamma(a) + (b - d) * digamma(b) + (c + d - a - b) * digamma(a + b);
}

Tensor kl_divergence(const Dirichlet& p, const Dirichlet& q) {
  const Tensor &a = p.concentration, &b = q.concentration, total = sum(a, -1);
  return lgamma(total) - lgamma(sum(b, -1)) +
         sum(lgamma(b) - lgamma(a) + (a - b) * (digamma(a) - digamma(unsqueeze(total, -1))), -1);
}

Tensor kl_divergence(const Bernoulli& p, const Bernoulli& q) { return of_probabilities(p.probs, q.probs); }

Tensor kl_divergence(const Geometric& p, const Geometric& q) { return of_probabilities(p.probs, q.probs) / p.probs; }

Tensor kl_divergence(const Poisson& p, const Poisson& q) { return part(p.rate, q.rate) - (p.rate - q.rate); }

Tensor kl_divergence(const Binomial& p, const Binomial& q) {
  detail::expect_all("kl_divergence", "total_count", p.total_count == q.total_count, "not equal");
  return p.total_count * of_probabilities(p.probs, q.probs);
}

Tensor kl_divergence(const Categorical& p, const Categorical& q) { return sum(part(p.probs, q.probs), -1); }

Tensor kl_divergence(const Multinomial& p, const Multinomial& q) {
  check(p.total_count == q.total_count, "kl_divergence: ", p.total_count, " draws and ", q.total_count);
  return static_cast<double>(p.total_count) * kl_divergence(p.classes, q.classes);
}

Tensor kl_divergence(const Laplace& p, const Normal& q) { return to_normal(p, q); }
Tensor kl_divergence(const Uniform& p, const Normal& q) { return to_normal(p, q); }
Tensor kl_divergence(const Exponential& p, const Normal& q) { return to_normal(p, q); }
Tensor kl_divergence(const Gamma& p, const Normal& q) { return to_normal(p, q); }
Tensor kl_divergence(const Beta& p, const Normal& q) { return to_normal(p, q); }
Tensor kl_divergence(const Uniform& p, const Exponential& q) {
  return where(p.low < 0, infinity, to_exponential(p, q));
}
Tensor kl_divergence(const Gamma& p, const Exponential& q) { return to_exponential(p, q); }
Tensor kl_divergence(const Beta& p, const Exponential& q) { return to_exponential(p, q); }
Tensor kl_divergence(const Exponential& p, const Gamma& q) { return kl_divergence(as_gamma(p), q); }

Tensor kl_divergence(const MultivariateNormal& p, const MultivariateNormal& q) {
  check(p.loc.size(-1) == q.loc.size(-1), "kl_divergence: vectors of ", p.loc.size(-1), " and of ", q.loc.size(-1),
        " numbers");
  const auto log_determinant = [](const Tensor& factor) { return sum(log(diagonal(factor, 0, -2, -1)), -1); };
  const auto size = [&](const Tensor& x) { return sum(square(linalg::solve_triangular(q.scale_tril, x)), {-2, -1}); };
  return log_determinant(q.scale_tril) - log_determinant(p.scale_tril) +
         0.5 * (size(tril(p.scale_tril)) + size(unsqueeze(q.loc - p.loc, -1)) - static_cast<double>(p.loc.size(-1)));
}

}  // namespace xgrad::distributions
