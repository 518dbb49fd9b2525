#pragma once
// Running sums along an axis.

#include "reduction.hpp"

namespace xgrad::detail {

/// Each element of `to` is the sum of those of `from` up to it along the reduced axis, or with `reverse` from it on: in
/// double, integers wrap around. Both lie in row-major order.
template <class T>
void running_sum(const ReducedSize& size, const T* from, bool reverse, T* to);

}  // namespace xgrad::detail
