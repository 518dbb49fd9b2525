#include "samples.hpp"

namespace xgrad::data {

namespace {

// Apart from the streams of threads, splits and loaders; the epoch above it, and 2^40 samples below.
constexpr std::uint64_t sample_stream = std::uint64_t{1} << 63;

}  // namespace

Generator sample_generator(const Epoch& epoch, std::int64_t sample) {
  return Generator(epoch.seed, sample_stream | (static_cast<std::uint64_t>(epoch.number) << 40 ^
                                                static_cast<std::uint64_t>(sample)));
}

}  // namespace xgrad::data
