#pragma once
// Where elements are not zero, or true.

#include "../autograd/operand.hpp"

namespace xgrad {

/// The positions of the elements that are not zero, in row-major order: (count, axes of x), int64. NaN is not zero.
Tensor nonzero(Operand x);

namespace detail {

/// The same as places in row-major order, (count,).
Tensor places_of_nonzero(const Tensor& x);

}  // namespace detail

}  // namespace xgrad
