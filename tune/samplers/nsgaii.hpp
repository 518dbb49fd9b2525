#pragma once
// A genetic algorithm for several objectives.

#include <memory>
#include <optional>

#include "sampler.hpp"

namespace xgrad::tune {

/// Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II" (2002), with the options and defaults of
/// Optuna's NSGAIISampler. The first `population` trials are drawn as Random. Of those that ended and the parents
/// before them the best, by front and crowding distance, feasible ones first, are the parents of the next generation. A
/// child has two, each the better of two drawn; each of its parameters is of one of them, or, with probability
/// `mutation`, drawn anew, as is a parameter that the parent does not have. The attribute "nsga2:generation" tells a
/// trial's generation.
struct NSGAII {
  int population = 50;
  double crossover = 0.9;                         ///< probability of a second parent
  double swapping = 0.5;                          ///< probability of a parameter being of the second parent
  std::optional<double> mutation = std::nullopt;  ///< of a parameter; by default 1 / their number

  /// Throws Error unless population >= 2 and the probabilities are in [0, 1].
  std::unique_ptr<Sampler> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
