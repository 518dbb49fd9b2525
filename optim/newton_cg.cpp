#include "newton_cg.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "line_search.hpp"
#include "methods.hpp"

namespace xgrad::optim::detail {

namespace {

double sum_of_sizes(const Vector& x) {
  double sum = 0;
  for (const double element : x) sum += std::abs(element);
  return sum;
}

/// Newton's step, as far as its equations are worth solving at this gradient; where the function curves downwards, a
/// direction of descent.
Vector newton_step(Objective& objective, const Vector& x, const Vector& gradient) {
  const double size = sum_of_sizes(gradient), enough = std::min(0.5, std::sqrt(size)) * size;
  Vector step(x.size(), 0), residual = gradient, direction = negative(gradient);
  double square = dot(residual, residual);
  for (std::size_t i = 0; i < 20 * x.size() && sum_of_sizes(residual) > enough; ++i) {
    const Vector product = objective.hessian_times(x, direction);
    const double curvature = dot(direction, product);
    if (std::abs(curvature) <= 3 * std::numeric_limits<double>::epsilon()) break;
    if (!(curvature > 0)) return i > 0 ? step : plus(step, square / -curvature, direction);
    const double along = square / curvature;
    step = plus(step, along, direction);
    residual = plus(residual, along, product);
    const double next = dot(residual, residual);
    direction = plus(negative(residual), next / square, direction);
    square = next;
  }
  return step;
}

}  // namespace

Progress newton_cg(Objective& objective, const Limits& limits) {
  Progress now;
  now.x = objective.elements();
  now.value = objective.value_and_gradient(now.x, now.gradient);
  const auto ended = [&](Progress::Reason reason) {
    now.reason = reason;
    return now;
  };
  if (!std::isfinite(now.value) || !std::isfinite(largest(now.gradient))) return ended(Progress::not_finite);
  for (;;) {
    if (largest(now.gradient) <= limits.tolerance) return ended(Progress::converged);
    if (now.steps == limits.iterations) return ended(Progress::iterations);
    Vector direction = newton_step(objective, now.x, now.gradient);
    if (!(dot(direction, now.gradient) < 0)) direction = negative(now.gradient);
    const double slope = dot(direction, now.gradient), noise = objective.noise() * std::abs(now.value);
    Progress next;
    const LineStep found = search_line(
        [&](double step) {
          next.x = plus(now.x, step, direction);
          next.value = objective.value_and_gradient(next.x, next.gradient);
          return LinePoint{next.value, dot(next.gradient, direction)};
        },
        {now.value, slope}, 1, noise);
    if (!found.found) return ended(-slope <= noise ? Progress::no_further_decrease : Progress::stuck);
    next.steps = now.steps + 1;
    now = std::move(next);
  }
}

}  // namespace xgrad::optim::detail
