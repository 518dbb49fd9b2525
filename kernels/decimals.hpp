#pragma once
// Rounding to decimals.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace xgrad::elementary {

/// Rounds to so many decimals, to tens, hundreds, ... where they are negative; to even where two are as near.
struct Decimals {
  double up, down;  // powers of ten, of which one is 1: rounded after * up / down

  explicit Decimals(std::int64_t decimals)
      : up(std::pow(10.0, static_cast<double>(std::max<std::int64_t>(0, decimals)))),
        down(std::pow(10.0, static_cast<double>(std::max<std::int64_t>(0, -decimals)))) {}

  template <class T>
  [[gnu::always_inline]] T operator()(T x) const {
    constexpr T most = std::numeric_limits<T>::max();
    const T multiply = static_cast<T>(std::min<double>(up, most)),
            divide = static_cast<T>(std::min<double>(down, most));
    if (up == 1) return std::nearbyint(x / divide) * divide;
    const T scaled = x * multiply;  // what is as large is a multiple already
    return std::abs(scaled) <= most ? std::nearbyint(scaled) / multiply : x;
  }
};

}  // namespace xgrad::elementary
