#include "transpose.hpp"

#include <algorithm>
#include <cstring>

#include "dtype.hpp"

namespace xgrad::detail {

namespace {

// Elements as 16-byte vectors, which every x86-64 and AArch64 has.
template <class T>
using Vector [[gnu::vector_size(16)]] = T;

template <class V>
V load(const std::byte* at) {
  V v;
  std::memcpy(&v, at, sizeof v);
  return v;
}
template <class V>
void store(std::byte* at, V v) {
  std::memcpy(at, &v, sizeof v);
}

/// A square as wide as a vector. Strides in bytes.
template <class T>
struct Square {
  static constexpr std::int64_t size = 1;
  static void transpose(const std::byte* from, std::int64_t, std::byte* to, std::int64_t) {
    std::memcpy(to, from, sizeof(T));
  }
};

template <>
struct Square<std::uint32_t> {
  static constexpr std::int64_t size = 4;
  static void transpose(const std::byte* from, std::int64_t from_stride, std::byte* to, std::int64_t to_stride) {
    using V = Vector<std::uint32_t>;
    const V a = load<V>(from), b = load<V>(from + from_stride), c = load<V>(from + 2 * from_stride),
            d = load<V>(from + 3 * from_stride);
    const V ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7),
            cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store<V>(to, __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5));
    store<V>(to + to_stride, __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7));
    store<V>(to + 2 * to_stride, __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5));
    store<V>(to + 3 * to_stride, __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7));
  }
};

template <>
struct Square<std::uint64_t> {
  static constexpr std::int64_t size = 2;
  static void transpose(const std::byte* from, std::int64_t from_stride, std::byte* to, std::int64_t to_stride) {
    using V = Vector<std::uint64_t>;
    const V a = load<V>(from), b = load<V>(from + from_stride);
    store<V>(to, __builtin_shufflevector(a, b, 0, 2));
    store<V>(to + to_stride, __builtin_shufflevector(a, b, 1, 3));
  }
};

template <class T>
void transpose_blocks(std::int64_t rows, std::int64_t columns, const std::byte* from, std::int64_t from_stride,
                      std::byte* to, std::int64_t to_stride) {
  constexpr std::int64_t item = sizeof(T), block = 16, square = Square<T>::size;
  from_stride *= item, to_stride *= item;
  for (std::int64_t column0 = 0; column0 < columns; column0 += block)
    for (std::int64_t row0 = 0; row0 < rows; row0 += block) {
      const std::byte* const in = from + row0 * from_stride + column0 * item;
      std::byte* const out = to + column0 * to_stride + row0 * item;
      const std::int64_t height = std::min(block, rows - row0), width = std::min(block, columns - column0);
      const std::int64_t squares_high = height - height % square, squares_wide = width - width % square;
      for (std::int64_t column = 0; column < squares_wide; column += square)
        for (std::int64_t row = 0; row < squares_high; row += square)
          Square<T>::transpose(in + row * from_stride + column * item, from_stride,
                               out + column * to_stride + row * item, to_stride);
      for (std::int64_t column = 0; column < width; ++column)
        for (std::int64_t row = column < squares_wide ? squares_high : 0; row < height; ++row)
          std::memcpy(out + column * to_stride + row * item, in + row * from_stride + column * item, item);
    }
}

}  // namespace

void transpose_copy(std::size_t item_size, std::int64_t rows, std::int64_t columns, const std::byte* from,
                    std::int64_t from_stride, std::byte* to, std::int64_t to_stride) {
  dispatch_size(item_size,
                [=](auto zero) { transpose_blocks<decltype(zero)>(rows, columns, from, from_stride, to, to_stride); });
}

}  // namespace xgrad::detail
