#pragma once
// Elements written, or combined, at positions that a tensor of indices picks.
//
// The index has as many axes as x and as `source`, and is nowhere larger than these but along `axis`, where it says the
// place in x: for axis 1, element [i, j] of the source goes to x[i, index[i, j]]. What lies beyond the index in the
// source is not used. Indices count from 0; one that is out of range throws Error with its position and value, as do
// shapes that do not fit. Where several elements go to one place they are taken in row-major order, so that results are
// the same for any number of threads. Gradients flow to the values, not to the indices. For sums see scatter_add().

#include "../autograd/operand.hpp"

namespace xgrad {

/// x with elements of `source` in place of its own. Of several that go to one place the last stays, and has the
/// gradient.
Tensor scatter(Operand x, std::int64_t axis, const Tensor& index, Operand source);
/// x with a number at these places.
Tensor scatter(Operand x, std::int64_t axis, const Tensor& index, Scalar value);

enum class ScatterReduction { sum, prod, mean, amax, amin };
struct ScatterReduceOptions {
  bool include_self = true;  // whether the element of x counts where something goes to its place
};
/// x with elements of `source` combined with its own. Of equally large elements each has the same part of the gradient.
/// The gradient of a product in which an element is 0 has no further derivatives (an Error).
Tensor scatter_reduce(Operand x, std::int64_t axis, const Tensor& index, Operand source, ScatterReduction reduction,
                      const ScatterReduceOptions& options = {});

/// The elements of x along an axis at the indices, which may be negative: gather() in NumPy's manner, where the other
/// axes of x and index are broadcast against each other.
Tensor take_along_axis(Operand x, const Tensor& index, std::int64_t axis);

}  // namespace xgrad
