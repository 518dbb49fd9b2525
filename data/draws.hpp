#pragma once
// One random number at a time.

#include "../array/random.hpp"

namespace xgrad::data::detail {

/// In [low, high).
inline double uniform(Generator& generator, double low, double high) {
  double value = 0;
  generator.uniform(&value, 1, low, high);
  return value;
}

/// From 0 to end - 1.
inline std::int64_t integer(Generator& generator, std::int64_t end) {
  std::int64_t value = 0;
  generator.integers(&value, 1, 0, end);
  return value;
}

}  // namespace xgrad::data::detail
