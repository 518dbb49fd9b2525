#pragma once
// Prunes by bounds.

#include <cstdint>
#include <limits>
#include <memory>

#include "pruner.hpp"

namespace xgrad::tune {

/// Prunes a trial that reports NaN, or a value below `lower` or above `upper`.
struct Threshold {
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
  std::int64_t warmup_steps = 0;  ///< none is pruned at a step below this

  /// Throws Error unless lower <= upper.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
