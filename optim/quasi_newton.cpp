#include "quasi_newton.hpp"

#include <algorithm>
#include <cmath>

#include "line_search.hpp"

namespace xgrad::optim::detail {

void StepHistory::add(Vector step, Vector change) {
  const double product = dot(step, change);
  if (!(product > 2.2e-16 * dot(change, change))) return;
  if (pairs_.size() == size_) pairs_.pop_front();
  pairs_.push_back({std::move(step), std::move(change), product});
}

// Nocedal's recursion in two loops.
Vector StepHistory::direction(const Vector& gradient) const {
  Vector d = negative(gradient);
  std::vector<double> factors;
  for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
    factors.push_back(dot(pair->step, d) / pair->product);
    d = plus(d, -factors.back(), pair->change);
  }
  if (!pairs_.empty()) {
    const Pair& last = pairs_.back();
    for (double& element : d) element *= last.product / dot(last.change, last.change);
  }
  for (const Pair& pair : pairs_) {
    d = plus(d, factors.back() - dot(pair.change, d) / pair.product, pair.step);
    factors.pop_back();
  }
  return d;
}

Progress minimize_by_steps(const std::function<double(const Vector& x, Vector& gradient)>& evaluate, Vector x,
                           StepHistory& history, const Stops& stops) {
  Progress now;
  now.x = std::move(x);
  now.value = evaluate(now.x, now.gradient);
  std::int64_t evaluations = 1;
  const auto ended = [&](Progress::Reason reason) {
    now.reason = reason;
    return now;
  };
  if (!std::isfinite(now.value) || !std::isfinite(largest(now.gradient))) return ended(Progress::not_finite);
  for (;;) {
    if (largest(now.gradient) <= stops.gradient) return ended(Progress::converged);
    if (now.steps == stops.iterations) return ended(Progress::iterations);
    if (evaluations >= stops.evaluations) return ended(Progress::evaluations);
    Vector direction = history.direction(now.gradient);
    double slope = dot(direction, now.gradient);
    if (!(slope < 0)) {
      history.clear();
      direction = history.direction(now.gradient);
      slope = dot(direction, now.gradient);
    }
    const double noise = stops.noise * std::abs(now.value);
    const double first = stops.first_step * (history.empty() ? std::min(1.0, 1 / std::sqrt(-slope)) : 1.0);
    Progress next;
    const LineStep found = search_line(
        [&](double step) {
          next.x = plus(now.x, step, direction);
          next.value = evaluate(next.x, next.gradient);
          ++evaluations;
          return LinePoint{next.value, dot(next.gradient, direction)};
        },
        {now.value, slope}, first, noise);
    if (!found.found) {
      if (-slope <= noise) return ended(Progress::no_further_decrease);  // foretold: no more than rounding errors
      if (history.empty()) return ended(Progress::stuck);
      history.clear();
      continue;
    }
    const double change = std::max(std::abs(next.value - now.value), found.step * largest(direction));
    history.add(plus(next.x, -1, now.x), plus(next.gradient, -1, now.gradient));
    next.steps = now.steps + 1;
    now = std::move(next);
    if (change < stops.change) return ended(Progress::small_change);
  }
}

}  // namespace xgrad::optim::detail
