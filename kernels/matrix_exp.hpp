#pragma once
// The exponential of a matrix.

#include <cstdint>

namespace xgrad::detail {

/// out = exp(a), for a matrix (n, n) of float or double, row by row, in the calling thread; all NaN where an element of
/// a is not finite. By Pade approximants with scaling and squaring (Higham 2005), with an error of a few units in the
/// last place of the norm.
template <class T>
void matrix_exp(std::int64_t n, const T* a, T* out);

}  // namespace xgrad::detail
