#pragma once
// What operations over spatial axes have in common: those of (N, C, L), (N, C, H, W) and (N, C, D, H, W), which kernels
// know as depth, height and width.

#include "../autograd/primitives.hpp"
#include "../autograd/tensor.hpp"
#include "../kernels/patches.hpp"
#include "shape.hpp"

namespace xgrad::detail {

/// The last `rank` numbers of a shape, behind others where a kernel knows more axes.
inline Extents spatial(const Shape& shape, std::size_t rank, std::int64_t missing = 1) {
  Extents all = {missing, missing, missing};
  for (std::size_t i = 0; i < rank; ++i) all[3 - rank + i] = shape[shape.size() - rank + i];
  return all;
}

/// Throws Error in the name of `op` unless x is a batch of examples of `rank` spatial axes or one, floating, with
/// elements along all axes but that of the batch.
inline void check_spatial(const char* op, const Tensor& x, std::size_t rank) {
  check(x.dim() == rank + 1 || x.dim() == rank + 2, op, ": input has shape ", x.shape(),
        "; (N, C, ...) or (C, ...) with ", rank, rank == 1 ? " spatial axis" : " spatial axes", " is needed");
  check(is_floating(x.dtype()), op, ": input is ", x.dtype(), "; convert it with .to(float32)");
  for (std::size_t axis = x.dim() - rank - 1; axis < x.dim(); ++axis)
    check(x.shape()[axis] > 0, op, ": input has shape ", x.shape(), "; only the batch may be empty");
}

/// f(x), for a batch, in the dtype that is computed in; of one example, a batch of one. Its channels lie innermost,
/// unless it requires a gradient: what lies in another order is copied once for all that works on it.
template <class F>
Tensor on_batch(const Tensor& x, std::size_t rank, DType computed, const F& f) {
  const bool one = x.dim() == rank + 1;
  const MaybeOwned numbers = converted(x, computed);
  Tensor batch = one ? unsqueeze(*numbers, 0) : *numbers;
  if (!batch.requires_grad()) batch = Tensor(in_format(batch, MemoryFormat::channels_last));
  Tensor y = one ? squeeze(f(batch), 0) : f(batch);
  return narrowed(std::move(y), x.dtype());
}
template <class F>
Tensor on_batch(const Tensor& x, std::size_t rank, const F& f) {
  return on_batch(x, rank, compute_dtype(x.dtype()), f);
}

}  // namespace xgrad::detail
