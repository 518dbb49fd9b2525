#pragma once
// The random numbers of a sample, which depend on the pass over the data set and on the sample's number alone.

#include "../array/random.hpp"
#include "dataset.hpp"

namespace xgrad::data {

/// What they are for: each purpose has numbers of its own.
enum class Draws : std::uint64_t { transform = 0, mix = 1 };

/// Apart from the streams of threads, splits and loaders: the highest bit, then the purpose, the epoch, and 2^40
/// samples.
inline Generator sample_generator(const Epoch& epoch, std::int64_t sample, Draws purpose) {
  return Generator(epoch.seed,
                   std::uint64_t{1} << 63 | static_cast<std::uint64_t>(purpose) << 62 |
                       (static_cast<std::uint64_t>(epoch.number) << 40 ^ static_cast<std::uint64_t>(sample)));
}

}  // namespace xgrad::data
