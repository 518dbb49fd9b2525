#pragma once
// Ends a study when more trials promise little.

#include <optional>

#include "../samplers/promise.hpp"
#include "study.hpp"

namespace xgrad::tune {

/// A callback for OptimizeOptions::callbacks: stops the study when the expected improvement is below the noise, or
/// below `least`. As Optuna's Terminator, with a process in place of its bound of the regret.
struct Terminator {
  int startup_trials = 20;           ///< it stops none before so many are complete
  std::optional<double> least = {};  ///< improvement that is worth a trial; default: the noise

  void operator()(Study& study, const TrialRecord& trial) const;
};

}  // namespace xgrad::tune
