#include "array.hpp"

#include <algorithm>
#include <cstring>

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

void allocate_array_in_order(Array& array, const Shape& shape, DType dtype, const Shape& order) {
  allocate_array(array, shape, dtype);
  if (std::is_sorted(order.begin(), order.end())) return;
  std::int64_t stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(order[i]);
    array.strides[axis] = stride;
    stride *= shape[axis];
  }
  array.row_major = false;
}

Array make_array(const Shape& shape, DType dtype) {
  Array out;
  allocate_array(out, shape, dtype);
  return out;
}

Shape memory_order(const Shape& shape, const Shape& strides) {
  Shape order;
  bool repeated = false;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 1) continue;
    order.push_back(static_cast<std::int64_t>(axis));
    repeated = repeated || strides[axis] == 0;
  }
  if (repeated) return order;
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return strides[static_cast<std::size_t>(a)] > strides[static_cast<std::size_t>(b)];
  });
  return order;
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

Array row_major(const Array& x) {
  if (x.row_major) return x;
  Array out = make_array(x.shape, x.dtype);
  overwrite(out, x);
  return out;
}

Array as_dtype(const Array& x, DType dtype) {
  if (x.dtype == dtype) return x;
  Array out;
  allocate_array_in_order(out, x.shape, dtype, memory_order(x.shape, x.strides));
  overwrite(out, x);
  return out;
}

}  // namespace xgrad::detail
