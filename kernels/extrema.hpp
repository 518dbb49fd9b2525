#pragma once
// Largest and smallest elements.

#include "reduction.hpp"

namespace xgrad::detail {

enum class Extreme { largest, smallest };

/// The largest or smallest elements; NaN where there is one, and the identity (-inf for the largest) where there is
/// no element.
Array extreme_values(Extreme which, const Array& x, const ReducedShape& shape);

/// The largest or smallest elements along the middle axis, and the position of each: the first of equal ones, or of
/// NaN. `x` is dense and row-major, seen as (outer, reduced, inner) with reduced > 0; `values`, of its dtype, and the
/// int64 `to` as (outer, inner).
void find_extremes(Extreme which, const Array& x, const ReducedSize& size, const Array& values, std::int64_t* to);

}  // namespace xgrad::detail
