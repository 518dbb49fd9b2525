#pragma once
// The sampler by default.

#include <cstdint>
#include <memory>
#include <optional>

#include "sampler.hpp"

namespace xgrad::tune {

/// Begins with `startup_trials` points of a Sobol sequence, and then chooses by what they show, and says in the log
/// what it chose and why:
///   - trials that a pruner ends early, or that do not all have the same parameters: TPE;
///   - several objectives: GP up to three objectives, 20 parameters and 250 trials, otherwise NSGAII;
///   - one objective, up to 250 trials and 20 parameters: GP;
///   - more trials, and numbers only: CMAES with restarts; otherwise TPE.
struct Auto {
  /// How many trials the study will have; by default what optimize() is to run, without it 100.
  std::optional<std::int64_t> budget = std::nullopt;
  int startup_trials = 10;

  /// Throws Error unless startup_trials >= 1.
  std::unique_ptr<Sampler> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
