#pragma once
// Pruners that judge a trial by rules of thumb.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "pruner.hpp"

namespace xgrad::tune {

/// Prunes a trial whose best report so far is strictly worse than the median of what the complete trials reported at
/// this step; the median of an even number is the mean of the middle two. Reports that are NaN do not count; a trial
/// that has no other is pruned. As Optuna's MedianPruner.
struct Median {
  int startup_trials = 5;         ///< none is pruned before so many are complete
  std::int64_t warmup_steps = 0;  ///< none is pruned at a step below this
  std::int64_t interval = 1;      ///< judges at the first report at or after warmup_steps, warmup_steps + interval, ...

  /// Throws Error for numbers below 0, and unless interval >= 1.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

/// Leaves a trial alone until its best value of the last `patience` + 1 reports is worse, by more than min_delta, than
/// the best one before them; then `then` decides, or it is pruned if there is none. NaN does not count. As Optuna's
/// PatientPruner.
struct Patience {
  int patience;
  double min_delta = 0;
  std::optional<AnyPruner> then = std::nullopt;

  /// Throws Error unless patience >= 0 and min_delta >= 0.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

/// Prunes a trial that reports NaN, or a value below `lower` or above `upper`.
struct Threshold {
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
  std::int64_t warmup_steps = 0;  ///< none is pruned at a step below this

  /// Throws Error unless lower <= upper.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
