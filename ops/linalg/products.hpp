#pragma once
// Products of vectors and matrices, and matrices made of vectors.

#include <optional>
#include <vector>

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

/// The product of two or more matrices, in the order that takes the fewest multiplications. The first may be a vector,
/// which is a row, and the last one, which is a column; their axes do not appear in the result. Throws Error for less
/// than two, for tensors of other axes, and sizes that do not fit.
Tensor multi_dot(const std::vector<Tensor>& matrices, detail::CallSite site = detail::CallSite::here());

/// The vector products of three-dimensional vectors along an axis. Shapes broadcast. Throws Error unless the axis has
/// size 3.
Tensor cross(Operand a, Operand b, std::int64_t axis = -1);

/// All products of an element of a vector (m,) and one of a vector (n,): (m, n). Throws Error for other shapes.
Tensor outer(Operand a, Operand b);

/// The Kronecker product: each element of a times the whole of b, in its place. Axis i has the product of both sizes;
/// of the tensor with fewer axes, those in front count as 1.
Tensor kron(Operand a, Operand b);

/// The sum of the diagonal, of a matrix (m, n). Throws Error for other shapes.
Tensor trace(Operand A);

/// For x (..., n) the powers x^0, x^1, ..., x^(N - 1) of each element as rows of a matrix (..., n, N); n columns where
/// no number is named. Throws Error for a negative one.
Tensor vander(Operand x, std::optional<std::int64_t> N = {});

}  // namespace xgrad::linalg
