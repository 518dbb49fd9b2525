#include "acquisition_search.hpp"

#include <algorithm>
#include <cmath>

#include "../trials/space.hpp"
#include "bounded_lbfgs.hpp"
#include "sobol.hpp"

namespace xgrad::tune {
namespace {

constexpr std::size_t local_searches = 8;
constexpr int most_rounds = 8;
constexpr std::int64_t most_tried = 16;  // values of one axis

struct Candidate {
  std::vector<double> x;
  double value;
};

class Ascent {
 public:
  Ascent(const Acquisition& acquisition, const std::vector<SearchAxis>& axes) : acquisition_(acquisition), axes_(axes) {
    for (std::size_t i = 0; i < axes.size(); ++i)
      if (axes[i].values == 0 && !axes[i].fixed) continuous_.push_back(i);
  }

  void operator()(Candidate& at, Draws& draws) const {
    for (int round = 0; round < most_rounds; ++round) {
      const double before = at.value;
      along_continuous(at);
      bool changed = false;
      for (std::size_t axis = 0; axis < axes_.size(); ++axis)
        if (axes_[axis].values > 0 && !axes_[axis].fixed) changed = along(at, axis, draws) || changed;
      if (!changed || at.value - before < 1e-6) break;
    }
  }

 private:
  void along_continuous(Candidate& at) const {
    if (continuous_.empty()) return;
    // In units of the length scales, in which the function is as steep along all axes.
    const auto& inverse = acquisition_.process().kernel().inverse_squared_lengths;
    const std::size_t k = continuous_.size();
    std::vector<double> x = at.x, z(k), low(k), high(k), unit(k), gradient(x.size());
    for (std::size_t i = 0; i < k; ++i) {
      unit[i] = std::min(1 / std::sqrt(inverse[continuous_[i]]), 4.0);
      z[i] = at.x[continuous_[i]] / unit[i];
      low[i] = axes_[continuous_[i]].low / unit[i];
      high[i] = axes_[continuous_[i]].high / unit[i];
    }
    const auto evaluate = [&](std::span<const double> point, std::span<double> slope) {
      for (std::size_t i = 0; i < k; ++i) x[continuous_[i]] = point[i] * unit[i];
      const double value = acquisition_(x.data(), gradient);
      for (std::size_t i = 0; i < k; ++i) slope[i] = -gradient[continuous_[i]] * unit[i];
      return -value;
    };
    const double value = -minimize_in_box(evaluate, z, low, high, {.max_iterations = 50, .tolerance = 1e-3});
    if (!(value > at.value)) return;
    at.value = value;
    for (std::size_t i = 0; i < k; ++i) {
      const SearchAxis& axis = axes_[continuous_[i]];
      at.x[continuous_[i]] = std::clamp(z[i] * unit[i], axis.low, axis.high);
    }
  }

  // Other values of an axis: all of a few, otherwise near ones and some at random.
  bool along(Candidate& at, std::size_t axis, Draws& draws) const {
    const SearchAxis& a = axes_[axis];
    const auto index = a.categorical ? std::llround(at.x[axis]) : index_of(a, at.x[axis]);
    std::vector<std::int64_t> tried;
    if (a.categorical ? a.values <= 4 * most_tried : a.values <= most_tried) {
      for (std::int64_t i = 0; i < a.values; ++i) tried.push_back(i);
    } else {
      for (std::int64_t step = 1; step < a.values && tried.size() < most_tried; step *= 2) {
        tried.push_back(index - step);
        tried.push_back(index + step);
      }
      for (int i = 0; i < 4; ++i)
        tried.push_back(static_cast<std::int64_t>(draws.uniform() * static_cast<double>(a.values)));
    }
    std::vector<double> x = at.x;
    bool changed = false;
    for (const std::int64_t i : tried) {
      if (i < 0 || i >= a.values || i == index) continue;
      x[axis] = coordinate(a, i);
      const double value = acquisition_(x.data());
      if (!(value > at.value)) continue;
      at = {x, value};
      changed = true;
    }
    return changed;
  }

  static double first_of(const SearchAxis& a) { return tune::axis(a.distribution).first; }
  static std::int64_t index_of(const SearchAxis& a, double x) {
    const Axis range = tune::axis(a.distribution);
    return std::llround((unwarp(a.distribution, x) - range.first) / range.step);
  }
  static double coordinate(const SearchAxis& a, std::int64_t index) {
    if (a.categorical) return static_cast<double>(index);
    const Axis range = tune::axis(a.distribution);
    return warp(a.distribution, range.first + static_cast<double>(index) * range.step);
  }

  const Acquisition& acquisition_;
  const std::vector<SearchAxis>& axes_;
  std::vector<std::size_t> continuous_;
};

// Whether a point differs from one of these by less than `apart` along every axis.
bool is_near(const std::vector<double>& x, const std::set<std::vector<double>>& points, double apart) {
  return std::any_of(points.begin(), points.end(), [&](const std::vector<double>& point) {
    for (std::size_t k = 0; k < x.size(); ++k)
      if (std::abs(x[k] - point[k]) >= apart) return false;
    return true;
  });
}

}  // namespace

double SearchAxis::to_x(double value) const { return categorical ? value : warp(distribution, value); }
double SearchAxis::to_value(double x) const {
  return categorical ? std::clamp(std::round(x), 0.0, static_cast<double>(values - 1)) : unwarp(distribution, x);
}

std::vector<double> most_promising(const Acquisition& acquisition, const std::vector<SearchAxis>& axes,
                                   const Points& starts, const std::set<std::vector<double>>& taken, Draws draws,
                                   double apart) {
  const std::size_t d = axes.size();
  const auto observed = static_cast<double>(acquisition.process().points().size());
  const auto samples = static_cast<std::int64_t>(std::clamp(1e5 / observed, 256.0, 1024.0));
  const SobolSequence sequence(draws.bits());
  std::vector<Candidate> candidates;
  const auto add = [&](std::vector<double> x) {
    const double value = acquisition(x.data());
    candidates.push_back({std::move(x), value});
  };
  for (std::int64_t i = 0; i < samples; ++i) {
    std::vector<double> x(d);
    for (std::size_t k = 0; k < d; ++k) {
      const double u = k < SobolSequence::dimensions ? sequence(i, k) : draws.uniform();
      const SearchAxis& axis = axes[k];
      x[k] = axis.fixed         ? *axis.fixed
             : axis.values == 0 ? axis.low + u * (axis.high - axis.low)
                                : axis.to_x(unwarp(axis.distribution, u));
    }
    add(std::move(x));
  }
  const std::size_t spread = candidates.size();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    std::vector<double> x(starts[i], starts[i] + d);
    for (std::size_t k = 0; k < d; ++k) {
      if (axes[k].values == 0) x[k] = std::clamp(x[k], axes[k].low, axes[k].high);
      if (axes[k].fixed) x[k] = *axes[k].fixed;
    }
    add(x);
    for (std::size_t k = 0; k < d; ++k)
      if (axes[k].values == 0 && !axes[k].fixed)
        x[k] = std::clamp(x[k] + 0.05 * (draws.uniform() - 0.5), axes[k].low, axes[k].high);
    add(std::move(x));
  }

  // Start from the best, from all `starts`, and from others by lot: exp(value) is their weight.
  std::vector<Candidate> searched(candidates.begin() + static_cast<std::ptrdiff_t>(spread), candidates.end());
  const auto by_value = [](const Candidate& a, const Candidate& b) { return a.value < b.value; };
  const double top =
      std::max_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(spread), by_value)->value;
  std::vector<std::pair<double, std::size_t>> lots;  // the largest log(u) / weight win (Efraimidis and Spirakis 2006)
  for (std::size_t i = 0; i < spread; ++i)
    lots.emplace_back(candidates[i].value == top
                          ? 1
                          : std::log(draws.uniform() + 1e-300) * std::exp(std::min(top - candidates[i].value, 500.0)),
                      i);
  const std::size_t chosen = std::min(local_searches, spread);
  std::partial_sort(lots.begin(), lots.begin() + static_cast<std::ptrdiff_t>(chosen), lots.end(), std::greater<>());
  for (std::size_t i = 0; i < chosen; ++i) searched.push_back(candidates[lots[i].second]);

  const Ascent ascend(acquisition, axes);
  for (Candidate& candidate : searched) ascend(candidate, draws);
  candidates.insert(candidates.end(), searched.begin(), searched.end());
  const Candidate* best = nullptr;
  for (const Candidate& candidate : candidates) {
    if (taken.contains(candidate.x) || (apart > 0 && is_near(candidate.x, taken, apart))) continue;
    if (!best || candidate.value > best->value) best = &candidate;
  }
  if (!best) best = &*std::max_element(candidates.begin(), candidates.end(), by_value);
  return best->x;
}

}  // namespace xgrad::tune
