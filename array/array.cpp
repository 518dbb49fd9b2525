#include "array.hpp"

#include <algorithm>
#include <cstring>

#include "profile.hpp"

namespace xgrad::detail {

void allocate_array(Array& array, const Shape& shape, DType dtype) {
  const std::int64_t numel = shape.numel();
  std::int64_t bytes = 0;
  check(!__builtin_mul_overflow(numel, static_cast<std::int64_t>(item_size(dtype)), &bytes), "tensor: shape ", shape,
        " of ", dtype, " takes more than 2^63 - 1 bytes");
  array.storage = Storage::make(static_cast<std::size_t>(bytes));
  array.data = array.storage->data();
  array.dtype = dtype;
  array.row_major = true;
  array.shape = shape;
  array.strides = shape;
  std::uint64_t stride = 1;  // as row_major_strides, in place
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    array.strides[axis] = static_cast<std::int64_t>(stride);
    stride *= static_cast<std::uint64_t>(std::max<std::int64_t>(shape[axis], 1));
  }
  array.numel = numel;
}

void set_order(Array& array, const Shape& order) {
  if (std::is_sorted(order.begin(), order.end()) || array.numel == 0) return;
  std::int64_t stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(order[i]);
    array.strides[axis] = stride;
    stride *= array.shape[axis];
  }
  array.row_major = false;
}

void allocate_array_in_order(Array& array, const Shape& shape, DType dtype, const Shape& order) {
  allocate_array(array, shape, dtype);
  set_order(array, order);
}

void allocate_array_like(Array& array, const Array& like, DType dtype) {
  allocate_array(array, like.shape, dtype);
  if (!like.row_major) set_order(array, memory_order(like.shape, like.strides));
}

Array make_array(const Shape& shape, DType dtype) {
  Array out;
  allocate_array(out, shape, dtype);
  return out;
}

bool is_dense(const Array& x) {
  return x.row_major || x.numel == 0 || is_dense_in_order(x.shape, x.strides, memory_order(x.shape, x.strides));
}

bool lies_like(const Array& x, const Array& like) {
  if (x.shape != like.shape) return false;
  if ((x.row_major && like.row_major) || x.numel == 0) return true;
  for (std::size_t axis = 0; axis < x.shape.size(); ++axis)
    if (x.shape[axis] != 1 && x.strides[axis] != like.strides[axis]) return false;
  return is_dense(like);
}

bool lie_alike(std::span<const Array* const> arrays) {
  const Array& first = *arrays.front();
  if (!is_dense(first)) return false;
  for (const Array* other : arrays.subspan(1))
    if (!lies_like(*other, first)) return false;
  return true;
}

Shape common_order(const Shape& shape, std::span<const Array* const> arrays) {
  for (const Array* array : arrays) {
    if (array->shape != shape) continue;
    bool repeated = false;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      repeated = repeated || (shape[axis] > 1 && array->strides[axis] == 0);
    if (!repeated) return memory_order(shape, array->strides);
  }
  return axes_in(MemoryFormat::contiguous, shape.size());
}

Strided strided(const Array& x, const Shape& shape) {
  return {x.data, x.shape == shape ? x.strides : broadcast_strides(x.shape, x.strides, shape), item_size(x.dtype)};
}

Strided strided_as(DType dtype, const Array& x, const Shape& shape, bool written) {
  Strided memory = strided(x, shape);
  if (x.dtype != dtype) memory.convert = written ? conversion(dtype, x.dtype) : conversion(x.dtype, dtype);
  return memory;
}

void overwrite(const Array& to, const Array& from) {
  const std::size_t bytes = static_cast<std::size_t>(to.numel) * item_size(to.dtype);
  if (to.row_major && from.row_major && to.shape == from.shape && to.dtype == from.dtype && bytes <= 16384) {
    std::memmove(to.data, from.data, bytes);
    return;
  }
  copy_strided(to.shape, strided(to, to.shape), to.dtype, strided(from, to.shape), from.dtype);
}

namespace {

Array copy_in_order(const Array& x, const Shape& order) {
  ProfileEvent event("copy", "layout");
  Array out;
  allocate_array_in_order(out, x.shape, x.dtype, order);
  overwrite(out, x);
  if (event) [[unlikely]]
    event.add_input(&x), event.add_output(&out);
  return out;
}

}  // namespace

Array row_major(const Array& x) { return x.row_major ? x : copy_in_order(x, {}); }
Array in_format(const Array& x, MemoryFormat format) {
  const Shape order = axes_in(format, x.shape.size());
  return x.numel == 0 || is_dense_in_order(x.shape, x.strides, order) ? x : copy_in_order(x, order);
}
Array packed(const Array& x) { return is_dense(x) ? x : copy_in_order(x, memory_order(x.shape, x.strides)); }
Array laid_like(const Array& x, const Array& like) {
  return lies_like(x, like) ? x : copy_in_order(x, memory_order(like.shape, like.strides));
}

Array as_dtype(const Array& x, DType dtype) {
  if (x.dtype == dtype) return x;
  Array out;
  allocate_array_in_order(out, x.shape, dtype, memory_order(x.shape, x.strides));
  overwrite(out, x);
  return out;
}

}  // namespace xgrad::detail
