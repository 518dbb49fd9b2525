#pragma once
// Elements of dense memory that indices along an axis pick, and sums at such places. Indices are int64 in row-major
// order, and are not checked. What meets in one place is added in the order of the indices, so that results are the
// same for any number of threads; integers wrap around.

#include "../array/array.hpp"

namespace xgrad::detail {

/// Whether n indices are all at least 0 and less than `size`.
bool all_within(std::int64_t n, const std::int64_t* index, std::int64_t size);

/// to[i, j] = from[i, index[i, j]], for axis 1; likewise for others and for more axes.
void gather_elements(const Array& from, std::size_t axis, const Array& index, const Array& to);
/// to[i, index[i, j]] += from[i, j], for axis 1: both of one dtype that is computed with.
void add_elements(const Array& from, std::size_t axis, const Array& index, const Array& to);

/// to[i, j, k] = from[i, index[j], k], for axis 1.
void select_parts(const Array& from, std::size_t axis, const Array& index, const Array& to);
/// to[i, index[j], k] += from[i, j, k], for axis 1: both of one dtype that is computed with.
void add_parts(const Array& from, std::size_t axis, const Array& index, const Array& to);

}  // namespace xgrad::detail
