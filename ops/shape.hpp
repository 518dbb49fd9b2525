#pragma once
// Other views of the same elements.
//
// No element is copied unless it says so: results share memory with x, and a change in place of one is seen in the
// other. Axes may be counted from the back: -1 is the last. What is out of range throws Error with the shapes.

#include "../array/axes.hpp"
#include "../autograd/operand.hpp"

namespace xgrad {

/// The elements of x, in row-major order, in another shape of as many elements; one size may be -1, to be worked out.
/// A view where strides can express it, a copy otherwise.
Tensor reshape(Operand x, const Shape& shape);
/// The axes from start_axis to end_axis, both included, made one; a number becomes shape (1,). As reshape.
Tensor flatten(Operand x, std::int64_t start_axis = 0, std::int64_t end_axis = -1);
/// Two axes exchanged.
Tensor transpose(Operand x, std::int64_t axis0, std::int64_t axis1);
/// The axes in the order given: axis i of the result is axis axes[i] of x. Every axis is named once.
Tensor permute(Operand x, const Shape& axes);
/// Without those of the axes that have size 1; all axes where none are named: squeeze(x), squeeze(x, 0),
/// squeeze(x, {0, 2}).
Tensor squeeze(Operand x, const Axes& axes = {});
/// With an axis of size 1 inserted such that it becomes `axis`.
Tensor unsqueeze(Operand x, std::int64_t axis);

}  // namespace xgrad
