#pragma once
// Parts of tensors picked by vectors of indices, and added at such.
//
// Indices are integers and counted from 0; one out of range throws Error with its position and value, as do shapes that
// do not fit. Sums of several elements are added up in the order of the indices, so they are the same for any number of
// threads. Gradients flow to the values, not to the indices.

#include "../autograd/operand.hpp"

namespace xgrad {

/// The parts of x at the indices of a vector, along an axis, whose size becomes that of the vector. Needs row-major
/// memory, and copies x where it lies otherwise.
Tensor index_select(Operand x, std::int64_t axis, const Tensor& index);
/// x with part i of `source`, times alpha, along an axis added to part index[i] of x, for every i. Source has the shape
/// of x, but the size of the index along the axis.
Tensor index_add(Operand x, std::int64_t axis, const Tensor& index, const Tensor& source,
                 const AlphaOptions& options = {});

}  // namespace xgrad
