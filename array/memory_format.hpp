#pragma once
// In which order the axes of a tensor lie in memory.

#include "shape.hpp"

namespace xgrad {

/// `contiguous` is row-major: the last axis innermost. `channels_last` is for shapes (N, C, L), (N, C, H, W) and
/// (N, C, D, H, W): in memory the channels come last, so those of one place are neighbours. The shape stays the same.
enum class MemoryFormat { contiguous, channels_last };

/// `x.contiguous(channels_last)`
inline constexpr MemoryFormat channels_last = MemoryFormat::channels_last;

namespace detail {

/// Whether tensors of this rank can have the format.
constexpr bool has_format(MemoryFormat format, std::size_t rank) {
  return format == MemoryFormat::contiguous || (rank >= 3 && rank <= 5);
}
/// The axes of a tensor in the order of a format that its rank has, outermost first.
Shape axes_in(MemoryFormat format, std::size_t rank);

/// Whether memory of this shape, which is not empty, is dense with its axes in this order, outermost first; strides of
/// axes of size 1 count for nothing.
bool is_dense_in_order(const Shape& shape, const Shape& strides, const Shape& order);

/// The axes longer than 1 in their order in memory, outermost first; as they come where elements are repeated.
Shape memory_order(const Shape& shape, const Shape& strides);

}  // namespace detail

}  // namespace xgrad
