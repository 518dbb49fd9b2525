#pragma once
// Prunes what a signed-rank test finds worse.

#include <memory>
#include <vector>

#include "pruner.hpp"

namespace xgrad::tune {

/// For objectives that are a mean over parts, such as folds or data sets, of which each is reported at its own step:
/// prunes a trial whose reports are worse than those of the best complete trial at the same steps, in their mean and by
/// Wilcoxon's one-sided signed-rank test at `p_threshold`. As Optuna's WilcoxonPruner. A trial that is pruned counts
/// with its last report; let the objective return the mean of its reports instead.
struct Wilcoxon {
  double p_threshold = 0.1;
  int startup_steps = 2;  ///< none is pruned before it has so many steps in common with the best

  /// Throws Error unless 0 <= p_threshold <= 1 and startup_steps >= 0.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

/// p of Wilcoxon's signed-rank test that differences are not above 0 (zeros are split, as scipy's zero_method
/// "zsplit"): exact up to 50 differences without ties and zeros, otherwise by the normal distribution.
double signed_rank_p(const std::vector<double>& differences);

}  // namespace xgrad::tune
