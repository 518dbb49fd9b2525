#include "gp.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "../../core/error.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "acquisition_search.hpp"
#include "sobol.hpp"
#include "tpe.hpp"

namespace xgrad::tune {
namespace {

// n, or a smaller number near it that is the same for many n: powers of two in sixteen steps.
std::size_t fitted_number(std::size_t n) {
  const std::size_t step = n < 64 ? 1 : std::bit_floor(n) / 16;
  return n / step * step;
}

struct Standardized {
  std::vector<double> values;
  double mean = 0, deviation = 1;
};

Standardized standardize(std::vector<double> values) {
  Standardized out;
  const auto n = static_cast<double>(values.size());
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double square = 0;
  for (const double value : values) square += (value - out.mean) * (value - out.mean);
  out.deviation = std::max(std::sqrt(square / n), 1e-10);
  for (double& value : values) value = (value - out.mean) / out.deviation;
  out.values = std::move(values);
  return out;
}

// What was observed, as far as a process can use it. Values are to be minimised.
struct Observations {
  Points points, pending;
  std::vector<std::vector<double>> values;  // by objective
  std::map<std::string, std::vector<double>> constraints;
  std::vector<double> violations;
};

class GPSampler final : public Sampler {
 public:
  GPSampler(const GP& options, std::uint64_t seed)
      : options_(options), seed_(seed), startup_(Sobol{}.make(seed)), others_(TPE{.multivariate = false}.make(seed)) {}

  double suggest(const History& history, const TrialRecord& trial, const std::string& name,
                 const Distribution& distribution) override {
    check(history.directions().size() <= 3, "GP: ", history.directions().size(),
          " objectives; it takes up to three, NSGAII and TPE any number");
    ended_.follow(history);
    if (ended_.size() < options_.startup_trials || count(distribution) == 1)
      return startup_->suggest(history, trial, name, distribution);
    const Parameter* drawn = find(joint(history, trial), name);
    if (drawn && drawn->distribution == distribution) return drawn->value;
    return others_->suggest(history, trial, name, distribution);
  }

 private:
  const std::vector<Parameter>& joint(const History& history, const TrialRecord& trial) {
    std::erase_if(drawn_, [&](const auto& entry) {
      return entry.first != trial.number && history[entry.first].state != TrialState::running;
    });
    const auto found = drawn_.find(trial.number);
    if (found != drawn_.end()) return found->second;
    auto& values = drawn_[trial.number];
    if (!ended_.space().parameters().empty()) values = draw(history, trial);
    return values;
  }

  std::vector<Parameter> draw(const History& history, const TrialRecord& trial) {
    std::vector<SearchAxis> axes;
    for (const auto& [name, distribution] : ended_.space().parameters()) {
      SearchAxis axis{distribution, count(distribution), std::holds_alternative<CategoricalDistribution>(distribution)};
      if (const Parameter* given = find(trial.parameters, name); given && given->distribution == distribution)
        axis.fixed = axis.to_x(given->value);
      axes.push_back(std::move(axis));
    }
    const Observations seen = observe(history, trial.number, axes);
    std::vector<double> x;
    Draws draws(seed_, trial.number, "gp");
    if (seen.points.size() < 2) {
      for (const SearchAxis& axis : axes)
        x.push_back(axis.fixed.value_or(axis.to_x(unwarp(axis.distribution, draws.uniform()))));
    } else {
      std::set<std::vector<double>> taken;
      for (const Points* points : {&seen.points, &seen.pending})
        for (std::size_t i = 0; i < points->size(); ++i) taken.emplace((*points)[i], (*points)[i] + points->dimensions);
      Points starts = best_points(seen);
      double apart = 0;
      if (trial.number % 2 != 0 && is_stalled(seen)) {
        starts = {axes.size()};
        const std::size_t centre = one_of_the_best(seen, draws);
        starts.add({seen.points[centre], axes.size()});
        apart = 0.2 * confine(axes, seen.points[centre], draws);
      }
      x = most_promising(acquisition(seen, axes, draws), axes, starts, taken, draws, apart);
    }
    std::vector<Parameter> values;
    for (std::size_t i = 0; const auto& [name, distribution] : ended_.space().parameters()) {
      values.push_back({name, distribution, axes[i].to_value(x[i])});
      ++i;
    }
    return values;
  }

  bool place(const TrialRecord& trial, const std::vector<SearchAxis>& axes, std::vector<double>& x) const {
    x.clear();
    for (std::size_t i = 0; const auto& [name, distribution] : ended_.space().parameters()) {
      const Parameter* parameter = find(trial.parameters, name);
      if (!parameter || parameter->distribution != distribution) return false;
      x.push_back(axes[i++].to_x(parameter->value));
    }
    return true;
  }

  Observations observe(const History& history, std::int64_t asking, const std::vector<SearchAxis>& axes) const {
    const std::size_t objectives = history.directions().size();
    Observations seen;
    seen.points.dimensions = seen.pending.dimensions = axes.size();
    seen.values.resize(objectives);
    std::vector<double> sign;
    for (const Direction direction : history.directions()) sign.push_back(direction == minimize ? 1 : -1);
    std::vector<double> worst(objectives, -std::numeric_limits<double>::infinity()), complete;
    for (const TrialRecord& trial : history) {
      if (trial.state != TrialState::complete || trial.values.size() != objectives) continue;
      for (std::size_t m = 0; m < objectives; ++m)
        if (std::isfinite(trial.values[m])) worst[m] = std::max(worst[m], sign[m] * trial.values[m]);
      if (std::isfinite(trial.values[0])) complete.push_back(sign[0] * trial.values[0]);
    }
    double median = 0;
    if (!complete.empty()) {
      const auto middle = complete.begin() + static_cast<std::ptrdiff_t>(complete.size() / 2);
      std::nth_element(complete.begin(), middle, complete.end());
      median = *middle;
    }
    std::vector<double> x;
    for (const TrialRecord& trial : history) {
      if (!place(trial, axes, x)) continue;
      if (trial.state == TrialState::running && trial.number != asking) seen.pending.add(x);
      std::vector<double> values(objectives);
      if (trial.state == TrialState::complete && trial.values.size() == objectives) {
        for (std::size_t m = 0; m < objectives; ++m)
          values[m] = std::isfinite(trial.values[m]) ? sign[m] * trial.values[m] : worst[m];
      } else if (trial.state == TrialState::diverged) {
        if (complete.empty()) continue;
        values = worst;
      } else if ((trial.state == TrialState::pruned || trial.state == TrialState::paused) && objectives == 1 &&
                 !trial.intermediate.empty() && std::isfinite(trial.intermediate.rbegin()->second)) {
        values[0] = sign[0] * trial.intermediate.rbegin()->second;
        if (!complete.empty()) values[0] = std::max(values[0], median);
      } else {
        continue;
      }
      seen.points.add(x);
      for (std::size_t m = 0; m < objectives; ++m) seen.values[m].push_back(values[m]);
      seen.violations.push_back(violation(trial));
      for (const auto& [name, value] : trial.constraints) {
        auto& column = seen.constraints[name];
        column.resize(seen.points.size() - 1, 0.0);
        column.push_back(std::clamp(value, -1e100, 1e100));
      }
    }
    for (auto& [name, column] : seen.constraints) column.resize(seen.points.size(), 0.0);
    return seen;
  }

  // The kernel for these values, fitted to the first of them; `purpose` names what they are.
  const Kernel& kernel(const Points& points, const std::vector<double>& values, const std::vector<bool>& categorical,
                       const std::string& purpose) {
    const std::size_t n = fitted_number(points.size());
    Fitted& fitted = kernels_[purpose];
    if (fitted.number != n || fitted.kernel.inverse_squared_lengths.size() != points.dimensions) {
      Points first{points.dimensions,
                   {points.values.begin(), points.values.begin() + static_cast<std::ptrdiff_t>(n * points.dimensions)}};
      const std::vector<double> y(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n));
      fitted = {n, fit_kernel(first, standardize(y).values, {categorical, options_.deterministic})};
    }
    return fitted.kernel;
  }

  Acquisition acquisition(const Observations& seen, const std::vector<SearchAxis>& axes, Draws& draws) {
    std::vector<bool> categorical;
    for (const SearchAxis& axis : axes) categorical.push_back(axis.categorical);
    std::vector<GaussianProcess> processes;
    std::vector<Standardized> values;
    for (std::size_t m = 0; m < seen.values.size(); ++m) {
      values.push_back(standardize(seen.values[m]));
      processes.emplace_back(kernel(seen.points, values[m].values, categorical, "objective " + std::to_string(m)),
                             seen.points, values[m].values, seen.pending, categorical);
    }
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < seen.points.size(); ++i)
      if (seen.violations[i] == 0 && contains(axes, seen.points[i])) best = std::min(best, values[0].values[i]);
    const bool has_best = std::isfinite(best);
    Acquisition result = values.size() == 1 || !has_best ? Acquisition(processes[0], best, has_best)
                                                         : Acquisition(processes, boxes(seen, values), draws.bits());
    for (const auto& [name, column] : seen.constraints) {
      const Standardized standard = standardize(column);
      result.add_constraint(GaussianProcess(kernel(seen.points, standard.values, categorical, "constraint " + name),
                                            seen.points, standard.values, seen.pending, categorical),
                            -standard.mean / standard.deviation);
    }
    return result;
  }

  static std::vector<ImprovementBox> boxes(const Observations& seen, const std::vector<Standardized>& values) {
    std::vector<std::vector<double>> points;
    std::vector<double> reference(values.size(), -std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < seen.points.size(); ++i) {
      std::vector<double> point;
      for (std::size_t m = 0; m < values.size(); ++m) {
        point.push_back(values[m].values[i]);
        reference[m] = std::max(reference[m], values[m].values[i]);
      }
      if (seen.violations[i] == 0) points.push_back(std::move(point));
    }
    for (double& each : reference) each = std::max(1.1 * each, 0.9 * each) + 1e-9;
    std::vector<std::vector<double>> front;
    for (const std::size_t i : first_front(points)) front.push_back(points[i]);
    constexpr std::size_t most = 32;  // in three dimensions a front of n has about n^2 boxes
    if (values.size() > 2 && front.size() > most) {
      std::vector<std::vector<double>> kept;
      for (const std::size_t i : best_fronts(front, most)) kept.push_back(front[i]);
      front = std::move(kept);
    }
    return improvement_boxes(front, reference);
  }

  // Whether the last trials found nothing better by a thousandth of how much values differ. A process that is too sure
  // of itself goes on to try points next to the best, on a face of the box say, from which the function descends.
  static bool is_stalled(const Observations& seen) {
    constexpr std::size_t last = 5;
    if (seen.values.size() > 1 || seen.points.size() < 2 * last) return false;
    double before = std::numeric_limits<double>::infinity(), now = before;
    for (std::size_t i = 0; i < seen.points.size(); ++i) {
      if (seen.violations[i] > 0) continue;
      now = std::min(now, seen.values[0][i]);
      if (i + last < seen.points.size()) before = now;
    }
    return before - now < 1e-3 * standardize(seen.values[0]).deviation;
  }

  // By lot: among the best s^2 of all trials with probability s.
  static std::size_t one_of_the_best(const Observations& seen, Draws& draws) {
    std::vector<std::size_t> order(seen.points.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::tuple(seen.violations[a], seen.values[0][a], a) <
             std::tuple(seen.violations[b], seen.values[0][b], b);
    });
    const double u = draws.uniform();
    return order[static_cast<std::size_t>(u * u * static_cast<double>(order.size()))];
  }

  // Confines the search to a box around a point, whose half width, by lot, is returned.
  static double confine(std::vector<SearchAxis>& axes, const double* centre, Draws& draws) {
    constexpr double half_widths[] = {0.05, 0.1, 0.2, 0.4};
    const double half = half_widths[draws.bits() % 4];
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (axes[k].values > 0) continue;
      axes[k].low = std::max(0.0, centre[k] - half);
      axes[k].high = std::min(1.0, centre[k] + half);
    }
    return half;
  }

  static bool contains(const std::vector<SearchAxis>& axes, const double* point) {
    for (std::size_t k = 0; k < axes.size(); ++k)
      if (axes[k].values == 0 && !(axes[k].low <= point[k] && point[k] <= axes[k].high)) return false;
    return true;
  }

  // Where to begin the search besides Sobol points.
  static Points best_points(const Observations& seen) {
    std::vector<std::vector<double>> points;
    std::vector<std::size_t> index;
    for (std::size_t i = 0; i < seen.points.size(); ++i) {
      if (seen.violations[i] > 0) continue;
      std::vector<double> point;
      for (const auto& column : seen.values) point.push_back(column[i]);
      points.push_back(std::move(point));
      index.push_back(i);
    }
    Points out{seen.points.dimensions};
    if (points.empty()) {
      const auto least = std::min_element(seen.violations.begin(), seen.violations.end()) - seen.violations.begin();
      out.add({seen.points[static_cast<std::size_t>(least)], seen.points.dimensions});
      return out;
    }
    for (const std::size_t i : best_fronts(points, seen.values.size() == 1 ? 2 : 4))
      out.add({seen.points[index[i]], seen.points.dimensions});
    return out;
  }

  struct Fitted {
    std::size_t number = 0;
    Kernel kernel = {};
  };

  GP options_;
  std::uint64_t seed_;
  std::unique_ptr<Sampler> startup_, others_;
  EndedTrials ended_;
  std::map<std::int64_t, std::vector<Parameter>> drawn_;
  std::map<std::string, Fitted> kernels_;
};

}  // namespace

std::unique_ptr<Sampler> GP::make(std::uint64_t seed) const {
  check(startup_trials >= 1, "GP: startup_trials ", startup_trials, " is below 1");
  return std::make_unique<GPSampler>(*this, seed);
}

}  // namespace xgrad::tune
