#pragma once
// Prunes what no longer gets better.

#include <cstdint>
#include <memory>
#include <optional>

#include "pruner.hpp"

namespace xgrad::tune {

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

}  // namespace xgrad::tune
