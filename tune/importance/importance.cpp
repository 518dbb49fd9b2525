#include "importance.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "../../core/error.hpp"
#include "../trials/normal.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "fanova.hpp"

namespace xgrad::tune {
namespace {

constexpr std::size_t most_cells = 50;

// How many values fall into each cell of a grid over the distribution, whose ends are the middles of its outer cells.
std::vector<double> counts_on_grid(const Distribution& distribution, const std::vector<double>& values) {
  if (std::holds_alternative<CategoricalDistribution>(distribution)) {
    std::vector<double> counts(static_cast<std::size_t>(count(distribution)));
    for (const double value : values) ++counts[static_cast<std::size_t>(value)];
    return counts;
  }
  const Axis range = axis(distribution);
  std::size_t cells = most_cells;
  if (range.step > 0) {
    const double steps = (range.last - range.first) / range.step;
    const double wanted = range.scale == Scale::log ? std::ceil(std::log2(steps + 1)) + 1 : std::round(steps) + 1;
    cells = static_cast<std::size_t>(std::min(wanted, static_cast<double>(most_cells)));
  }
  const double low = range.to_z(range.first), last = static_cast<double>(cells - 1);
  const double width = (range.to_z(range.last) - low) / last;
  std::vector<double> counts(cells);
  for (const double value : values)
    ++counts[static_cast<std::size_t>(std::clamp(std::ceil((range.to_z(value) - low) / width - 0.5), 0.0, last))];
  return counts;
}

// Kernels at the cells that have values, weighted by their number, and a prior.
std::vector<double> categorical_density(const std::vector<double>& counts) {
  const auto observed =
      static_cast<double>(std::count_if(counts.begin(), counts.end(), [](double c) { return c > 0; }));
  const double total = std::accumulate(counts.begin(), counts.end(), 1.0), choices = static_cast<double>(counts.size());
  const double each = 1 / (observed + 1);
  std::vector<double> density(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i)
    density[i] = ((total - 1) * each + counts[i]) / (1 + choices * each) / total + 1 / (choices * total);
  return density;
}

// As above, with normals over the cells by Scott's rule (Multivariate density estimation, 1992).
std::vector<double> numerical_density(const std::vector<double>& counts) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0), cells = static_cast<double>(counts.size());
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) mean += counts[i] * static_cast<double>(i) / total;
  for (std::size_t i = 0; i < counts.size(); ++i) square += counts[i] * std::pow(static_cast<double>(i) - mean, 2);
  const double deviation = std::sqrt(square / std::max(1.0, total - 1));
  // The first cell up to which there are at least, or more than, so many values; the last one that has any otherwise.
  const auto quartile = [&](auto reached) {
    double sum = 0, cell = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      cell = static_cast<double>(i);
      if (reached(sum += counts[i])) break;
    }
    return cell;
  };
  const double q1 = quartile([&](double sum) { return sum >= std::floor(total / 4); });
  const double q3 = quartile([&](double sum) { return sum > std::floor(total * 3 / 4); });
  constexpr double least = 0.5 / 1.64;  // 90 % of a kernel in its cell
  const double sigma = std::max(1.059 * std::min((q3 - q1) / 1.34, deviation) * std::pow(total, -0.2), least);

  std::vector<double> density(counts.size());
  const auto add = [&](double weight, double mu, double width) {
    const double mass = normal_mass((-0.5 - mu) / width, (cells - 0.5 - mu) / width);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const double x = static_cast<double>(i) - mu;
      density[i] += weight * normal_mass((x - 0.5) / width, (x + 0.5) / width) / mass;
    }
  };
  for (std::size_t k = 0; k < counts.size(); ++k)
    if (counts[k] > 0) add(counts[k] / (total + 1), static_cast<double>(k), sigma);
  add(1 / (total + 1), (cells - 1) / 2, cells);
  return density;
}

std::vector<double> density(const Distribution& distribution, const std::vector<double>& values) {
  const auto counts = counts_on_grid(distribution, values);
  auto result = std::holds_alternative<CategoricalDistribution>(distribution) ? categorical_density(counts)
                                                                              : numerical_density(counts);
  for (double& d : result) d += 1e-12;
  return result;
}

// The values that a parameter took while it had one distribution.
struct Regime {
  Distribution distribution;
  std::vector<double> all, good;
};

// How good a trial is, less is better: complete ones by their value, then those that were stopped, the ones that came
// further first, by their last report. Nothing for trials without a value.
using ObjectiveRank = std::array<double, 3>;

std::optional<ObjectiveRank> rank_by(const TrialRecord& trial, const std::vector<Direction>& directions,
                                     std::size_t objective) {
  const double sign = directions[objective] == minimize ? 1 : -1;
  if (trial.state == TrialState::complete) {
    const bool finite =
        std::all_of(trial.values.begin(), trial.values.end(), [](double v) { return std::isfinite(v); });
    if (trial.values.size() <= objective || !finite) return std::nullopt;
    return ObjectiveRank{0, 0, sign * trial.values[objective]};
  }
  const auto stopped = directions.size() == 1 ? rank_of(trial, directions[0]) : std::nullopt;
  if (!stopped || stopped->group != 1) return std::nullopt;
  return ObjectiveRank{1, stopped->further, stopped->value};
}

}  // namespace

double pearson_divergence(const Distribution& distribution, const std::vector<double>& good,
                          const std::vector<double>& all) {
  const auto top = density(distribution, good), local = density(distribution, all);
  double divergence = 0;
  for (std::size_t i = 0; i < top.size(); ++i) divergence += local[i] * std::pow(top[i] / local[i] - 1, 2);
  return divergence;
}

namespace {

std::vector<std::pair<std::string, double>> divergences(const History& history, std::size_t objective,
                                                        double quantile) {
  std::vector<const TrialRecord*> trials;
  std::vector<ObjectiveRank> ranks;
  for (const TrialRecord& trial : history)
    if (const auto rank = rank_by(trial, history.directions(), objective)) {
      trials.push_back(&trial);
      ranks.push_back(*rank);
    }
  std::map<std::string, std::vector<Regime>> parameters;
  double good_trials = 0;
  if (!trials.empty()) {
    std::vector<ObjectiveRank> sorted = ranks;
    const auto cutoff = static_cast<std::ptrdiff_t>(std::ceil(quantile * static_cast<double>(ranks.size()))) - 1;
    std::nth_element(sorted.begin(), sorted.begin() + cutoff, sorted.end());
    for (std::size_t i = 0; i < trials.size(); ++i) {
      const bool good = ranks[i] <= sorted[static_cast<std::size_t>(cutoff)];
      good_trials += good;
      for (const Parameter& parameter : trials[i]->parameters) {
        auto& regimes = parameters[parameter.name];
        auto regime = std::find_if(regimes.begin(), regimes.end(),
                                   [&](const Regime& r) { return r.distribution == parameter.distribution; });
        if (regime == regimes.end()) regime = regimes.insert(regime, {parameter.distribution, {}, {}});
        regime->all.push_back(parameter.value);
        if (good) regime->good.push_back(parameter.value);
      }
    }
  }
  std::vector<std::pair<std::string, double>> result;
  const auto n = static_cast<double>(trials.size());
  for (const auto& [name, regimes] : parameters) {
    double value = 0;
    for (const auto& [distribution, all, good] : regimes) {
      if (trials.size() < 2 || all.size() < 2 || good.empty() || count(distribution) == 1) continue;
      const double share_of_good = static_cast<double>(good.size()) / good_trials,
                   share = static_cast<double>(all.size()) / n;
      value += share_of_good * share_of_good / share * pearson_divergence(distribution, good, all);
    }
    result.emplace_back(name, value);
  }
  return result;
}

}  // namespace

std::vector<std::pair<std::string, double>> importance(const History& history, const ImportanceOptions& options) {
  const std::size_t objective = options.objective;
  check(objective < history.directions().size(), "importance: there is no objective ", objective, " among ",
        history.directions().size());
  std::vector<std::pair<std::string, double>> result;
  if (const auto* fanova = std::get_if<Fanova>(&options.evaluator)) {
    check(fanova->trees >= 1 && fanova->max_depth >= 1, "importance: ", fanova->trees, " trees of depth ",
          fanova->max_depth, "; there must be at least one, of depth 1");
    result = detail::explained_variance(history, objective, *fanova);
  } else {
    const double quantile = std::get<PedAnova>(options.evaluator).quantile;
    check(quantile > 0 && quantile < 1, "importance: quantile ", quantile, " is not in (0, 1)");
    result = divergences(history, objective, quantile);
  }
  double sum = 0;
  for (const auto& [name, value] : result) sum += value;
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (auto& [name, value] : result) value = sum > 0 ? value / sum : 0;
  return result;
}

}  // namespace xgrad::tune
