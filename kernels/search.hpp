#pragma once
// Where values lie among sorted ones, and which elements are true.

#include "../array/array.hpp"

namespace xgrad::detail {

/// For every value the number of elements of its sorted row that are less, or with `right` not greater: where it would
/// be inserted. `sorted` and `values`, of one dtype, are dense and row-major; the rows of `sorted`, n long, belong to
/// `per_row` values each, one after the other. NaN comes after every number.
void find_places(const Array& sorted, std::int64_t n, const Array& values, std::int64_t per_row, bool right,
                 std::int64_t* places);

/// Adds 1, or the weight, to the sum of the bin in which each element lies: bin i reaches from edge i up to, but
/// without, edge i + 1; the last has both. What lies outside counts nowhere, nor does NaN. Arrays are dense, of one
/// floating dtype that is computed with; `weights` may be null. Sums are in double.
void add_to_bins(const Array& x, const Array& edges, const Array* weights, double* sums);

/// The places, in row-major order, of the elements of a dense bool array that are true. With `places` null they are
/// only counted.
std::int64_t find_true(const Array& x, std::int64_t* places);
/// Places in row-major order as positions along each axis of a shape, one place after the other.
void split_places(const Shape& shape, std::span<const std::int64_t> places, std::int64_t* to);

}  // namespace xgrad::detail
