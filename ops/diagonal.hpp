#pragma once
// Diagonals and triangles of matrices.
//
// A diagonal lies `offset` above the main one, or below it where that is negative. Axes may be counted from the back.
// What is out of range throws Error with the shapes.

#include "../autograd/operand.hpp"

namespace xgrad {

/// The diagonals of the matrices in two axes, as a last axis in the place of these: for (m, n) the elements
/// x[i, i + offset]; empty where there are none. A view.
Tensor diagonal(Operand x, std::int64_t offset = 0, std::int64_t axis0 = 0, std::int64_t axis1 = 1);
/// Square matrices, in two axes of the result, with the last axis of x on a diagonal and zeros elsewhere: (..., n) to
/// (..., n + |offset|, n + |offset|).
Tensor diag_embed(Operand x, std::int64_t offset = 0, std::int64_t axis0 = -2, std::int64_t axis1 = -1);
/// The matrix with a vector on its diagonal, or the diagonal of a matrix (a view). Throws Error for other tensors.
Tensor diag(Operand x, std::int64_t offset = 0);

/// The matrices in the last two axes with zeros above the diagonal that lies `offset` above the main one. A copy.
Tensor tril(Operand x, std::int64_t offset = 0);
/// The same with zeros below it.
Tensor triu(Operand x, std::int64_t offset = 0);

}  // namespace xgrad
