#include "promise.hpp"

#include <algorithm>
#include <cmath>

#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "acquisition_search.hpp"

namespace xgrad::tune {

std::optional<Promise> promise_of(const History& history, std::int64_t end) {
  if (history.directions().size() != 1) return std::nullopt;
  JointSpace space;
  std::vector<const TrialRecord*> trials;
  for (const TrialRecord& trial : history)
    if (const auto rank = trial.number < end ? rank_of(trial, history.directions()[0]) : std::nullopt;
        rank && rank->group == 0 && !trial.parameters.empty()) {
      space.add(trial);
      trials.push_back(&trial);
    }
  if (trials.size() < 2 || space.parameters().empty()) return std::nullopt;
  std::vector<SearchAxis> axes;
  std::vector<bool> categorical;
  for (const auto& [name, distribution] : space.parameters()) {
    categorical.push_back(std::holds_alternative<CategoricalDistribution>(distribution));
    axes.push_back({distribution, count(distribution), categorical.back()});
  }
  const double sign = history.directions()[0] == minimize ? 1 : -1;
  Points points{axes.size()}, starts{axes.size()};
  std::vector<double> y;
  double mean = 0, square = 0;
  for (const TrialRecord* trial : trials) {
    for (std::size_t i = 0; const auto& [name, distribution] : space.parameters())
      points.values.push_back(axes[i++].to_x(find(trial->parameters, name)->value));
    y.push_back(sign * trial->values[0]);
    mean += y.back() / static_cast<double>(trials.size());
  }
  for (const double value : y) square += (value - mean) * (value - mean) / static_cast<double>(y.size());
  const double deviation = std::max(std::sqrt(square), 1e-10);
  for (double& value : y) value = (value - mean) / deviation;
  const auto best = static_cast<std::size_t>(std::min_element(y.begin(), y.end()) - y.begin());
  starts.add({points[best], axes.size()});
  const Kernel kernel = fit_kernel(points, y, {categorical, false});
  const Acquisition acquisition(GaussianProcess(kernel, points, y, {axes.size()}, categorical), y[best]);
  const auto x = most_promising(acquisition, axes, starts, {}, Draws(0, history.size(), "terminator"));
  return Promise{deviation * std::exp(acquisition(x.data())), deviation * std::sqrt(kernel.noise)};
}

}  // namespace xgrad::tune
