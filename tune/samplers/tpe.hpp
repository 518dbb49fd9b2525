#pragma once
// The tree-structured Parzen estimator.

#include <cstdint>
#include <memory>
#include <optional>

#include "sampler.hpp"

namespace xgrad::tune {

/// Bergstra et al., "Algorithms for hyper-parameter optimization" (NeurIPS 2011), with the defaults of Optuna 5.0's
/// TPESampler. Of the n trials that are not running, the best min(ceil(0.1 n), 25) are one density l, all others and
/// the running ones another, g; of `candidates` draws from l the one with the largest l / g is taken. ParzenEstimator
/// has the densities. Before `startup_trials` trials have ended it draws as Random.
///
/// Trials count as ended when they are complete, pruned, paused or diverged, and are ordered as Rank tells;
/// diverged ones never are in l. With several objectives l has whole fronts, and of the last one a subset of large
/// hypervolume; a trial's weight in l is what the hypervolume of these would lack without it (Ozaki et al.,
/// "Multiobjective tree-structured Parzen estimator", 2022, as Optuna has it). Densities are over scaled values: on log
/// and log_one_minus scales, over the coordinate that is uniform.
struct TPE {
  int startup_trials = 10;
  int candidates = 24;

  /// Draw the parameters that all ended trials have, with the same distribution, together, and the others one by one.
  /// By default with one objective, and not with several. Trials of which not all these parameters are known are left
  /// out of the joint densities.
  std::optional<bool> multivariate = std::nullopt;

  /// With multivariate draws: parameters that always come together, in all trials that have one of them, are drawn
  /// together, each such group by itself, instead of only those that all trials have. As Optuna's `group`.
  bool group = false;

  /// Where a trial's parameters are drawn together and all have a number of values, whether a combination may be tried
  /// again that another trial has; otherwise it may only when all of them were tried, or when hundreds of draws gave no
  /// other.
  bool duplicates = false;

  /// Throws Error unless startup_trials >= 0 and candidates >= 1.
  std::unique_ptr<Sampler> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
