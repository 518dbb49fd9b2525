#pragma once
// What the operations of linear algebra share: matrices in the last two axes, batches of them, and what went wrong with
// which.

#include <span>
#include <string>
#include <utility>

#include "../../autograd/apply.hpp"
#include "../../autograd/primitives.hpp"
#include "../shape.hpp"

namespace xgrad::detail {

/// Throws Error unless x is floating and has at least two axes.
void expect_matrices(const char* op, const Tensor& x);
/// The same, and for matrices that are not square.
void expect_square(const char* op, const Tensor& x);

/// All axes but the last two.
Shape batch_of(const Tensor& x);
inline std::int64_t rows_of(const Tensor& x) { return x.shape()[x.dim() - 2]; }
inline std::int64_t columns_of(const Tensor& x) { return x.shape()[x.dim() - 1]; }
/// The shape of matrices of this size.
Shape with_matrices(const Shape& batch, std::int64_t rows, std::int64_t columns);
Shape with_vectors(const Shape& batch, std::int64_t size);

/// The transposes of the matrices.
inline Tensor transposed(const Tensor& x) { return transpose(x, -2, -1); }
/// Numbers, one a matrix, as matrices of one element; vectors as matrices of one column.
inline Tensor as_matrices(const Tensor& x) { return reshape(x, with_matrices(x.shape(), 1, 1)); }
inline Tensor as_columns(const Tensor& x) { return unsqueeze(x, -1); }
inline Tensor as_rows(const Tensor& x) { return unsqueeze(x, -2); }
/// Identities, of the batch and dtype of x.
Tensor identity_like(const Tensor& x, std::int64_t order);

/// A copy of the elements, row by row, outside the graph: for kernels that work in place.
Tensor dense_copy(const Tensor& x);

/// The matrices of both, brought to one dtype and one batch. Throws Error for batches that do not broadcast.
std::pair<Tensor, Tensor> in_one_batch(const char* op, const Tensor& a, const Tensor& b);

/// Right-hand sides, for matrices a, as matrices with right-hand sides as columns.
struct RightSides {
  Tensor a, b;
  bool vectors;  // each was one, not a matrix
  /// Throws Error unless a x = b, or with `left` false x a = b, is a system of equations. b holds vectors where it has
  /// one axis, or the axes of a but the last; they are columns.
  RightSides(const char* op, const Tensor& a, const Tensor& b, bool left = true);
  /// The solution as b was given.
  Tensor as_given(const Tensor& x) const { return vectors ? squeeze(x, -1) : x; }
};

/// "the matrix", or "matrix (1, 0) of the batch (4, 2)".
std::string name_of_matrix(std::int64_t index, const Shape& batch);
/// Throws Error where `info` has a number other than 0: the name of the first such matrix and describe(number).
template <class Describe>
void expect_success(const char* op, std::span<const int> info, const Shape& batch, const Describe& describe) {
  for (std::size_t i = 0; i < info.size(); ++i)
    if (info[i] != 0) fail(op, ": ", name_of_matrix(static_cast<std::int64_t>(i), batch), describe(info[i]));
}

/// Throws Error where a matrix has an element that is NaN or infinite, for which an iteration would find no end.
void expect_finite(const char* op, const Tensor& x);

/// Whether a gradient can be anything but zero.
bool matters(const Tensor& grad);

/// The first element of a matrix of a dense tensor; null where it is undefined.
template <class T>
T* matrix_at(const Tensor& x, std::int64_t index) {
  if (!x.defined()) return nullptr;
  return x.data<T>() + index * rows_of(x) * columns_of(x);
}

}  // namespace xgrad::detail
