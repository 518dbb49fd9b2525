#include "ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace xgrad::tune {
namespace {

bool dominates(const std::vector<double>& a, const std::vector<double>& b) {
  bool better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better;
}

// Splits `candidates` into those that no other of them dominates, and the rest. Sorted by their coordinates, a point
// can only be dominated by one before it, and then also by one of the front.
std::pair<std::vector<std::size_t>, std::vector<std::size_t>> split_front(
    const std::vector<std::vector<double>>& points, const std::vector<std::size_t>& sorted) {
  std::vector<std::size_t> front, rest;
  for (const std::size_t i : sorted) {
    const bool beaten =
        std::any_of(front.begin(), front.end(), [&](std::size_t j) { return dominates(points[j], points[i]); });
    (beaten ? rest : front).push_back(i);
  }
  return {front, rest};
}

std::vector<std::size_t> sorted_order(const std::vector<std::vector<double>>& points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return points[a] < points[b]; });
  return order;
}

// Orders a front by crowding distance, largest first.
void sort_by_crowding(const std::vector<std::vector<double>>& points, std::vector<std::size_t>& front) {
  std::vector<std::pair<double, std::size_t>> crowding;
  for (const std::size_t i : front) crowding.push_back({0, i});
  for (std::size_t m = 0; m < points[front[0]].size(); ++m) {
    const auto value = [&](const auto& entry) { return points[entry.second][m]; };
    std::stable_sort(crowding.begin(), crowding.end(),
                     [&](const auto& a, const auto& b) { return value(a) < value(b); });
    const double width = value(crowding.back()) - value(crowding.front());
    crowding.front().first = crowding.back().first = std::numeric_limits<double>::infinity();
    for (std::size_t k = 1; k + 1 < crowding.size() && width > 0; ++k)
      crowding[k].first += (value(crowding[k + 1]) - value(crowding[k - 1])) / width;
  }
  std::sort(crowding.begin(), crowding.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  for (std::size_t k = 0; k < front.size(); ++k) front[k] = crowding[k].second;
}

}  // namespace

double violation(const TrialRecord& trial) {
  double sum = 0;
  for (const auto& [name, value] : trial.constraints) sum += std::isnan(value) ? 1 : std::max(value, 0.0);
  return sum;
}

std::optional<Rank> rank_of(const TrialRecord& trial, Direction direction) {
  const double sign = direction == minimize ? 1 : -1;
  switch (trial.state) {
    case TrialState::running:
    case TrialState::waiting:
    case TrialState::failed:
      return std::nullopt;
    case TrialState::diverged:
      break;
    case TrialState::complete:
      if (trial.values.empty() || !std::isfinite(trial.values[0])) break;
      if (const double by = violation(trial); by > 0) return Rank{3, by, sign * trial.values[0], trial.number};
      return Rank{0, 0, sign * trial.values[0], trial.number};
    case TrialState::pruned:
    case TrialState::paused:
      if (trial.intermediate.empty()) return Rank{2, 0, 0, trial.number};
      const auto [step, value] = *trial.intermediate.rbegin();
      if (std::isfinite(value)) return Rank{1, -static_cast<double>(step), sign * value, trial.number};
      break;
  }
  return Rank{4, 0, 0, trial.number};
}

std::vector<std::int64_t> pareto_front(const History& history) {
  std::vector<std::vector<double>> points;
  std::vector<std::int64_t> numbers;
  for (const TrialRecord& trial : history) {
    if (trial.state != TrialState::complete || trial.values.size() != history.directions().size()) continue;
    if (!std::all_of(trial.values.begin(), trial.values.end(), [](double v) { return std::isfinite(v); })) continue;
    if (!is_feasible(trial)) continue;
    points.push_back(trial.values);
    for (std::size_t m = 0; m < points.back().size(); ++m)
      if (history.directions()[m] == maximize) points.back()[m] *= -1;
    numbers.push_back(trial.number);
  }
  std::vector<std::int64_t> front;
  for (const std::size_t i : first_front(points)) front.push_back(numbers[i]);
  std::sort(front.begin(), front.end());
  return front;
}

std::vector<std::size_t> first_front(const std::vector<std::vector<double>>& points) {
  return split_front(points, sorted_order(points)).first;
}

std::vector<std::size_t> best_fronts(const std::vector<std::vector<double>>& points, std::size_t wanted) {
  std::vector<std::size_t> best, rest = sorted_order(points);
  while (best.size() < wanted && !rest.empty()) {
    auto [front, dominated] = split_front(points, rest);
    const std::size_t room = wanted - best.size();
    if (front.size() > room) {
      sort_by_crowding(points, front);
      front.resize(room);
    }
    best.insert(best.end(), front.begin(), front.end());
    rest = std::move(dominated);
  }
  return best;
}

}  // namespace xgrad::tune
