#include "strided.hpp"

#include <array>

#include "../core/parallel.hpp"
#include "memory_format.hpp"
#include "transpose.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t block = 512;  // elements staged at a time: with ten operands of 8 bytes, 41 KiB of stack
constexpr std::size_t buffer_bytes =
    block * 8 + 128;  // not a multiple of 4096, the distance at which addresses collide

/// Axes in their order in the memory of the first operand, merged where every operand steps through them as through
/// one.
struct Plan {
  Shape shape;
  std::array<Strided, max_operands> operands;
  std::size_t count = 0;
};

Plan coalesce(const Shape& shape, std::span<const Strided> operands) {
  Plan plan;
  plan.count = operands.size();
  for (std::size_t i = 0; i < plan.count; ++i) {
    plan.operands[i].data = operands[i].data;
    plan.operands[i].item_size = operands[i].item_size;
    plan.operands[i].convert = operands[i].convert;
  }
  for (const std::int64_t next : memory_order(shape, operands[0].strides)) {
    const auto axis = static_cast<std::size_t>(next);
    bool merges = !plan.shape.empty();
    for (std::size_t i = 0; merges && i < plan.count; ++i)
      merges = plan.operands[i].strides.back() == operands[i].strides[axis] * shape[axis];
    if (merges) {
      const std::size_t last = plan.shape.size() - 1;
      plan.shape[last] *= shape[axis];
      for (std::size_t i = 0; i < plan.count; ++i) plan.operands[i].strides[last] = operands[i].strides[axis];
    } else {
      plan.shape.push_back(shape[axis]);
      for (std::size_t i = 0; i < plan.count; ++i) plan.operands[i].strides.push_back(operands[i].strides[axis]);
    }
  }
  if (plan.shape.empty()) {
    plan.shape.push_back(1);
    for (std::size_t i = 0; i < plan.count; ++i) plan.operands[i].strides.push_back(1);
  }
  return plan;
}

void gather(std::byte* to, const std::byte* from, std::size_t item_size, std::int64_t stride, std::int64_t n) {
  dispatch_size(item_size, [=](auto zero) {
    using T = decltype(zero);
    auto* out = reinterpret_cast<T*>(to);
    const auto* in = reinterpret_cast<const T*>(from);
    for (std::int64_t i = 0; i < n; ++i) out[i] = in[i * stride];
  });
}

void scatter(std::byte* to, const std::byte* from, std::size_t item_size, std::int64_t stride, std::int64_t n) {
  dispatch_size(item_size, [=](auto zero) {
    using T = decltype(zero);
    auto* out = reinterpret_cast<T*>(to);
    const auto* in = reinterpret_cast<const T*>(from);
    for (std::int64_t i = 0; i < n; ++i) out[i * stride] = in[i];
  });
}

bool is_staged(const Strided& operand) { return operand.strides.back() != 1 || operand.convert; }

/// n elements along the innermost axis from `from` on, made dense and converted, in `buffer`.
void stage(const Strided& operand, std::byte* from, std::int64_t n, std::byte* buffer) {
  const std::int64_t stride = operand.strides.back();
  if (!operand.convert) return gather(buffer, from, operand.item_size, stride, n);
  alignas(64) std::byte gathered[block * 8];
  if (stride != 1) gather(gathered, from, operand.item_size, stride, n);
  std::byte* const pointers[] = {buffer, stride != 1 ? gathered : from};
  operand.convert(nullptr, n, pointers);
}

/// Back from the buffer.
void unstage(const Strided& operand, std::byte* buffer, std::int64_t n, std::byte* to) {
  const std::int64_t stride = operand.strides.back();
  if (!operand.convert) return scatter(to, buffer, operand.item_size, stride, n);
  alignas(64) std::byte converted[block * 8];
  std::byte* const pointers[] = {stride != 1 ? converted : to, buffer};
  operand.convert(nullptr, n, pointers);
  if (stride != 1) scatter(to, converted, operand.item_size, stride, n);
}

/// One row: n elements along the innermost axis from `pointers` on. A repeated element is staged once for all blocks.
void run_row(const Plan& plan, std::size_t outputs, DenseLoop loop, const void* context, std::byte* const* pointers,
             std::int64_t n, bool staged) {
  if (!staged) return loop(context, n, pointers);
  alignas(64) std::byte buffers[max_operands][buffer_bytes];
  std::byte* dense[max_operands];
  for (std::int64_t done = 0; done < n; done += block) {
    const std::int64_t now = std::min(block, n - done);
    const auto at = [&](std::size_t i) {
      const Strided& operand = plan.operands[i];
      return pointers[i] + done * operand.strides.back() * static_cast<std::int64_t>(operand.item_size);
    };
    for (std::size_t i = 0; i < plan.count; ++i) {
      const Strided& operand = plan.operands[i];
      const bool is = is_staged(operand);
      dense[i] = is ? buffers[i] : at(i);
      if (is && i >= outputs && (operand.strides.back() != 0 || done == 0)) stage(operand, at(i), now, buffers[i]);
    }
    loop(context, now, dense);
    for (std::size_t i = 0; i < outputs; ++i)
      if (is_staged(plan.operands[i])) unstage(plan.operands[i], buffers[i], now, at(i));
  }
}

void run_range(const Plan& plan, std::size_t outputs, DenseLoop loop, const void* context, std::int64_t begin,
               std::int64_t end) {
  const std::size_t inner_axis = plan.shape.size() - 1;
  const std::int64_t inner = plan.shape.back();
  bool staged = false;
  for (std::size_t i = 0; i < plan.count; ++i) staged = staged || is_staged(plan.operands[i]);

  std::int64_t index[Shape::max_rank];
  for (std::int64_t axis = static_cast<std::int64_t>(inner_axis), rest = begin; axis >= 0; --axis) {
    index[axis] = rest % plan.shape[static_cast<std::size_t>(axis)];
    rest /= plan.shape[static_cast<std::size_t>(axis)];
  }
  for (std::int64_t at = begin; at < end;) {
    std::byte* pointers[max_operands];
    for (std::size_t i = 0; i < plan.count; ++i) {
      std::int64_t offset = 0;
      for (std::size_t axis = 0; axis <= inner_axis; ++axis) offset += index[axis] * plan.operands[i].strides[axis];
      pointers[i] = plan.operands[i].data + offset * static_cast<std::int64_t>(plan.operands[i].item_size);
    }
    const std::int64_t n = std::min(inner - index[inner_axis], end - at);
    run_row(plan, outputs, loop, context, pointers, n, staged);
    at += n;
    index[inner_axis] = 0;
    for (std::size_t axis = inner_axis; axis-- > 0;) {
      if (++index[axis] < plan.shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/// The axis along which the elements of an operand are neighbours; -1 if there is none.
int unit_axis(const Strided& operand) {
  for (std::size_t axis = operand.strides.size(); axis-- > 0;)
    if (operand.strides[axis] == 1) return static_cast<int>(axis);
  return -1;
}

/// Copies where the neighbours of one side are along another axis than those of the other: as matrices to transpose.
/// False, and nothing done, where that is not so.
bool copy_transposed(const Plan& plan) {
  const Strided &to = plan.operands[0], &from = plan.operands[1];
  const int to_axis = unit_axis(to), from_axis = unit_axis(from);
  if (to_axis < 0 || from_axis < 0 || to_axis == from_axis) return false;
  const auto row_axis = static_cast<std::size_t>(to_axis), column_axis = static_cast<std::size_t>(from_axis);
  const std::int64_t rows = plan.shape[row_axis], columns = plan.shape[column_axis];
  if (rows < 4 || columns < 4) return false;

  constexpr std::int64_t band = 16;  // columns
  const std::int64_t bands = (columns - 1) / band + 1, item = static_cast<std::int64_t>(to.item_size);
  Shape matrices = plan.shape;
  matrices[row_axis] = matrices[column_axis] = 1;
  parallel_for(matrices.numel() * bands, 65536 / (rows * band) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t column = i % bands * band;
      std::int64_t to_offset = column * to.strides[column_axis], from_offset = column;
      for (std::size_t axis = matrices.size(), rest = static_cast<std::size_t>(i / bands); axis-- > 0;) {
        const auto size = static_cast<std::size_t>(matrices[axis]);
        to_offset += static_cast<std::int64_t>(rest % size) * to.strides[axis];
        from_offset += static_cast<std::int64_t>(rest % size) * from.strides[axis];
        rest /= size;
      }
      transpose_copy(to.item_size, rows, std::min(band, columns - column), from.data + from_offset * item,
                     from.strides[row_axis], to.data + to_offset * item, to.strides[column_axis]);
    }
  });
  return true;
}

}  // namespace

void for_each_element(const Shape& shape, std::span<const Strided> operands, std::size_t outputs, DenseLoop loop,
                      const void* context, std::int64_t grain) {
  const std::int64_t n = shape.numel();
  if (n == 0) return;
  const Plan plan = coalesce(shape, operands);
  parallel_for(n, grain,
               [&](std::int64_t begin, std::int64_t end) { run_range(plan, outputs, loop, context, begin, end); });
}

Shape broadcast_strides(const Shape& shape, const Shape& strides, const Shape& to) {
  Shape out = Shape::filled(to.size(), 0);
  const std::size_t offset = to.size() - shape.size();
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] == to[axis + offset]) out[axis + offset] = strides[axis];
  return out;
}

void copy_strided(const Shape& shape, const Strided& to, DType to_dtype, const Strided& from, DType from_dtype) {
  const Strided operands[] = {to, from};
  if (to_dtype == from_dtype && shape.numel() >= 256 && copy_transposed(coalesce(shape, operands))) return;
  for_each_element(shape, operands, 1, conversion(from_dtype, to_dtype), nullptr, 65536);
}

}  // namespace xgrad::detail
