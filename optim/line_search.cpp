#include "line_search.hpp"

#include <algorithm>
#include <cmath>

namespace xgrad::optim::detail {

namespace {

struct Trial {
  double step, value, slope;
};

/// Where the cubic that has the values and slopes of a and b has its minimum beyond a, and for `clamped` also where it
/// has none.
struct Cubic {
  double theta, gamma;
  Cubic(const Trial& a, const Trial& b, bool clamped) {
    theta = 3 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
    const double scale = std::max({std::abs(theta), std::abs(a.slope), std::abs(b.slope)});
    const double square = (theta / scale) * (theta / scale) - (a.slope / scale) * (b.slope / scale);
    gamma = scale * std::sqrt(clamped ? std::max(square, 0.0) : square);
  }
};

/// The step by the secant of two slopes.
double secant(const Trial& from, const Trial& to) {
  return from.step + from.slope / (from.slope - to.slope) * (to.step - from.step);
}

/// The interval that holds a step to be found: `best` has the least value so far.
struct Interval {
  Trial best, other;
  bool bracketed = false;

  /// Takes a trial in, and gives the next step; see More and Thuente, section 4, and MINPACK-2's dcstep.
  double next(const Trial& trial, double least, double most) {
    const bool slopes_differ = trial.slope * (best.slope < 0 ? -1 : 1) < 0;
    const bool beyond = trial.step > best.step;
    double step;
    if (trial.value > best.value) {
      const Cubic cubic(best, trial, false);
      const double gamma = beyond ? cubic.gamma : -cubic.gamma;
      const double r = (gamma - best.slope + cubic.theta) / (gamma - best.slope + gamma + trial.slope);
      const double by_cubic = best.step + r * (trial.step - best.step);
      const double mean_slope = (best.value - trial.value) / (trial.step - best.step);
      const double by_square = best.step + best.slope / (mean_slope + best.slope) / 2 * (trial.step - best.step);
      step = std::abs(by_cubic - best.step) < std::abs(by_square - best.step) ? by_cubic
                                                                              : by_cubic + (by_square - by_cubic) / 2;
      bracketed = true;
    } else if (slopes_differ) {
      const Cubic cubic(best, trial, false);
      const double gamma = beyond ? -cubic.gamma : cubic.gamma;
      const double r = (gamma - trial.slope + cubic.theta) / (gamma - trial.slope + gamma + best.slope);
      const double by_cubic = trial.step + r * (best.step - trial.step), by_secant = secant(trial, best);
      step = std::abs(by_cubic - trial.step) > std::abs(by_secant - trial.step) ? by_cubic : by_secant;
      bracketed = true;
    } else if (std::abs(trial.slope) < std::abs(best.slope)) {
      const Cubic cubic(best, trial, true);
      const double gamma = beyond ? -cubic.gamma : cubic.gamma;
      const double r = (gamma - trial.slope + cubic.theta) / (gamma + (best.slope - trial.slope) + gamma);
      const double by_cubic = r < 0 && gamma != 0 ? trial.step + r * (best.step - trial.step) : beyond ? most : least;
      const double by_secant = secant(trial, best);
      const bool cubic_is_nearer = std::abs(by_cubic - trial.step) < std::abs(by_secant - trial.step);
      step = cubic_is_nearer == bracketed ? by_cubic : by_secant;
      if (bracketed) {
        const double bound = trial.step + 0.66 * (other.step - trial.step);
        step = beyond ? std::min(bound, step) : std::max(bound, step);
      } else {
        step = std::max(least, std::min(step, most));  // not clamp: after a shortened step `least` may be above `most`
      }
    } else if (bracketed) {
      const Cubic cubic(other, trial, false);
      const double gamma = trial.step > other.step ? -cubic.gamma : cubic.gamma;
      const double r = (gamma - trial.slope + cubic.theta) / (gamma - trial.slope + gamma + other.slope);
      step = trial.step + r * (other.step - trial.step);
    } else {
      step = beyond ? most : least;
    }
    if (trial.value > best.value) {
      other = trial;
    } else {
      if (slopes_differ) other = best;
      best = trial;
    }
    return step;
  }
};

/// What is left of a trial when a line of this slope is taken from the function.
Trial less_line(const Trial& trial, double slope) {
  return {trial.step, trial.value - trial.step * slope, trial.slope - slope};
}
Trial plus_line(const Trial& trial, double slope) { return less_line(trial, -slope); }

}  // namespace

LineStep search_line(const std::function<LinePoint(double)>& f, const LinePoint& at_zero, double first_step,
                     double noise, const LineSearch& options) {
  const double foretold = options.sufficient_decrease * at_zero.slope, enough = -options.curvature * at_zero.slope;
  double most = 1e10, width = most, width_before = 2 * width, lower = 0, upper = 5 * first_step, step = first_step;
  Interval interval{{0, at_zero.value, at_zero.slope}, {0, at_zero.value, at_zero.slope}};
  bool first_stage = true;
  for (int evaluations = 0; evaluations < options.max_evaluations; ++evaluations) {
    const LinePoint point = f(step);
    if (!std::isfinite(point.value) || !std::isfinite(point.slope)) {
      most = upper = step;
      step = interval.best.step + 0.25 * (step - interval.best.step);
      continue;
    }
    const Trial trial{step, point.value, point.slope};
    const double bound = at_zero.value + step * foretold;
    const bool decreased = trial.value <= bound;
    if (std::abs(trial.slope) <= enough && (decreased || trial.value <= at_zero.value + noise)) return {true, step};
    if (first_stage && decreased && trial.slope >= 0) first_stage = false;
    const bool stuck = interval.bracketed && (step <= lower || step >= upper || upper - lower <= 1e-10 * upper);
    if (stuck || (step >= most && decreased && trial.slope <= foretold)) return {decreased, step};
    if (first_stage && trial.value <= interval.best.value && !decreased) {
      Interval changed{less_line(interval.best, foretold), less_line(interval.other, foretold), interval.bracketed};
      step = changed.next(less_line(trial, foretold), lower, upper);
      interval = {plus_line(changed.best, foretold), plus_line(changed.other, foretold), changed.bracketed};
    } else {
      step = interval.next(trial, lower, upper);
    }
    const double best = interval.best.step, other = interval.other.step;
    if (interval.bracketed) {
      if (std::abs(other - best) >= 0.66 * width_before) step = best + 0.5 * (other - best);
      width_before = width;
      width = std::abs(other - best);
      lower = std::min(best, other), upper = std::max(best, other);
    } else {
      lower = step + 1.1 * (step - best), upper = step + 4 * (step - best);
    }
    step = std::max(0.0, std::min(step, most));
    if (interval.bracketed && (step <= lower || step >= upper)) step = best;
  }
  return {};
}

}  // namespace xgrad::optim::detail
