#pragma once
// How far elements are spread around their means.

#include "reduction.hpp"

namespace xgrad::detail {

enum class Dispersion { variance, deviation };  // a variance, or the square root of one

/// mean = centre + shift: the second is what the dtype has no digits for in the first, without data where that is
/// nothing against the spread of the elements.
struct Deviations {
  Array centre, shift;  // with keepdim
  Array dispersion;
};
/// The variance is the sum of (x - mean)^2 by `divisor`, NaN for no elements. Results are right to a
/// few units in the last place, a square that the dtype cannot hold being no harm. Throws Error in the name of `op` for
/// an array that is not floating.
Deviations deviations(const char* op, const Array& x, const ReducedShape& shape, Dispersion which, double divisor);

}  // namespace xgrad::detail
