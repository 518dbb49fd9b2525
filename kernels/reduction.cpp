#include "reduction.hpp"

#include "map.hpp"

namespace xgrad::detail {

ReducedShape::ReducedShape(const char* op, const Shape& shape, const Axes& axes, bool keepdim)
    : input_(shape), keepdim_(keepdim) {
  for (const std::int64_t axis : normalize_axes(op, axes.numbers(), shape.size()))
    reduced_ = static_cast<std::uint8_t>(reduced_ | 1u << axis);
}

Shape ReducedShape::axes() const {
  Shape out;
  for (std::size_t axis = 0; axis < input_.size(); ++axis)
    if (is_reduced(axis)) out.push_back(static_cast<std::int64_t>(axis));
  return out;
}

Shape ReducedShape::kept() const { return keeping().result(); }

Shape ReducedShape::result() const {
  Shape out;
  for (std::size_t axis = 0; axis < input_.size(); ++axis) {
    if (!is_reduced(axis))
      out.push_back(input_[axis]);
    else if (keepdim_)
      out.push_back(1);
  }
  return out;
}

std::int64_t ReducedShape::count() const {
  Shape sizes;
  for (std::size_t axis = 0; axis < input_.size(); ++axis)
    if (is_reduced(axis)) sizes.push_back(input_[axis]);
  return sizes.numel();
}

ReducedShape ReducedShape::keeping() const {
  ReducedShape out = *this;
  out.keepdim_ = true;
  return out;
}

void ReducedShape::expect_elements(const char* op) const {
  check(count() > 0 || result().numel() == 0, op, ": shape ", input_, " reduced to ", result(),
        ": there are no elements to choose from");
}

Shape ReducedShape::strides_of_result(const Shape& strides) const {
  Shape out;
  for (std::size_t axis = 0, at = 0; axis < input_.size(); ++axis) {
    out.push_back(is_reduced(axis) ? 0 : strides[at]);
    if (keepdim_ || !is_reduced(axis)) ++at;
  }
  return out;
}

ReducedSize size_along(const Shape& shape, std::size_t axis) {
  ReducedSize size;
  size.reduced = shape[axis];
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (i != axis) (i < axis ? size.outer : size.inner) *= shape[i];
  return size;
}

ReducedSize size_along(const Array& x, std::size_t axis) {
  ReducedSize size;
  bool inside = false;
  for (const std::int64_t at : memory_order(x.shape, x.strides)) {
    const std::int64_t length = x.shape[static_cast<std::size_t>(at)];
    if (static_cast<std::size_t>(at) == axis)
      size.reduced = length, inside = true;
    else
      (inside ? size.inner : size.outer) *= length;
  }
  return size;
}

ReductionMemory::ReductionMemory(const Array& x, const ReducedShape& of)
    : data(x.data), order(memory_order(x.shape, x.strides)) {
  std::int64_t stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(order[i]);
    if (x.strides[axis] != stride && x.numel > 0) {
      const Array dense = row_major(x);
      data = dense.data, copy = dense.storage;
      order = memory_order(dense.shape, dense.strides);
      break;
    }
    stride *= x.shape[axis];
  }
  for (const std::int64_t number : order) {
    const auto axis = static_cast<std::size_t>(number);
    shape.push_back(x.shape[axis]);
    reduced.push_back(of.is_reduced(axis) ? 1 : x.shape[axis]);
  }
}

void ReductionMemory::allocate_result(Array& out, const ReducedShape& of, DType dtype) const {
  const Shape result = of.result();
  const bool keepdim = result.size() == of.input().size();
  Shape result_order;
  for (const std::int64_t axis : order) {
    if (of.is_reduced(static_cast<std::size_t>(axis))) continue;
    std::int64_t at = axis;
    if (!keepdim)
      for (std::int64_t before = 0; before < axis; ++before) at -= of.is_reduced(static_cast<std::size_t>(before));
    result_order.push_back(at);
  }
  allocate_array_in_order(out, result, dtype, result_order);
}

}  // namespace xgrad::detail
