#pragma once
// Prunes what is worse than the median.

#include <cstdint>
#include <memory>

#include "pruner.hpp"

namespace xgrad::tune {

/// Prunes a trial whose best report so far is strictly worse than the median of what the complete trials reported at
/// this step; the median of an even number is the mean of the middle two. Reports that are NaN do not count; a trial
/// that has no other is pruned. As Optuna's MedianPruner.
struct Median {
  int startup_trials = 5;         ///< none is pruned before so many are complete
  std::int64_t warmup_steps = 0;  ///< none is pruned at a step below this
  std::int64_t interval = 1;      ///< judges at the first report at or after warmup_steps, warmup_steps + interval, ...

  int min_trials = 1;  ///< none is pruned at a step that fewer complete trials reported

  /// Throws Error for numbers below 0, and unless interval and min_trials >= 1.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
