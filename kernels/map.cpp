#include "map.hpp"

#include <algorithm>

#include "../core/parallel.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t grain = 16384;  // elements worth a thread's attention

/// Whether inputs are to be converted to what the loop takes.
bool are_converted(const MapLoop& loop, std::span<const Array* const> inputs) {
  bool converted = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const DType dtype = inputs[i]->dtype;
    if (dtype == loop.dtypes[i]) [[likely]]
      continue;
    converted = true;
    check(compute_dtype(dtype) == loop.dtypes[i], loop.op, ": input ", i, " has dtype ", dtype, ", expected ",
          loop.dtypes[i]);
  }
  return converted;
}

/// The dtype of the result where inputs are converted.
DType stored_dtype(const MapLoop& loop, std::span<const Array* const> inputs) {
  DType stored = bool_;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (loop.dtypes[i] == loop.result) stored = promote(stored, inputs[i]->dtype);
  return compute_dtype(stored) == loop.result ? stored : loop.result;
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
  const auto in_order = [&](const Array& array, DType dtype, bool written = false) {
    const Strided all = strided_as(dtype, array, out.shape, written);
    Strided operand{all.data, {}, all.item_size, all.convert};
    for (const std::int64_t axis : order) operand.strides.push_back(all.strides[static_cast<std::size_t>(axis)]);
    return operand;
  };
  Shape shape;
  for (const std::int64_t axis : order) shape.push_back(out.shape[static_cast<std::size_t>(axis)]);
  operands[0] = in_order(out, loop.result, true);
  for (std::size_t i = 0; i < inputs.size(); ++i) operands[i + 1] = in_order(*inputs[i], loop.dtypes[i]);
  for_each_element(shape, std::span(operands).first(inputs.size() + 1), 1, loop.loop, loop.context, grain);
}

}  // namespace

void run_map(const MapLoop& loop, Array& out, std::span<const Array* const> inputs) {
  const bool converted = are_converted(loop, inputs);
  if (!converted && lie_alike(inputs)) {
    allocate_array_like(out, *inputs[0], loop.result);
    return run_dense(loop, out, inputs);
  }
  Shape shape = inputs[0]->shape;
  for (const Array* input : inputs.subspan(1)) shape = broadcast_shapes(loop.op, shape, input->shape);
  const Shape order = common_order(shape, inputs);
  allocate_array_in_order(out, shape, converted ? stored_dtype(loop, inputs) : loop.result, order);
  run_strided(loop, out, inputs, order);
}

void run_map_into(const MapLoop& loop, const Array& out, std::span<const Array* const> inputs) {
  const bool converted = are_converted(loop, inputs) || out.dtype != loop.result;
  check(!converted || compute_dtype(out.dtype) == loop.result, loop.op, ": the result is ", loop.result, ", not ",
        out.dtype);
  if (!converted && lie_alike(inputs) && lies_like(out, *inputs[0])) return run_dense(loop, out, inputs);
  run_strided(loop, out, inputs, memory_order(out.shape, out.strides));
}

}  // namespace xgrad::detail
