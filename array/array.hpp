#pragma once
// Array: elements in memory, and nothing else. It is what kernels work on; a Tensor is one with a place in a graph.

#include <cstddef>
#include <cstdint>

#include "../core/storage.hpp"
#include "dtype.hpp"
#include "shape.hpp"
#include "strided.hpp"

namespace xgrad::detail {

/// Elements of one dtype in shared storage, seen through a shape and strides. Copies share the elements.
struct Array {
  DType dtype = DType::float32;
  bool row_major = true;  // elements dense, in C order
  Shape shape, strides;   // strides in elements
  std::int64_t numel = 0;
  std::byte* data = nullptr;  // the first element, somewhere in storage; null where there is no array
  Reference<Storage> storage;
};

/// Gives an array new, uninitialised elements, dense in row-major order. Throws Error when there is no memory.
void allocate_array(Array& array, const Shape& shape, DType dtype);
/// The same with the axes in this order in memory, outermost first; axes of size 1 may be left out.
void allocate_array_in_order(Array& array, const Shape& shape, DType dtype, const Shape& order);
Array make_array(const Shape& shape, DType dtype);

/// The axes longer than 1 in their order in memory, outermost first; as they come where elements are repeated.
Shape memory_order(const Shape& shape, const Shape& strides);

/// The first element; the others are found through the strides. Throws Error unless T is the dtype.
template <class T>
T* first_element(const Array& array) {
  check(array.dtype == dtype_of<T>(), "tensor: elements are ", array.dtype, ", not ", dtype_of<T>(),
        "; convert with .to(", dtype_of<T>(), ")");
  return reinterpret_cast<T*>(array.data);
}

/// The element `offset` steps on, converted to the number that it is computed as: T is that of dispatch_compute.
template <class T>
T number_at(const Array& x, std::int64_t offset) {
  std::byte* const from = x.data + offset * static_cast<std::int64_t>(item_size(x.dtype));
  if (x.dtype == dtype_of<T>()) return *reinterpret_cast<const T*>(from);
  T number;
  std::byte* const pointers[] = {reinterpret_cast<std::byte*>(&number), from};
  conversion(x.dtype, dtype_of<T>())(nullptr, 1, pointers);
  return number;
}

/// The memory of x seen as `shape`, which x broadcasts to.
Strided strided(const Array& x, const Shape& shape);
/// The same as an input, or with `written` the output, of a loop over elements of `dtype`.
Strided strided_as(DType dtype, const Array& x, const Shape& shape, bool written = false);
/// Overwrites the elements of `to` by those of `from`, broadcast and converted.
void overwrite(const Array& to, const Array& from);
/// x if its elements lie dense in row-major order, else a copy that does.
Array row_major(const Array& x);
/// x if it has this dtype, else a copy that has.
Array as_dtype(const Array& x, DType dtype);

}  // namespace xgrad::detail
