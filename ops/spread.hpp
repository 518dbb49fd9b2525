#pragma once

#include "../autograd/operand.hpp"
#include "kernels/reduction.hpp"

namespace xgrad::detail {

/// The result of a reduction repeated along the reduced axes, in the shape of the reduction's input; no memory is
/// copied. Its backward is the sum, whose backward it is.
Tensor spread(const Tensor& x, const ReducedShape& shape);
/// The sum over the reduced axes.
Tensor sum_over(const Tensor& x, const ReducedShape& shape);

}  // namespace xgrad::detail
