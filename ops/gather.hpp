#pragma once
// Elements picked by tensors of indices, and added at such.
//
// Indices are integers and counted from 0; one out of range throws Error with its position and value, as do shapes that
// do not fit. Sums of several elements are added up in the order of the indices, so they are the same for any number of
// threads. Gradients flow to the values, not to the indices.

#include "../autograd/operand.hpp"

namespace xgrad {

/// Element by element of `index`, which has as many axes as x and is nowhere larger but along `axis`: the element of x
/// at the same position, except that along `axis` the index says where. For axis 1: out[i, j] = x[i, index[i, j]].
Tensor gather(Operand x, std::int64_t axis, const Tensor& index);
/// x with every element of `source` added at the position that gather would read for that element of `index`. Source is
/// nowhere smaller than the index; what lies beyond is not added. For axis 1: out[i, index[i, j]] += source[i, j].
Tensor scatter_add(Operand x, std::int64_t axis, const Tensor& index, const Tensor& source);

}  // namespace xgrad
