#pragma once
// Ends a study when more trials promise little.

#include <optional>

#include "study.hpp"

namespace xgrad::tune {

/// What a Gaussian process over the complete trials says of one more: by how much the best value is expected to improve
/// at the best point, and the standard deviation of the objective's noise, both in its own units.
struct Promise {
  double improvement, noise;
};

/// Nothing for fewer than two complete trials, without a parameter that all of them have, and for several objectives.
std::optional<Promise> promise_of(const History& history);

/// A callback for OptimizeOptions::callbacks: stops the study when the expected improvement is below the noise, or
/// below `least`. As Optuna's Terminator, with a process in place of its bound of the regret.
struct Terminator {
  int startup_trials = 20;           ///< it stops none before so many are complete
  std::optional<double> least = {};  ///< improvement that is worth a trial; default: the noise

  void operator()(Study& study, const TrialRecord& trial) const;
};

}  // namespace xgrad::tune
