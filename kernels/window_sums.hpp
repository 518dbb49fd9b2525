#pragma once
// Sums over windows that slide along an axis.

#include "reduce.hpp"

namespace xgrad::detail {

/// to[i] = the sum of from[i - before], ..., from[i + after] along the reduced axis of `size`, elements beyond its ends
/// being 0. The memory is of shape (outer, reduced, inner).
template <class T>
void window_sums(const ReducedSize& size, std::int64_t before, std::int64_t after, const T* from, T* to);

}  // namespace xgrad::detail
