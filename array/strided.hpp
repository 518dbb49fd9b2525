#pragma once
// Elementwise loops over strided and broadcast operands: any such loop becomes calls of one loop over dense memory.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dtype.hpp"
#include "shape.hpp"

namespace xgrad::detail {

/// Processes n consecutive elements of every operand; pointers in the order of the operands, outputs first.
using DenseLoop = void (*)(const void* context, std::int64_t n, std::byte* const* pointers);

/// Memory seen through strides (in elements; 0 repeats an element along an axis).
struct Strided {
  std::byte* data = nullptr;
  Shape strides;
  std::size_t item_size = 0;
  DenseLoop convert = nullptr;  // to the element type that a loop takes; of an output from the one that it gives
};

inline constexpr std::size_t max_operands = 10;

/// Calls `loop` so that every element of `shape` is processed once, in parallel ranges of at least `grain` elements.
/// The first `outputs` operands are written, the others read; each has one stride an axis of `shape`. What is not
/// dense along the innermost axis, or of another element type than the loop's, is staged through a small buffer, so a
/// loop is only ever compiled for dense memory and the types that are computed with.
void for_each_element(const Shape& shape, std::span<const Strided> operands, std::size_t outputs, DenseLoop loop,
                      const void* context, std::int64_t grain);

/// Strides that make an operand of `shape` broadcast to `to` (see `broadcasts_to`).
Shape broadcast_strides(const Shape& shape, const Shape& strides, const Shape& to);

/// The loop that converts elements, from pointers[1] to pointers[0].
DenseLoop conversion(DType from, DType to);
/// Converts n elements of dense memory.
void convert_elements(std::int64_t n, DType from_dtype, const std::byte* from, DType to_dtype, std::byte* to);
/// Copies `from` to `to`, both seen as `shape`, converting from one element type to the other.
void copy_strided(const Shape& shape, const Strided& to, DType to_dtype, const Strided& from, DType from_dtype);

}  // namespace xgrad::detail
