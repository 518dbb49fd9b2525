#include "map.hpp"

#include <algorithm>

#include "../core/parallel.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t grain = 16384;  // elements worth a thread's attention

void check_dtypes(const MapLoop& loop, std::span<const Array* const> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check(inputs[i]->dtype == loop.dtypes[i], loop.op, ": input ", i, " has dtype ", inputs[i]->dtype, ", expected ",
          loop.dtypes[i]);
}

void run_dense(const MapLoop& loop, const Array& out, std::span<const Array* const> inputs) {
  parallel_for(out.numel, grain, [&](std::int64_t begin, std::int64_t end) {
    std::byte* at[max_operands];
    const auto first = static_cast<std::size_t>(begin);
    at[0] = out.data + first * item_size(loop.result);
    for (std::size_t i = 0; i < inputs.size(); ++i) at[i + 1] = inputs[i]->data + first * item_size(loop.dtypes[i]);
    loop.loop(loop.context, end - begin, at);
  });
}

void run_strided(const MapLoop& loop, const Array& out, std::span<const Array* const> inputs, const Shape& order) {
  std::array<Strided, max_operands> operands;
  const auto in_order = [&](const Array& array) {
    const Strided all = strided(array, out.shape);
    Strided operand{all.data, {}, all.item_size};
    for (const std::int64_t axis : order) operand.strides.push_back(all.strides[static_cast<std::size_t>(axis)]);
    return operand;
  };
  Shape shape;
  for (const std::int64_t axis : order) shape.push_back(out.shape[static_cast<std::size_t>(axis)]);
  operands[0] = in_order(out);
  for (std::size_t i = 0; i < inputs.size(); ++i) operands[i + 1] = in_order(*inputs[i]);
  for_each_element(shape, std::span(operands).first(inputs.size() + 1), 1, loop.loop, loop.context, grain);
}

}  // namespace

void run_map(const MapLoop& loop, Array& out, std::span<const Array* const> inputs) {
  check_dtypes(loop, inputs);
  if (lie_alike(inputs)) {
    allocate_array_like(out, *inputs[0], loop.result);
    return run_dense(loop, out, inputs);
  }
  Shape shape = inputs[0]->shape;
  for (const Array* input : inputs.subspan(1)) shape = broadcast_shapes(loop.op, shape, input->shape);
  const Shape order = common_order(shape, inputs);
  allocate_array_in_order(out, shape, loop.result, order);
  run_strided(loop, out, inputs, order);
}

void run_map_into(const MapLoop& loop, const Array& out, std::span<const Array* const> inputs) {
  check_dtypes(loop, inputs);
  check(out.dtype == loop.result, loop.op, ": the result is ", loop.result, ", not ", out.dtype);
  if (lie_alike(inputs) && lies_like(out, *inputs[0])) return run_dense(loop, out, inputs);
  run_strided(loop, out, inputs, memory_order(out.shape, out.strides));
}

}  // namespace xgrad::detail
