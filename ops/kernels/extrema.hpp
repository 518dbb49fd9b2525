#pragma once
// Largest and smallest elements of tensors, outside the graph.

#include <limits>

#include "reduction.hpp"

namespace xgrad::detail {

enum class Extreme { largest, smallest };

/// The reduction to the largest or smallest element; NaN where there is one.
template <class T, Extreme which>
struct Choosing {
  using Element = T;
  using Partial = T;
  static constexpr bool centred = false;
  static constexpr T lowest = std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity()
                                                          : std::numeric_limits<T>::lowest(),
                     highest = std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity()
                                                           : std::numeric_limits<T>::max();
  static constexpr T identity = which == Extreme::largest ? lowest : highest;
  [[gnu::always_inline]] static T lift(T x, T) { return x; }
  [[gnu::always_inline]] static T combine(T a, T b) {
    const T better = (which == Extreme::largest ? a > b : a < b) ? a : b;  // b where either is NaN
    return a != a ? a : better;
  }
};

/// The largest or smallest elements; NaN where there is one, and the identity (-inf for the largest) where there is
/// no element.
Tensor extreme_values(Extreme which, const Tensor& x, const ReducedShape& shape);

/// The largest or smallest elements along the middle axis, and the position of each: the first of equal ones, or of
/// NaN. `x` is dense and row-major, seen as (outer, reduced, inner) with reduced > 0; `values`, of its dtype, and the
/// int64 `to` as (outer, inner).
void find_extremes(Extreme which, const Tensor& x, const ReducedSize& size, const Tensor& values, std::int64_t* to);

}  // namespace xgrad::detail
