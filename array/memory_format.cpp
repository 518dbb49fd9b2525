#include "memory_format.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

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
  // By insertion: there are few, mostly in order, and std::stable_sort would take memory from the heap.
  const auto stride_of = [&](std::size_t at) { return strides[static_cast<std::size_t>(order[at])]; };
  for (std::size_t end = 1; end < order.size(); ++end)
    for (std::size_t at = end; at > 0 && stride_of(at - 1) < stride_of(at); --at) std::swap(order[at - 1], order[at]);
  return order;
}

}  // namespace xgrad::detail
