#pragma once
// Running totals.

#include <optional>

#include "../autograd/operand.hpp"

namespace xgrad {

struct CumsumOptions {
  std::optional<DType> dtype = {};  // of the result; x is converted to it first
};

/// Along an axis, the sum of each element and all before it. Integers and bool give int64 where options name no dtype.
/// float32 is added up in float64. Needs row-major memory, and copies x where it lies otherwise.
Tensor cumsum(Operand x, std::int64_t axis, const CumsumOptions& options = {});

}  // namespace xgrad
