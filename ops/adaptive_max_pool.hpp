#pragma once
// Adaptive max pooling that says where the maxima are.

#include "pooling.hpp"

namespace xgrad {

/// adaptive_max_poolNd with the place of each element, int64: among the elements of its channel of its example, in
/// row-major order.
ValuesAndIndices adaptive_max_pool1d_with_indices(Operand x, const Shape& output_size);
ValuesAndIndices adaptive_max_pool2d_with_indices(Operand x, const Shape& output_size);
ValuesAndIndices adaptive_max_pool3d_with_indices(Operand x, const Shape& output_size);

}  // namespace xgrad
