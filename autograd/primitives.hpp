#pragma once
// The few differentiable operations that the engine itself needs; all are linear.

#include "operand.hpp"

namespace xgrad {

/// Sum over the axes along which a tensor of `shape` was broadcast to this one's shape: the inverse of expand in
/// differentiation. Throws Error where `shape` does not broadcast to x's.
Tensor sum_to(Operand x, const Shape& shape);

/// A view in which axes of size 1 are repeated and axes are added in front, to get `shape`; no memory is copied. -1
/// keeps the size of an axis.
Tensor expand(Operand x, const Shape& shape);

namespace detail {

/// a + b, of one shape and dtype.
Tensor accumulate(const Tensor& a, const Tensor& b);
/// sum += term; recorded nowhere. `sum`, of any strides that repeat no element, must be owned alone, be part of a
/// tensor that is, or be a leaf's gradient.
void accumulate_in_place(const Tensor& sum, const Tensor& term);
/// x as row-major memory, recorded nowhere: for kernels that read it. An undefined x is given back.
MaybeOwned dense(const Tensor& x);
MaybeOwned dense(Tensor&& x) = delete;  // it would lend what is about to go
/// The same for kernels that read dense memory with its axes in any order, and in that of another tensor of this shape.
MaybeOwned packed(const Tensor& x);
MaybeOwned packed(Tensor&& x) = delete;
MaybeOwned laid_like(const Tensor& x, const Tensor& like);
MaybeOwned laid_like(Tensor&& x, const Tensor& like) = delete;
/// x in this dtype; differentiable between floating types.
inline MaybeOwned converted(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) [[likely]]
    return x;
  return x.to(dtype);
}
MaybeOwned converted(Tensor&& x, DType dtype) = delete;

// An operation whose kernels know only the types that are computed with (see dispatch_compute) is applied to inputs
// brought to these, and its result is rounded once:
//
//     return narrowed(apply(Softmax{axis}, widened(x)), x.dtype());

/// x in the dtype that is computed in for its own: x itself, or a float32 or int64 copy. Differentiable. An undefined x
/// is given back.
inline MaybeOwned widened(const Tensor& x) {
  if (!x.defined()) return x;
  return converted(x, compute_dtype(x.dtype()));
}
MaybeOwned widened(Tensor&& x) = delete;
/// What was computed from inputs widened from this dtype, in this dtype.
inline Tensor narrowed(Tensor&& y, DType dtype) {
  if (y.dtype() == dtype) [[likely]]
    return std::move(y);
  return y.to(dtype);
}

}  // namespace detail

}  // namespace xgrad
