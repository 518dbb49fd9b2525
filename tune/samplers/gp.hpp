#pragma once
// Bayesian optimisation with Gaussian processes.

#include <memory>

#include "sampler.hpp"

namespace xgrad::tune {

/// After Optuna 5.0's GPSampler: a Gaussian process over the parameters that all trials have (Matern 5/2, a length
/// scale for each, choices by whether they differ), its kernel by fit_kernel(), and the point of largest expected
/// improvement, searched by gradients from the best of Sobol points and from the best trials; steps and choices are
/// tried one by one. Up to three objectives: by expected gain in hypervolume. Constraints: times the probability that
/// they hold. Trials that run take away variance where they are. Parameters that only some trials have are drawn by
/// TPE.
///
/// Complete trials count, diverged ones as bad as the worst, pruned and paused ones by what they reported last, but no
/// better than the median of the complete ones (with one objective). A combination of discrete parameters is not tried
/// twice while there are others. With one objective, where five trials have found nothing better, every second trial is
/// the best point of a box around one of the better trials, as far as it is not next to one that was tried: so the
/// search leaves a place that the process wrongly takes for the best. With n trials the kernel is fitted anew only when
/// n has grown by a sixteenth or so.
struct GP {
  int startup_trials = 10;     ///< so many are the first points of a Sobol sequence
  bool deterministic = false;  ///< the objective has no noise

  /// Throws Error unless startup_trials >= 1. The sampler throws one for more than three objectives.
  std::unique_ptr<Sampler> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
