#pragma once
// Parts of tensors.
//
// They are views: they share memory with x, and a change in place of one is seen in the other. Axes may be counted
// from the back: -1 is the last. What is out of range throws Error with the shapes.

#include <vector>

#include "../autograd/operand.hpp"

namespace xgrad {

/// Elements begin, begin + step, ... before `end` along an axis, as Python's x[begin:end:step]: negative positions
/// count from the end, those beyond it mean the end. A negative step goes backwards, and copies: slice(x, 0, -1,
/// INT64_MIN, -1) is x[::-1], for INT64_MIN lies before the first element. Throws Error for a step of 0.
Tensor slice(Operand x, std::int64_t axis, std::int64_t begin, std::int64_t end = INT64_MAX, std::int64_t step = 1);
/// `length` elements along an axis from `begin` on, which may be negative. Throws Error where they are not all there.
Tensor narrow(Operand x, std::int64_t axis, std::int64_t begin, std::int64_t length);
/// The part of x at `index` along an axis, without that axis; -1 is the last. Along the first axis also x[index].
Tensor select(Operand x, std::int64_t axis, std::int64_t index);
/// Parts of `size` along an axis, one after the other; the last is smaller if they do not come out even.
std::vector<Tensor> split(Operand x, std::int64_t size, std::int64_t axis = 0);
/// Parts of these sizes along an axis, which add up to its size. A list of one number counts as the number.
std::vector<Tensor> split(Operand x, const std::vector<std::int64_t>& sizes, std::int64_t axis = 0);

/// The parts of x along an axis, one for each index, without that axis: for a loop over time, say. Empty for an axis of
/// size 0.
std::vector<Tensor> unbind(Operand x, std::int64_t axis = 0);

/// The order of the elements reversed along the given axes; no axes mean all of them. A copy.
Tensor flip(Operand x, const Shape& axes = {});

}  // namespace xgrad
