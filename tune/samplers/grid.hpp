#pragma once
// Every combination of given values.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sampler.hpp"

namespace xgrad::tune {

/// Trial n takes the n-th combination, the last parameter varying fastest, and the first again after size() trials:
///   Grid{{{"lr", {1e-3, 1e-2}}, {"layers", {1, 2, 3}}, {"activation", {"relu", "gelu"}}}}
/// Parameters that are not named are drawn as by Random. suggest throws Error for a value that the distribution does
/// not have.
struct Grid {
  struct Axis {
    std::string name;
    std::vector<Choice> values;  ///< numbers, or choices of a categorical parameter
  };
  std::vector<Axis> axes;

  /// Number of combinations.
  std::int64_t size() const;

  /// Throws Error for no axes, an axis without values, a name given twice, more than 2^53 combinations.
  std::unique_ptr<Sampler> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
