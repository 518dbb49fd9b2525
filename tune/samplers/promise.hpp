#pragma once
// What one more trial is expected to bring.

#include <cstdint>
#include <limits>
#include <optional>

#include "../trials/history.hpp"

namespace xgrad::tune {

/// What a Gaussian process over the complete trials says of one more: by how much the best value is expected to improve
/// at the best point, and the standard deviation of the objective's noise, both in its own units.
struct Promise {
  double improvement, noise;
};

/// By the trials numbered below `end`. Nothing for fewer than two complete ones that violate no constraint, without a
/// parameter that all of them have, and for several objectives. O(n^3) in their number.
std::optional<Promise> promise_of(const History& history, std::int64_t end = std::numeric_limits<std::int64_t>::max());

}  // namespace xgrad::tune
