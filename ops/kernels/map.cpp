#include "map.hpp"

#include <algorithm>

#include "../../core/parallel.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t grain = 16384;  // elements worth a thread's attention

void check_dtypes(const MapLoop& loop, std::span<const Tensor* const> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check(inputs[i]->dtype() == loop.dtypes[i], loop.op, ": input ", i, " has dtype ", inputs[i]->dtype(),
          ", expected ", loop.dtypes[i]);
}

void run_dense(const MapLoop& loop, const Tensor& out, std::span<const Tensor* const> inputs) {
  parallel_for(out.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
    std::byte* at[max_operands];
    const auto first = static_cast<std::size_t>(begin);
    at[0] = out.impl().data + first * item_size(loop.result);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      at[i + 1] = inputs[i]->impl().data + first * item_size(loop.dtypes[i]);
    loop.loop(loop.context, end - begin, at);
  });
}

void run_strided(const MapLoop& loop, const Tensor& out, std::span<const Tensor* const> inputs, const Shape& order) {
  std::array<Strided, max_operands> operands;
  const auto in_order = [&](const Tensor& tensor) {
    const Strided all = strided(tensor, out.shape());
    Strided operand{all.data, {}, all.item_size};
    for (const std::int64_t axis : order) operand.strides.push_back(all.strides[static_cast<std::size_t>(axis)]);
    return operand;
  };
  Shape shape;
  for (const std::int64_t axis : order) shape.push_back(out.shape()[static_cast<std::size_t>(axis)]);
  operands[0] = in_order(out);
  for (std::size_t i = 0; i < inputs.size(); ++i) operands[i + 1] = in_order(*inputs[i]);
  for_each_element(shape, std::span(operands).first(inputs.size() + 1), 1, loop.loop, loop.context, grain);
}

bool all_dense(std::span<const Tensor* const> inputs, const Shape& shape) {
  return std::all_of(inputs.begin(), inputs.end(),
                     [&](const Tensor* input) { return input->is_contiguous() && input->shape() == shape; });
}

}  // namespace

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

Tensor empty_in_order(const Shape& shape, DType dtype, const Shape& order) {
  Tensor out = empty(shape, dtype);
  if (std::is_sorted(order.begin(), order.end())) return out;
  TensorImpl& impl = out.impl();
  std::int64_t stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(order[i]);
    impl.strides[axis] = stride;
    stride *= shape[axis];
  }
  impl.row_major = false;
  return out;
}

Tensor run_map(const MapLoop& loop, std::span<const Tensor* const> inputs) {
  check_dtypes(loop, inputs);
  if (all_dense(inputs, inputs[0]->shape())) {
    Tensor out = empty(inputs[0]->shape(), loop.result);
    run_dense(loop, out, inputs);
    return out;
  }
  Shape shape = inputs[0]->shape();
  for (const Tensor* input : inputs.subspan(1)) shape = broadcast_shapes(loop.op, shape, input->shape());
  const auto full =
      std::find_if(inputs.begin(), inputs.end(), [&](const Tensor* input) { return input->shape() == shape; });
  const Shape order = memory_order(shape, full == inputs.end() ? row_major_strides(shape) : (*full)->strides());
  Tensor out = empty_in_order(shape, loop.result, order);
  run_strided(loop, out, inputs, order);
  return out;
}

void run_map_into(const MapLoop& loop, const Tensor& out, std::span<const Tensor* const> inputs) {
  check_dtypes(loop, inputs);
  check(out.dtype() == loop.result, loop.op, ": the result is ", loop.result, ", not ", out.dtype());
  if (out.is_contiguous() && all_dense(inputs, out.shape())) return run_dense(loop, out, inputs);
  run_strided(loop, out, inputs, memory_order(out.shape(), out.strides()));
}

}  // namespace xgrad::detail
