#pragma once
// Prunes what is not among the best.

#include <cstdint>
#include <memory>

#include "pruner.hpp"

namespace xgrad::tune {

/// Median for another share: prunes a trial whose best report so far is strictly worse than that of which `percentile`
/// % of what the complete trials reported at this step are better; between two of them linearly interpolated. As
/// Optuna's PercentilePruner: with 25 the best quarter goes on.
struct Percentile {
  double percentile;
  int startup_trials = 5;         ///< none is pruned before so many are complete
  std::int64_t warmup_steps = 0;  ///< none is pruned at a step below this
  std::int64_t interval = 1;      ///< judges at the first report at or after warmup_steps, warmup_steps + interval, ...
  int min_trials = 1;             ///< none is pruned at a step that fewer complete trials reported

  /// Throws Error unless 0 <= percentile <= 100, for numbers below 0, and unless interval and min_trials >= 1.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
