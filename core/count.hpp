#pragma once
// Whole numbers as arguments.

#include <concepts>
#include <cstdint>
#include <utility>

#include "error.hpp"

namespace xgrad::detail {

/// A whole number of any integer type. A parameter of a template of such does not match `{}`, which stands for default
/// options.
template <class N>
concept Count = std::integral<N> && !std::same_as<N, bool>;

/// The number. Throws Error, which `what` begins, beyond 2^63 - 1.
template <Count N>
std::int64_t count(const char* what, N n) {
  check(std::in_range<std::int64_t>(n), what, " is ", n, ", which is too large");
  return static_cast<std::int64_t>(n);
}

}  // namespace xgrad::detail
