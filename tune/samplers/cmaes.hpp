#pragma once
// The covariance matrix adaptation evolution strategy.

#include <memory>
#include <optional>

#include "sampler.hpp"

namespace xgrad::tune {

/// CMA-ES over the float and int parameters that all trials have, as Optuna's CmaEsSampler: it begins in the middle of
/// the space with a sixth of its width; a generation has 4 + 3 ln d trials. Whole numbers and steps have a margin (see
/// CovarianceAdaptation). Choices, and parameters that only some trials have, are drawn by TPE. For one objective; a
/// trial that violates a constraint is behind all that do not, diverged ones are last. A trial's attribute
/// "cmaes:generation" tells what drew it, from which a study that was stopped goes on.
struct CMAES {
  /// What follows when a run has converged. `ipop`: one of twice the population, from a random point (Auger and Hansen
  /// 2005). `bipop`: these in turn with small ones, by what each had of the trials (Hansen 2009).
  enum class Restarts { none, ipop, bipop };

  int startup_trials = 1;                        ///< so many are the first points of a Sobol sequence
  std::optional<double> sigma = std::nullopt;    ///< first standard deviation, in parts of the range; default 1/6
  std::optional<int> population = std::nullopt;  ///< of the first run; default 4 + 3 ln d
  Restarts restarts = Restarts::none;
  /// Goes more slowly where values are noisy or have many local minima, with a rate of its own for mean and covariance
  /// (Nomura et al., arXiv 2304.03473), so that a population need not be tuned; on others it costs trials.
  bool lr_adapt = false;
  bool from_best = false;  ///< begin at the best of the startup trials instead of the middle

  /// Throws Error unless startup_trials >= 1, sigma > 0 and population >= 4. The sampler throws one for several
  /// objectives.
  std::unique_ptr<Sampler> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
