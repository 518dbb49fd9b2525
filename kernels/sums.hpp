#pragma once
// Sums of neighbours in memory, and the largest of them, inside a vectorized loop.

#include <algorithm>
#include <cstdint>
#include <limits>

#include "../core/instruction_set.hpp"

namespace xgrad::detail {

/// Adds `term(i, values)`, which sets `Sums` values, over i in [begin, end) to totals: in T over at most 2048 elements,
/// then in double. The order depends on the range alone.
template <int Sums, class T, class Term>
[[gnu::always_inline]] inline void add_terms(std::int64_t begin, std::int64_t end, double (&totals)[Sums],
                                             const Term& term) {
  constexpr std::int64_t lanes = 32, chunk = 2048;
  for (; begin < end; begin += chunk) {
    T partial[Sums][lanes] = {};
    const std::int64_t last = std::min(end, begin + chunk), body = begin + (last - begin) / lanes * lanes;
    for (std::int64_t at = begin; at < body; at += lanes) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        T values[Sums];
        term(at + lane, values);
        for (int k = 0; k < Sums; ++k) partial[k][lane] += values[k];
      }
    }
    for (std::int64_t at = body; at < last; ++at) {
      T values[Sums];
      term(at, values);
      for (int k = 0; k < Sums; ++k) partial[k][at - body] += values[k];
    }
    for (int k = 0; k < Sums; ++k) {
      for (std::int64_t width = lanes / 2; width > 0; width /= 2)
        for (std::int64_t lane = 0; lane < width; ++lane) partial[k][lane] += partial[k][lane + width];
      totals[k] += static_cast<double>(partial[k][0]);
    }
  }
}

/// The largest of n numbers; NaN does not count, since its exponential makes the sum NaN anyway.
template <class T>
[[gnu::always_inline]] inline T largest(const T* x, std::int64_t n) {
  constexpr std::int64_t lanes = 64;
  T most[lanes];
  for (T& one : most) one = -std::numeric_limits<T>::infinity();
  const std::int64_t body = n / lanes * lanes;
  for (std::int64_t at = 0; at < body; at += lanes)
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      most[lane] = x[at + lane] > most[lane] ? x[at + lane] : most[lane];
  for (std::int64_t at = body; at < n; ++at) most[0] = x[at] > most[0] ? x[at] : most[0];
  for (std::int64_t width = lanes / 2; width > 0; width /= 2)
    for (std::int64_t lane = 0; lane < width; ++lane)
      most[lane] = most[lane + width] > most[lane] ? most[lane + width] : most[lane];
  return most[0];
}

}  // namespace xgrad::detail
