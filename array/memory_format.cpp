#include "memory_format.hpp"

#include <algorithm>
#include <numeric>

namespace xgrad::detail {

Shape axes_in(MemoryFormat format, std::size_t rank) {
  Shape axes = Shape::filled(rank, 0);
  std::iota(axes.begin(), axes.end(), 0);
  if (format == MemoryFormat::channels_last) std::rotate(axes.begin() + 1, axes.begin() + 2, axes.end());
  return axes;
}

bool is_dense_in_order(const Shape& shape, const Shape& strides, const Shape& order) {
  std::int64_t stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(order[i]);
    if (shape[axis] == 1) continue;
    if (strides[axis] != stride) return false;
    stride *= shape[axis];
  }
  return true;
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

}  // namespace xgrad::detail
