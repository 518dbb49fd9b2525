#pragma once
// What runs along an axis and depends on all before: recurrences, extrema, logarithms of sums. Memory is (outer,
// reduced, inner), row-major, and not empty; the columns are done by several threads.

#include <cstdint>

#include "reduce.hpp"

namespace xgrad::detail {

// Of float, double and std::int64_t.

/// to[i] = a[i] * to[i-1] + b[i], from 0 on; from the end with `reverse`. float is computed in double, integers wrap
/// around.
template <class T>
void linear_recurrence(const ReducedSize& size, const T* a, const T* b, bool reverse, T* to);

/// The largest, or smallest, so far and its place: of equal ones the last. NaN stays.
template <class T>
void running_extremum(const ReducedSize& size, const T* from, bool largest, T* to, std::int64_t* places);

/// log of the sum of exp of all so far, in double. Of float and double.
template <class T>
void running_logsumexp(const ReducedSize& size, const T* from, T* to);

}  // namespace xgrad::detail
