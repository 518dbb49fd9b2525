#pragma once
// Which trials are better than others.

#include <compare>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "history.hpp"

namespace xgrad::tune {

/// How good a trial is, of which the study can learn: complete ones come first, by their value; then pruned and paused
/// ones, those that came further first, by what they reported last; then complete ones that violate a constraint, the
/// least violated first; at the end diverged ones. Better is less.
struct Rank {
  int group;       ///< 0 complete, 1 pruned or paused after a report, 2 without one, 3 infeasible, 4 diverged
  double further;  ///< in group 1 minus the last step, in group 3 the violation
  double value;    ///< minus the value where it is maximised
  std::int64_t number;

  bool diverged() const { return group == 4; }
  auto operator<=>(const Rank&) const = default;
};

/// The sum of what of a trial's constraints is above 0; 0 for a feasible trial.
double violation(const TrialRecord& trial);
inline bool is_feasible(const TrialRecord& trial) { return violation(trial) == 0; }

/// Nothing for a trial that is running, waiting or failed. By the first objective. A complete trial whose value is not
/// finite counts as diverged.
std::optional<Rank> rank_of(const TrialRecord& trial, Direction direction);

/// Numbers of the complete, feasible trials that no other dominates: is at least as good in all objectives and better
/// in one. Trials with a value that is not finite do not take part. Ascending.
std::vector<std::int64_t> pareto_front(const History& history);

/// Positions of the points that no other dominates, all objectives to be minimised; of equal ones all.
std::vector<std::size_t> first_front(const std::vector<std::vector<double>>& points);

/// The `wanted` best of points, given as one vector a point, all to be minimised: whole fronts in turn, each of what
/// the ones before leave over; of the last front those with the largest crowding distance (Deb et al., NSGA-II).
/// Positions in `points`, in no order; all if there are fewer.
std::vector<std::size_t> best_fronts(const std::vector<std::vector<double>>& points, std::size_t wanted);

}  // namespace xgrad::tune
