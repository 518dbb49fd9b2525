#pragma once
// Copies of transposed matrices.

#include <cstddef>
#include <cstdint>

namespace xgrad::detail {

/// to[column][row] = from[row][column] for every row and column; the strides are those from one row of `from`, and of
/// `to`, to the next, in elements. In blocks, so that both are read and written by whole cache lines.
void transpose_copy(std::size_t item_size, std::int64_t rows, std::int64_t columns, const std::byte* from,
                    std::int64_t from_stride, std::byte* to, std::int64_t to_stride);

}  // namespace xgrad::detail
