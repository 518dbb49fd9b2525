#pragma once
// Running products, extrema and logarithms of sums along an axis; the running sum is cumsum (cumulative.hpp). They need
// row-major memory, and copy what lies otherwise.

#include "cumulative.hpp"
#include "extrema.hpp"

namespace xgrad {

/// Along an axis, the product of each element and all before it. Integers and bool give int64 where options name no
/// dtype. float32 is multiplied in float64. The gradient is right beside zeros, too.
Tensor cumprod(Operand x, std::int64_t axis, const CumsumOptions& options = {});
/// Along an axis, the largest (smallest) element so far, and where it is: the last of equal ones. NaN is larger (and
/// smaller) than all others. The gradient goes to that element.
ValuesAndIndices cummax(Operand x, std::int64_t axis);
ValuesAndIndices cummin(Operand x, std::int64_t axis);
/// Along an axis, the logarithm of the sum of exp of each element and all before it, without overflow.
Tensor logcumsumexp(Operand x, std::int64_t axis);

namespace detail {

/// y_i = a_i y_(i-1) + b_i along an axis, with y_(-1) = 0; from the end with `reverse`. a and b have one shape and are
/// float32, float64 or int64.
Tensor linear_recurrence(const Tensor& a, const Tensor& b, std::size_t axis, bool reverse);

}  // namespace detail

}  // namespace xgrad
