#pragma once
// The two orders in which images lie in memory: row-major, and with the channels innermost.

#include "../autograd/tensor.hpp"

namespace xgrad::detail {

/// Whether x (N, C, ...) lies dense with its channels innermost, and not in row-major order.
inline bool channels_lie_last(const Array& x) {
  return !x.row_major && has_format(MemoryFormat::channels_last, x.shape.size()) && x.numel > 0 &&
         is_dense_in_order(x.shape, x.strides, axes_in(MemoryFormat::channels_last, x.shape.size()));
}

/// x if it lies in one of the two orders, else a row-major copy.
inline Array as_images(const Array& x) { return channels_lie_last(x) ? x : row_major(x); }

/// New elements of this shape, in the order of as_images(like).
inline Array allocate_images_like(const Array& like, const Shape& shape) {
  Array out;
  allocate_array_in_order(
      out, shape, like.dtype,
      axes_in(channels_lie_last(like) ? MemoryFormat::channels_last : MemoryFormat::contiguous, shape.size()));
  return out;
}

}  // namespace xgrad::detail
