#pragma once
// From coarse to fine.

#include <cstdint>
#include <memory>

#include "sampler.hpp"

namespace xgrad::tune {

/// Draws in rounds of `points` trials, each from a box within the declared ranges, in the coordinates u in [0, 1] of
/// the parameters' scales. The first box is everything; points are those of Sobol. From the best `top` of the trials so
/// far, but at least 5, the next box is made:
///   - A side spans from their 10th to their 90th percentile, where the best one weighs most (n, n - 1, ..., 1), and
///   one
///     bandwidth to each side: the gap between the two outermost ones, at least width / (n + 2) of the side before.
///   - Only parameters that are in all trials alike, are no choices, and have an importance (pearson_divergence) above
///     1 / (2 d) of all d are narrowed. The others keep their side.
///   - All sides together shrink to no less than a quarter of the volume.
///   - A best trial closer to a face than 5 % of the side moves that face out by a quarter of the side, as far as the
///   range
///     goes: a box that was too small or in the wrong place follows its best point.
/// One in `1 / global` trials is drawn from everything all the same. When the last two rounds brought no better trial
/// than those before, and the box is 1/64 of everything or less, it starts anew with everything and forgets the trials
/// so far, which stay in the study.
///
/// The box of each trial is its attribute "zoom", as JSON: {"round": 2, "since": 0, "global": false, "box": {"lr":
/// [0.2, 0.5]}}, with the round, the round in which it started anew last, and the sides that are not [0, 1].
struct CoarseToFine {
  int points = 16;
  double top = 0.15;
  double global = 0.2;

  /// Throws Error unless points is a power of 2, 0 < top <= 1 and 0 <= global <= 1.
  std::unique_ptr<Sampler> make(std::uint64_t seed) const;
};

using Zoom = CoarseToFine;  // its name in earlier versions

}  // namespace xgrad::tune
