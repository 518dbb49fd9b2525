#pragma once
// Arithmetic on duals and on integers, as function objects for map_numbers(). Integers wrap around: they are computed
// without sign, where overflow is defined.

#include <cstdint>

#include "dual.hpp"

namespace xgrad::detail {

constexpr std::int64_t wrapped(std::uint64_t x) { return static_cast<std::int64_t>(x); }
constexpr std::uint64_t without_sign(std::int64_t x) { return static_cast<std::uint64_t>(x); }

struct Plus {
  auto operator()(const auto& a, const auto& b) const { return a + b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const { return wrapped(without_sign(a) + without_sign(b)); }
};

struct Minus {
  auto operator()(const auto& a, const auto& b) const { return a - b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const { return wrapped(without_sign(a) - without_sign(b)); }
};

struct Times {
  auto operator()(const auto& a, const auto& b) const { return a * b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const { return wrapped(without_sign(a) * without_sign(b)); }
};

struct Over {  // not for integers
  auto operator()(const auto& a, const auto& b) const { return a / b; }
};

struct Negated {
  auto operator()(const auto& x) const { return -x; }
  std::int64_t operator()(std::int64_t x) const { return wrapped(0 - without_sign(x)); }
};

struct Squared {
  auto operator()(const auto& x) const { return Times{}(x, x); }
};

struct Absolute {
  auto operator()(const auto& x) const { return abs(x); }
  std::int64_t operator()(std::int64_t x) const { return x < 0 ? wrapped(0 - without_sign(x)) : x; }
};

struct Sign {
  auto operator()(const auto& x) const { return sign(x); }
  std::int64_t operator()(std::int64_t x) const { return (x > 0) - (x < 0); }
};

struct Larger {
  auto operator()(const auto& a, const auto& b) const { return maximum(a, b); }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const { return a > b ? a : b; }
};

struct Smaller {
  auto operator()(const auto& a, const auto& b) const { return minimum(a, b); }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const { return a < b ? a : b; }
};

struct Power {
  auto operator()(const auto& x, const auto& y) const { return pow(x, y); }
  /// The reciprocal of an integer is 1, -1 or, rounded to zero, 0.
  std::int64_t operator()(std::int64_t x, std::int64_t y) const {
    if (y < 0) return x == 1 ? 1 : x != -1 ? 0 : y % 2 != 0 ? -1 : 1;
    std::uint64_t result = 1, factor = without_sign(x);
    for (; y > 0; y /= 2) {
      if (y % 2 != 0) result *= factor;
      factor *= factor;
    }
    return wrapped(result);
  }
};

}  // namespace xgrad::detail
