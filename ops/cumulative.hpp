#pragma once
// Running totals.

#include "../autograd/operand.hpp"

namespace xgrad {

/// Along an axis, the sum of each element and all before it. int64 and bool give int64. float32 is added up in float64.
Tensor cumsum(Operand x, std::int64_t axis);

}  // namespace xgrad
