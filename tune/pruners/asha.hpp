#pragma once
// Successive halving.

#include <cstdint>
#include <memory>
#include <vector>

#include "pruner.hpp"

namespace xgrad::tune {

/// Asynchronous successive halving (Li et al., arXiv 1810.05934). Rungs are after first, first * eta, first * eta^2,
/// ... reports of a trial, as far as trials get. In each, ranked by what was reported then, of n trials the best
/// floor(n / eta) go on. So with one report an epoch, 9 epochs and eta 3, about 1/3 of the trials train for 3 epochs or
/// more, and 1/9 for 9.
struct ASHA {
  int eta = 3;
  int first = 1;

  /// false: a trial pauses at every rung. A free worker goes through the rungs from the top, and lets the best paused
  /// trial that belongs to the best floor(n / eta) go on; only if there is none it begins a new trial. Trials that are
  /// still paused at the end of the study were not good enough.
  /// true: a trial goes on at a rung if it is in the best floor(n / eta) of those that were there so far, or the best
  /// of them, and is pruned otherwise. For trials that cannot be paused.
  bool stopping = false;

  /// Throws Error unless eta >= 2 and first >= 1.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

/// Li et al., "Hyperband: a novel bandit-based approach to hyperparameter optimization": successive halving with
/// several first rungs, so that trials which are good only late have a chance. With s_max the largest s such that eta^s
/// <= max_reports, the bracket s of 0, 1, ..., s_max has its first rung after max_reports / eta^s reports (rounded
/// down), and of sum of all brackets' sizes trials in a row, ceil((s_max + 1) eta^s / (s + 1)) are in it. For 81: 81,
/// 34, 15, 8 and 5 trials with rungs from 1, 3, 9, 27 and 81 reports. Brackets take turns, in proportion to their
/// sizes. Within a bracket: as ASHA.
struct Hyperband {
  int max_reports;  ///< of a trial: its number of epochs
  int eta = 3;
  bool stopping = false;

  /// Sizes of the brackets s_max, ..., 1, 0.
  std::vector<std::int64_t> brackets() const;

  /// The bracket s of a trial.
  std::int64_t bracket(std::int64_t number) const;

  /// Throws Error unless eta >= 2 and max_reports >= 1.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
