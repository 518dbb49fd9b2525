#include "parzen.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>

#include "../../core/instruction_set.hpp"
#include "../../kernels/elementary.hpp"
#include "../trials/normal.hpp"

namespace xgrad::tune {
namespace {

const double log_sqrt_2pi = 0.5 * std::log(2 * std::numbers::pi);
constexpr double negligible = 40;  // a kernel that is e^-40 of another
constexpr std::int64_t most_steps = 4096;

template <class T>
void insert_at(std::vector<T>& v, std::size_t position, const T& value) {
  v.insert(v.begin() + static_cast<std::ptrdiff_t>(position), value);
}

template <class T>
void erase_at(std::vector<T>& v, std::size_t position) {
  v.erase(v.begin() + static_cast<std::ptrdiff_t>(position));
}

// Of the logarithm of the probability between left and right: at distance t it is less than exp(-t^2 / 2).
[[gnu::always_inline]] inline double bound(double left, double right, double mu, double inverse) {
  const double below = left - mu, above = mu - right, out = below > above ? below : above;
  const double t = (out > 0 ? out : 0) * inverse;
  return -0.5 * t * t;
}

// Constants of a kernel that is truncated to the axis: the logarithm of what divides it.
double log_norm(const Axis& axis, double mu, double sigma) {
  const double mass = std::log(normal_mass((axis.low - mu) / sigma, (axis.high - mu) / sigma));
  return axis.step > 0 ? mass : mass + std::log(sigma) + log_sqrt_2pi;
}

}  // namespace

ParzenEstimator::ParzenEstimator(std::vector<Distribution> space, bool equal_weights) : equal_weights_(equal_weights) {
  for (const Distribution& distribution : space) {
    if (std::holds_alternative<CategoricalDistribution>(distribution)) {
      dimensions_.push_back({count(distribution), Axis(FloatDistribution{0, 1})});
    } else {
      Dimension d{0, axis(distribution)};
      const std::int64_t steps = count(distribution);
      if (d.axis.step > 0 && steps <= most_steps) d.steps = static_cast<std::size_t>(steps);
      d.prior_mu = std::midpoint(d.axis.low, d.axis.high);
      d.prior_sigma = d.axis.high - d.axis.low;
      d.prior_log_norm = log_norm(d.axis, d.prior_mu, d.prior_sigma);
      dimensions_.push_back(std::move(d));
    }
  }
  update_weights();
}

bool ParzenEstimator::contains(std::int64_t number) const {
  return std::binary_search(numbers_.begin(), numbers_.end(), number);
}

std::size_t ParzenEstimator::slot(std::int64_t number) const {
  return static_cast<std::size_t>(std::lower_bound(numbers_.begin(), numbers_.end(), number) - numbers_.begin());
}

void ParzenEstimator::set_kernel(Dimension& d, std::size_t slot, double sigma) const {
  if (d.sigma[slot] == sigma) return;
  d.sigma[slot] = sigma;
  d.inverse[slot] = 1 / sigma;
  d.log_norm[slot] = log_norm(d.axis, d.mu[slot], sigma);
}

double ParzenEstimator::smallest_sigma(const Dimension& d) {
  return (d.axis.high - d.axis.low) / std::min(100.0, static_cast<double>(d.sorted.size()) + 2);
}

void ParzenEstimator::update_sigma(Dimension& d, std::size_t rank) {
  const std::size_t n = d.sorted.size();
  const auto [mu, number] = d.sorted[rank];
  const bool first = rank == 0, last = rank + 1 == n;
  const double left = first ? (n > 1 ? 0 : mu - d.axis.low) : mu - d.sorted[rank - 1].first;
  const double right = last ? (n > 1 ? 0 : d.axis.high - mu) : d.sorted[rank + 1].first - mu;
  const std::size_t k = slot(number);
  set_kernel(d, k, std::clamp(std::max(left, right), smallest_sigma(d), d.axis.high - d.axis.low));
  double sum = 0;
  for (const Dimension& each : dimensions_)
    if (!each.choices) sum += each.log_norm[k];
  log_norm_[k] = sum;
}

void ParzenEstimator::update_around(Dimension& d, std::size_t rank) {
  const std::size_t n = d.sorted.size();
  const bool all = n < 100;  // the lower bound of sigma depends on n
  const std::size_t begin = all || rank < 1 ? 0 : rank - 1, end = all ? n : std::min(n, rank + 2);
  for (std::size_t i = begin; i < end; ++i) update_sigma(d, i);
}

void ParzenEstimator::insert(std::int64_t number, const std::vector<double>& values) {
  const std::size_t at = slot(number);
  insert_at(numbers_, at, number);
  insert_at(log_norm_, at, 0.0);
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    Dimension& d = dimensions_[i];
    const double mu = d.choices ? values[i] : d.axis.to_z(values[i]);
    insert_at(d.mu, at, mu);
    if (d.choices) continue;
    if (d.steps)
      insert_at(d.cell, at, static_cast<std::uint32_t>(std::lround((values[i] - d.axis.first) / d.axis.step)));
    insert_at(d.sigma, at, 0.0);
    insert_at(d.inverse, at, 0.0);
    insert_at(d.log_norm, at, 0.0);
  }
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    Dimension& d = dimensions_[i];
    if (d.choices) continue;
    const auto entry = std::pair(d.mu[at], number);
    const auto place = d.sorted.insert(std::lower_bound(d.sorted.begin(), d.sorted.end(), entry), entry);
    update_around(d, static_cast<std::size_t>(place - d.sorted.begin()));
  }
  update_weights();
}

void ParzenEstimator::erase(std::int64_t number) {
  const std::size_t at = slot(number);
  erase_at(numbers_, at);
  erase_at(log_norm_, at);
  std::vector<std::size_t> ranks;
  for (Dimension& d : dimensions_) {
    if (!d.choices) {
      const auto place = std::lower_bound(d.sorted.begin(), d.sorted.end(), std::pair(d.mu[at], number));
      ranks.push_back(static_cast<std::size_t>(place - d.sorted.begin()));
      d.sorted.erase(place);
      if (d.steps) erase_at(d.cell, at);
      erase_at(d.sigma, at);
      erase_at(d.inverse, at);
      erase_at(d.log_norm, at);
    }
    erase_at(d.mu, at);
  }
  auto rank = ranks.begin();
  for (Dimension& d : dimensions_)
    if (!d.choices) update_around(d, *rank++);
  update_weights();
}

void ParzenEstimator::update_weights() {
  const std::size_t n = numbers_.size();
  weights_.assign(n, 1.0);
  if (n >= 25 && !equal_weights_) {
    const std::size_t ramp = n - 25;
    const double low = 1.0 / static_cast<double>(n);
    for (std::size_t k = 0; k < ramp; ++k)
      weights_[k] = ramp == 1 ? low : low + static_cast<double>(k) * (1 - low) / static_cast<double>(ramp - 1);
  }
  accumulate_weights();
}

void ParzenEstimator::set_weights(std::vector<double> weights) {
  weights_ = std::move(weights);
  accumulate_weights();
}

void ParzenEstimator::accumulate_weights() {
  const std::size_t n = numbers_.size();
  cumulative_.resize(n + 1);
  double sum = 0;
  for (std::size_t k = 0; k <= n; ++k) cumulative_[k] = sum += k < n ? weights_[k] : 1.0;
}

std::vector<double> ParzenEstimator::sample(Draws& draws) const {
  const std::size_t n = numbers_.size();
  const double target = draws.uniform() * cumulative_.back();
  const auto chosen = std::upper_bound(cumulative_.begin(), cumulative_.end(), target) - cumulative_.begin();
  const std::size_t k = std::min(static_cast<std::size_t>(chosen), n);
  const bool prior = k == n;
  std::vector<double> values;
  for (const Dimension& d : dimensions_) {
    const double u = draws.uniform();
    if (d.choices) {
      const double each = 1.0 / static_cast<double>(n + 1), all = each * static_cast<double>(d.choices);
      // The interval [0, 1) is `all` parts for the choices alike, then the observed one's.
      const double part = prior ? u * all : u * (all + 1);
      values.push_back(part < all ? std::min(std::floor(part / each), static_cast<double>(d.choices - 1)) : d.mu[k]);
      continue;
    }
    const double mu = prior ? d.prior_mu : d.mu[k], sigma = prior ? d.prior_sigma : d.sigma[k];
    const double a = (d.axis.low - mu) / sigma, mass = normal_mass(a, (d.axis.high - mu) / sigma);
    const double z = mu + sigma * normal_quantile(normal_mass(-std::numeric_limits<double>::infinity(), a) + u * mass);
    values.push_back(d.axis.from_z(std::clamp(z, d.axis.low, d.axis.high)));
  }
  return values;
}

double ParzenEstimator::log_density(const std::vector<double>& values, std::vector<double>& scratch) const {
  const std::size_t n = numbers_.size();
  const double kernels = static_cast<double>(n) + 1;
  double prior = 0;
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    const Dimension& d = dimensions_[i];
    if (d.choices)
      prior -= std::log(static_cast<double>(d.choices));
    else
      prior += log_probability(d, values[i], d.prior_mu, 1 / d.prior_sigma) - d.prior_log_norm;
  }
  scratch.resize(n);
  double* __restrict q = scratch.data();  // logarithms of the kernels
  std::transform(log_norm_.begin(), log_norm_.end(), q, std::negate<>());
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    const Dimension& d = dimensions_[i];
    const double* __restrict mu = d.mu.data();
    const double* __restrict inverse = d.inverse.data();
    if (d.choices) {
      const double all = static_cast<double>(d.choices) / kernels, choice = values[i];
      const double miss = std::log(1 / kernels / (all + 1)), hit = std::log((1 / kernels + 1) / (all + 1));
      vectorized([=] {
        for (std::size_t k = 0; k < n; ++k) q[k] += mu[k] == choice ? hit : miss;
      });
    } else if (d.axis.step == 0) {
      const double z = d.axis.to_z(values[i]);
      vectorized([=] {
        for (std::size_t k = 0; k < n; ++k) {
          const double t = (z - mu[k]) * inverse[k];
          q[k] -= 0.5 * t * t;
        }
      });
    }
  }
  add_steps(values, prior, scratch);
  double top = prior;
  for (std::size_t k = 0; k < n; ++k) top = std::max(top, q[k]);
  const double* __restrict weight = weights_.data();
  vectorized([=] {
    for (std::size_t k = 0; k < n; ++k) q[k] = weight[k] * elementary::exp(q[k] - top);
  });
  return top + std::log(std::accumulate(scratch.begin(), scratch.end(), std::exp(prior - top)) / cumulative_.back());
}

double ParzenEstimator::log_probability(const Dimension& d, double value, double mu, double inverse) {
  if (d.axis.step == 0) return -0.5 * std::pow((d.axis.to_z(value) - mu) * inverse, 2);
  const double left = d.axis.to_z(value - d.axis.step / 2), right = d.axis.to_z(value + d.axis.step / 2);
  return std::log(
      normal_mass((std::max(left, d.axis.low) - mu) * inverse, (std::min(right, d.axis.high) - mu) * inverse));
}

void ParzenEstimator::add_steps(const std::vector<double>& values, double prior, std::vector<double>& q) const {
  struct Cell {
    const Dimension* dimension;
    double value, left, right, common;
    std::vector<double> known;  // by step, 1: not yet. Most kernels of many have the smallest sigma, and are equal then
  };
  std::vector<Cell> cells;
  const std::size_t n = numbers_.size();
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    const Dimension& d = dimensions_[i];
    if (d.choices || d.axis.step == 0) continue;
    const double half = d.axis.step / 2;
    cells.push_back({&d, values[i], d.axis.to_z(values[i] - half), d.axis.to_z(values[i] + half), smallest_sigma(d),
                     std::vector<double>(d.steps, 1)});
    vectorized([n, q = q.data(), mu = d.mu.data(), inverse = d.inverse.data(), left = cells.back().left,
                right = cells.back().right] {
      for (std::size_t k = 0; k < n; ++k) q[k] += bound(left, right, mu[k], inverse[k]);
    });
  }
  if (cells.empty() || n == 0) return;
  double top = prior;
  const auto make_exact = [&](std::size_t k) {
    for (Cell& cell : cells) {
      const Dimension& d = *cell.dimension;
      const bool shared = d.steps && d.sigma[k] == cell.common;
      double other = 1;
      double& probability = shared ? cell.known[d.cell[k]] : other;
      if (probability == 1) probability = log_probability(d, cell.value, d.mu[k], d.inverse[k]);
      q[k] += probability - bound(cell.left, cell.right, d.mu[k], d.inverse[k]);
    }
    top = std::max(top, q[k]);
  };
  const auto largest = static_cast<std::size_t>(std::max_element(q.begin(), q.end()) - q.begin());
  make_exact(largest);
  for (std::size_t k = 0; k < n; ++k)
    if (k != largest && q[k] > top - negligible) make_exact(k);
}

}  // namespace xgrad::tune
