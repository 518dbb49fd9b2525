#pragma once
// Array: elements in memory, and nothing else. It is what kernels work on; a Tensor is one with a place in a graph.

#include <cstddef>
#include <cstdint>
#include <span>

#include "../core/storage.hpp"
#include "dtype.hpp"
#include "memory_format.hpp"
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
/// The same with the shape of another array, and its order of axes.
void allocate_array_like(Array& array, const Array& like, DType dtype);
Array make_array(const Shape& shape, DType dtype);

/// Sees dense row-major elements with the axes in this order in memory.
void set_order(Array& array, const Shape& order);
/// Whether the elements lie dense in some order of the axes: each once, without gaps.
bool is_dense(const Array& x);
/// Whether both have one shape and are dense in one order, so that what is n-th in memory is the same element of both.
bool lies_like(const Array& x, const Array& like);
bool lie_alike(std::span<const Array* const> arrays);
/// The order of axes for a result of this shape: that of the first array which has the shape and repeats no element.
Shape common_order(const Shape& shape, std::span<const Array* const> arrays);

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

// Copies that are made only where elements lie otherwise; a Profile shows them.
/// x if its elements lie dense in row-major order, else a copy that does.
Array row_major(const Array& x);
/// x if it has this dtype, else a copy that has.
Array as_dtype(const Array& x, DType dtype);
/// x if it lies dense in a format that its rank has, else a copy that does.
Array in_format(const Array& x, MemoryFormat format);
/// x if it is dense, else a copy that is, with the axes in the order they have.
Array packed(const Array& x);
/// x if it lies like another array, which is dense and of its shape, else a copy that does.
Array laid_like(const Array& x, const Array& like);

}  // namespace xgrad::detail
