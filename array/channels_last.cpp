#include "channels_last.hpp"

namespace xgrad::detail {
namespace {

/// The axes, outermost first.
Shape order_of(std::size_t rank) {
  Shape order{0};
  for (std::size_t axis = 2; axis < rank; ++axis) order.push_back(static_cast<std::int64_t>(axis));
  order.push_back(1);
  return order;
}

bool is_channels_last(const Array& x) {
  std::int64_t stride = 1;
  const Shape order = order_of(x.shape.size());
  for (std::size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(order[i]);
    if (x.shape[axis] == 1) continue;
    if (x.strides[axis] != stride) return false;
    stride *= x.shape[axis];
  }
  return true;
}

}  // namespace

Array make_channels_last(const Shape& shape, DType dtype) {
  Array out;
  allocate_array_in_order(out, shape, dtype, order_of(shape.size()));
  return out;
}

Array channels_last(const Array& x) {
  if (x.numel == 0 || is_channels_last(x)) return x;
  Array out = make_channels_last(x.shape, x.dtype);
  overwrite(out, x);
  return out;
}

}  // namespace xgrad::detail
