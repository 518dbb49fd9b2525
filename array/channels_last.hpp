#pragma once
// Arrays of shape (N, C, extents...) whose channels lie innermost in memory: what convolution and pooling work on.

#include "array.hpp"

namespace xgrad::detail {

/// New, uninitialised elements of this shape, dense in the order (N, extents..., C).
Array make_channels_last(const Shape& shape, DType dtype);
/// x if its elements lie dense in that order, else a copy that does.
Array channels_last(const Array& x);

}  // namespace xgrad::detail
