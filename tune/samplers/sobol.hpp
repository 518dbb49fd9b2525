#pragma once
// Evenly spread draws.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "sampler.hpp"

namespace xgrad::tune {

/// A Sobol sequence with the direction numbers of Joe and Kuo (criterion D6, "Constructing Sobol sequences with better
/// two-dimensional projections", 2008), scrambled by a random lower triangular matrix and a digital shift (Matousek,
/// 1998), which depend on `seed`. Of the points 0 to 2^m - 1, m <= 30, in each dimension exactly one lies in each of
/// the intervals [i 2^-m, (i + 1) 2^-m).
class SobolSequence {
 public:
  static constexpr std::size_t dimensions = 64;

  explicit SobolSequence(std::uint64_t seed, bool scramble = true);

  /// Coordinate in (0, 1) of a point. The sequence repeats after 2^30 points. Throws Error unless index >= 0 and
  /// dimension < dimensions.
  double operator()(std::int64_t index, std::size_t dimension) const;

 private:
  struct Dimension {
    std::array<std::uint32_t, 30> directions;
    std::uint32_t shift;
  };
  std::vector<Dimension> dimensions_;
};

/// Trial n takes the n-th point of a SobolSequence; the k-th parameter that it asks for (fixed ones count) is dimension
/// k, parameters from the 65th on are drawn at random. So the trials are the same for any number of workers, and the
/// first 2^m of them spread evenly, if all have the same parameters in the same order.
struct Sobol {
  std::unique_ptr<Sampler> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
