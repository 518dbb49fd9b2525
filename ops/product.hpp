#pragma once
// Products over axes.

#include "reduce.hpp"

namespace xgrad {

/// Product of the elements; 1 where there are none. Integers and bool give int64 where options name no dtype.
/// Derivatives of every order are right at zeros, too.
Tensor prod(Operand x, const Axes& axes = {}, const SumOptions& options = {});

}  // namespace xgrad
