#pragma once
// The largest and smallest elements, and where they are. NaN counts as larger, and as smaller, than every number. Each
// function throws Error where there are no elements to choose from.

#include "reduce.hpp"

namespace xgrad {

/// The largest element. Elements that are equally large share the gradient evenly.
Tensor amax(Operand x, const Axes& axes = {}, const ReduceOptions& options = {});
/// The smallest element. Elements that are equally small share the gradient evenly.
Tensor amin(Operand x, const Axes& axes = {}, const ReduceOptions& options = {});

/// Elements and their positions along an axis, int64.
struct ValuesAndIndices {
  Tensor values, indices;
};

/// The largest of all elements, as amax. For the larger of two tensors see maximum().
Tensor max(Operand x);
/// The largest elements along an axis, and where the first of them is, which gets all of the gradient. Needs row-major
/// memory, and copies x where it lies otherwise; so do the three functions of an axis below.
ValuesAndIndices max(Operand x, Axis axis, const ReduceOptions& options = {});
/// The smallest of all elements, as amin. For the smaller of two tensors see minimum().
Tensor min(Operand x);
/// The smallest elements along an axis, and where the first of them is, which gets all of the gradient.
ValuesAndIndices min(Operand x, Axis axis, const ReduceOptions& options = {});

/// Position of the first of the largest elements, int64: among all elements in row-major order, or along an axis.
Tensor argmax(Operand x);
Tensor argmax(Operand x, Axis axis, const ReduceOptions& options = {});
/// Position of the first of the smallest elements, int64: among all elements in row-major order, or along an axis.
Tensor argmin(Operand x);
Tensor argmin(Operand x, Axis axis, const ReduceOptions& options = {});

}  // namespace xgrad
