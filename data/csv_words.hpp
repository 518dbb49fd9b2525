#pragma once
// Eight bytes of a text at a time.

#include <cstdint>
#include <cstring>

namespace xgrad::data::internal {

inline std::uint64_t load_word(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

constexpr std::uint64_t repeated(unsigned char byte) { return std::uint64_t{0x0101010101010101} * byte; }

/// The highest bit of each byte that is 0, and of some above it: the lowest bit that is set is right.
constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - repeated(1)) & ~word & repeated(0x80); }

}  // namespace xgrad::data::internal
