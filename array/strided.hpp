#pragma once
// Elementwise loops over strided and broadcast operands: any such loop becomes calls of one loop over dense memory.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dtype.hpp"
#include "shape.hpp"

namespace xgrad::detail {

/// Memory seen through strides (in elements; 0 repeats an element along an axis).
struct Strided {
  std::byte* data = nullptr;
  Shape strides;
  std::size_t item_size = 0;
};

/// Processes n consecutive elements of every operand; pointers in the order of the operands, outputs first.
using DenseLoop = void (*)(const void* context, std::int64_t n, std::byte* const* pointers);

inline constexpr std::size_t max_operands = 10;

/// Calls `loop` so that every element of `shape` is processed once, in parallel ranges of at least `grain` elements.
/// The first `outputs` operands are written, the others read; each has one stride an axis of `shape`. What is not
/// dense along the innermost axis is staged through a small buffer, so a loop is only ever compiled for dense memory.
void for_each_element(const Shape& shape, std::span<const Strided> operands, std::size_t outputs, DenseLoop loop,
                      const void* context, std::int64_t grain);

/// Strides that make an operand of `shape` broadcast to `to` (see `broadcasts_to`).
Shape broadcast_strides(const Shape& shape, const Shape& strides, const Shape& to);

/// Copies `from` to `to`, both seen as `shape`, converting from one element type to the other.
void copy_strided(const Shape& shape, const Strided& to, DType to_dtype, const Strided& from, DType from_dtype);

}  // namespace xgrad::detail
