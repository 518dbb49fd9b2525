#pragma once
// Population-based training.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pruner.hpp"

namespace xgrad::tune {

/// Jaderberg et al., "Population based training of neural networks", arXiv 1711.09846. `population` trials train in
/// turns of `interval` reports, the one that is least far first. At its turn a trial that is among the worst `quantile`
/// by its last report is pruned; a new trial begins at the latest checkpoint of one of the best `quantile`, drawn at
/// random, with changed parameters. It only ever copies trials that have a checkpoint and are not at their end, and
/// what diverged or failed is made up for in the same way. Forks count as trials: with population 8 and 40 trials in
/// all, 32 forks are made, and then everyone trains to the end.
///
/// A parameter is changed by a fresh draw with probability `resample`, else by +-`perturbation` in the coordinate
/// u in [0, 1] of its scale, reflected at the ends; a choice stays as it is.
struct PBT {
  int population = 8;
  int interval = 1;
  double quantile = 0.25;
  double resample = 0.25;
  double perturbation = 0.2;

  /// Names of what is changed; empty: all parameters. What shapes the model must not be among them, since its
  /// checkpoint would not fit.
  std::vector<std::string> parameters = {};

  /// Throws Error unless population >= 2, interval >= 1, 0 < quantile <= 0.5, 0 <= resample <= 1 and
  /// 0 <= perturbation <= 1.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
