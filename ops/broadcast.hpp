#pragma once
// Along reduced axes: what is summed over them, and what is repeated.

#include "../autograd/operand.hpp"
#include "../kernels/reduction.hpp"

namespace xgrad::detail {

/// The result of a reduction repeated along the reduced axes, in the shape of the reduction's input; no memory is
/// copied. Its backward is the sum, whose backward it is.
Tensor broadcast_over(const Tensor& x, const ReducedShape& shape);
/// The sums over the reduced axes, each divided by `divisor`, outside the graph; int64 for integers and bool.
Tensor sums(const Tensor& x, const ReducedShape& shape, double divisor = 1);
/// The sum over the reduced axes.
Tensor sum_over(const Tensor& x, const ReducedShape& shape);

}  // namespace xgrad::detail
