#pragma once
// What operations with tensors of indices have in common.

#include "../autograd/tensor.hpp"

namespace xgrad::detail {

/// The indices as dense memory. Throws Error in the name of `op`, with position and value, for one that is not within
/// axis `axis` of `shape`, and for a dtype other than one of integers.
Tensor checked_index(const char* op, const Tensor& index, const Shape& shape, std::size_t axis);

/// add(sums, terms) on the elements of `out` and of `source`, both dense, as they are computed; rounded once where that
/// is another dtype.
template <class F>
void add_computed(const Array& out, const Array& source, const F& add) {
  const DType computed = compute_dtype(out.dtype);
  const Array sums = as_dtype(out, computed);
  add(sums, row_major(as_dtype(source, computed)));
  if (out.dtype != computed) overwrite(out, sums);
}

}  // namespace xgrad::detail
