#pragma once
// Sums of neighbours in memory, inside a vectorized loop.

#include <algorithm>
#include <cstdint>

#include "../../core/vectorize.hpp"

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

}  // namespace xgrad::detail
