#include "bounded_lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

namespace xgrad::tune {
namespace {

constexpr std::size_t memory = 8;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

struct Pair {
  std::vector<double> step, change;
  double rho;
};

// The inverse Hessian times v, over the free components only.
void apply_inverse_hessian(const std::deque<Pair>& pairs, const std::vector<bool>& free, std::vector<double>& v) {
  const std::size_t n = v.size();
  const auto keep_free = [&] {
    for (std::size_t i = 0; i < n; ++i)
      if (!free[i]) v[i] = 0;
  };
  keep_free();
  std::vector<double> alpha(pairs.size());
  for (std::size_t k = pairs.size(); k-- > 0;) {
    alpha[k] = pairs[k].rho * dot(pairs[k].step, v);
    for (std::size_t i = 0; i < n; ++i) v[i] -= alpha[k] * pairs[k].change[i];
  }
  if (!pairs.empty()) {
    const Pair& last = pairs.back();
    const double scale = 1 / (last.rho * dot(last.change, last.change));
    for (double& each : v) each *= scale;
  }
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const double beta = pairs[k].rho * dot(pairs[k].change, v);
    for (std::size_t i = 0; i < n; ++i) v[i] += (alpha[k] - beta) * pairs[k].step[i];
  }
  keep_free();
}

}  // namespace

double minimize_in_box(const std::function<double(std::span<const double>, std::span<double>)>& evaluate,
                       std::vector<double>& x, std::span<const double> low, std::span<const double> high,
                       const BoundedLbfgsOptions& options) {
  const std::size_t n = x.size();
  std::vector<double> gradient(n), next(n), next_gradient(n), direction(n);
  std::vector<bool> free(n);
  std::deque<Pair> pairs;
  double value = evaluate(x, gradient);
  for (int iteration = 0; iteration < options.max_iterations; ++iteration) {
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      largest = std::max(largest, std::abs(std::clamp(x[i] - gradient[i], low[i], high[i]) - x[i]));
      free[i] = !((x[i] <= low[i] && gradient[i] > 0) || (x[i] >= high[i] && gradient[i] < 0));
    }
    if (!(largest > options.tolerance) || !std::isfinite(value)) break;
    direction = gradient;
    apply_inverse_hessian(pairs, free, direction);
    double descent = dot(direction, gradient);
    if (!(descent > 0)) {
      pairs.clear();
      for (std::size_t i = 0; i < n; ++i) direction[i] = free[i] ? gradient[i] : 0;
      descent = dot(direction, gradient);
    }
    double length = pairs.empty() ? std::min(1.0, 0.25 / std::sqrt(dot(direction, direction))) : 1;
    bool moved = false;
    double next_value = value;
    for (int halving = 0; halving < 20 && !moved; ++halving, length /= 2) {
      double expected = 0;
      for (std::size_t i = 0; i < n; ++i) {
        next[i] = std::clamp(x[i] - length * direction[i], low[i], high[i]);
        expected += gradient[i] * (x[i] - next[i]);
      }
      next_value = evaluate(next, next_gradient);
      moved = next_value <= value - 1e-4 * expected && std::isfinite(next_value);
    }
    if (!moved) {
      if (pairs.empty()) break;
      pairs.clear();  // once more along the gradient
      continue;
    }
    Pair pair{std::vector<double>(n), std::vector<double>(n), 0};
    for (std::size_t i = 0; i < n; ++i) {
      pair.step[i] = next[i] - x[i];
      pair.change[i] = next_gradient[i] - gradient[i];
    }
    const double curvature = dot(pair.step, pair.change);
    const double sank = value - next_value;
    x = next;
    gradient = next_gradient;
    value = next_value;
    if (curvature > 1e-12 * dot(pair.change, pair.change)) {
      pair.rho = 1 / curvature;
      pairs.push_back(std::move(pair));
      if (pairs.size() > memory) pairs.pop_front();
    }
    if (sank < 1e-9 * std::max(1.0, std::abs(value))) break;
  }
  return value;
}

}  // namespace xgrad::tune
