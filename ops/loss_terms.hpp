#pragma once
// What losses have in common.

#include "loss.hpp"

namespace xgrad::detail {

/// What `reduction` makes of the losses of the single rows or elements.
Tensor reduced(const Tensor& losses, Reduction reduction);

/// Refuses to compare every element with every other where an axis is missing: throws Error unless the shapes are
/// equal, and says how to make them so. `name` is what the second is called.
void expect_equal_shapes(const char* op, const Tensor& input, const Tensor& target, const char* name = "target");

}  // namespace xgrad::detail
