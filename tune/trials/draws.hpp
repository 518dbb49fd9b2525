#pragma once
// The random numbers of a search.

#include <cstdint>
#include <string_view>

#include "../../core/philox.hpp"

namespace xgrad::tune {

/// A sequence of uniform numbers that depends on nothing but seed, trial and purpose (such as a parameter's name): the
/// same on every worker, whichever number of them there is. Sequences are independent; one has 2^25 numbers.
class Draws {
 public:
  Draws(std::uint64_t seed, std::int64_t trial, std::string_view purpose)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        trial_(static_cast<std::uint64_t>(trial)) {
    for (const char c : purpose) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;  // FNV-1a
  }

  /// 64 random bits.
  std::uint64_t bits() {
    if (used_ % 2 == 0)
      block_ = philox({static_cast<std::uint32_t>(trial_), static_cast<std::uint32_t>(trial_ >> 32 << 24) | used_ / 2,
                       static_cast<std::uint32_t>(hash_), static_cast<std::uint32_t>(hash_ >> 32)},
                      key_);
    const auto i = used_++ % 2 * 2;
    return std::uint64_t{block_[i]} << 32 | block_[i + 1];
  }

  /// Uniform in [0, 1), with 53 random bits.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t trial_, hash_ = 0xcbf29ce484222325;
  std::uint32_t used_ = 0;
  std::array<std::uint32_t, 4> block_{};
};

}  // namespace xgrad::tune
