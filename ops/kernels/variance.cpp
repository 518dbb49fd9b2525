#include "variance.hpp"

#include <algorithm>
#include <limits>

namespace xgrad::detail {

namespace {

template <class T>
struct SquaredDeviations : Adding<T> {
  static constexpr bool centred = true;
  [[gnu::always_inline]] static T lift(T x, T center) { return (x - center) * (x - center); }
};

/// How the middle axis of a reduction is cut into blocks that stay in the cache while they are read twice.
template <class T>
struct Blocks {
  ReducedSize size;
  std::int64_t columns, rows, in_inner, in_rows;

  explicit Blocks(const ReducedSize& of) : size(of) {
    constexpr auto bytes = static_cast<std::int64_t>(column_bytes),
                   most = 131072 / static_cast<std::int64_t>(sizeof(T));
    columns = std::clamp<std::int64_t>(size.inner, 1, bytes / static_cast<std::int64_t>(sizeof(T)));
    rows = std::clamp<std::int64_t>(most / columns, 1, size.reduced);
    in_inner = (size.inner - 1) / columns + 1;
    in_rows = (size.reduced - 1) / rows + 1;
  }
  std::int64_t rows_of(std::int64_t block) const { return std::min(rows, size.reduced - block * rows); }
  std::int64_t columns_of(std::int64_t block) const { return std::min(columns, size.inner - block * columns); }
  std::int64_t grain() const { return 32768 / (rows * columns) + 1; }
};

template <std::int64_t count, class T>
[[gnu::always_inline]] inline void short_rows_of(const T* x, std::int64_t n, T* means, T* squares) {
  T zeros[count] = {};
  reduce_short_rows<count>(Sum<T>{}, x, n, zeros, means);
  for (std::int64_t i = 0; i < count; ++i) means[i] /= static_cast<T>(n);
  reduce_short_rows<count>(SquaredDeviations<T>{}, x, n, means, squares);
}

/// Means and squares over the middle axis, of each block by itself: (outer, blocks, inner).
template <class T>
void find_in_blocks(const Blocks<T>& blocks, const T* x, T* means, T* squares) {
  const ReducedSize size = blocks.size;
  if (size.inner == 1 && size.reduced < short_row) {
    // Whole tiles, so that the tiles do not depend on the number of threads.
    parallel_for(size.outer, (blocks.grain() / row_tile + 1) * row_tile, [=](std::int64_t begin, std::int64_t end) {
      vectorized([=] {
        std::int64_t row = begin;
        for (; row + row_tile <= end; row += row_tile)
          short_rows_of<row_tile>(x + row * size.reduced, size.reduced, means + row, squares + row);
        for (; row < end; ++row) short_rows_of<1>(x + row * size.reduced, size.reduced, means + row, squares + row);
      });
    });
    return;
  }
  parallel_for(
      size.outer * blocks.in_rows * blocks.in_inner, blocks.grain(), [=](std::int64_t begin, std::int64_t end) {
        vectorized([=] {
          for (std::int64_t part = begin; part < end; ++part) {
            const std::int64_t across = part % blocks.in_inner, down = part / blocks.in_inner % blocks.in_rows,
                               index = part / blocks.in_inner / blocks.in_rows, column = across * blocks.columns;
            const std::int64_t rows = blocks.rows_of(down), width = blocks.columns_of(across);
            const T* const from = x + (index * size.reduced + down * blocks.rows) * size.inner + column;
            T* const mean = means + (index * blocks.in_rows + down) * size.inner + column;
            // Each pass asks for one half of what follows, so that memory is never idle.
            reduce_block(Sum<T>{}, from, rows, size.inner, width, from, mean, {from + rows, 2});
            for (std::int64_t i = 0; i < width; ++i) mean[i] /= static_cast<T>(rows);
            reduce_block(SquaredDeviations<T>{}, from, rows, size.inner, width, mean,
                         squares + (index * blocks.in_rows + down) * size.inner + column, {from + rows + rows / 2, 2});
          }
        });
      });
}

/// Means and squares of all blocks together: the squares within them, and those between their means.
template <class T>
void join_blocks(const Blocks<T>& blocks, const T* block_means, const T* block_squares, T* means, T* squares) {
  const ReducedSize size = blocks.size;
  parallel_for(
      size.outer * blocks.in_inner, 32768 / (blocks.in_rows * blocks.columns) + 1,
      [=](std::int64_t begin, std::int64_t end) {
        vectorized([=] {
          for (std::int64_t part = begin; part < end; ++part) {
            const std::int64_t column = part % blocks.in_inner * blocks.columns, index = part / blocks.in_inner,
                               width = blocks.columns_of(part % blocks.in_inner),
                               first = index * blocks.in_rows * size.inner + column;
            double mean[column_bytes / sizeof(T)] = {}, total[column_bytes / sizeof(T)] = {};
            for (std::int64_t block = 0; block < blocks.in_rows; ++block) {
              const std::int64_t rows = blocks.rows_of(block);
              const double weight = static_cast<double>(rows) / static_cast<double>(block * blocks.rows + rows);
              const T* const from = block_means + first + block * size.inner;
              for (std::int64_t i = 0; i < width; ++i) mean[i] += weight * (static_cast<double>(from[i]) - mean[i]);
            }
            for (std::int64_t block = 0; block < blocks.in_rows; ++block) {
              const auto rows = static_cast<double>(blocks.rows_of(block));
              const T *const from = block_means + first + block * size.inner, *const within = block_squares + first +
                                                                                              block * size.inner;
              for (std::int64_t i = 0; i < width; ++i) {
                const double apart = static_cast<double>(from[i]) - mean[i];
                total[i] += static_cast<double>(within[i]) + rows * apart * apart;
              }
            }
            const std::int64_t to = index * size.inner + column;
            for (std::int64_t i = 0; i < width; ++i) means[to + i] = static_cast<T>(mean[i]);
            for (std::int64_t i = 0; i < width; ++i) squares[to + i] = static_cast<T>(total[i]);
          }
        });
      });
}

template <class T>
void find_innermost(const ReducedSize& size, const T* x, T* means, T* squares) {
  const Blocks<T> blocks(size);
  if (blocks.in_rows == 1) return find_in_blocks(blocks, x, means, squares);
  const std::int64_t n = size.outer * blocks.in_rows * size.inner;
  const Scratch<T> scratch(2 * n);
  find_in_blocks(blocks, x, scratch.data(), scratch.data() + n);
  join_blocks(blocks, scratch.data(), scratch.data() + n, means, squares);
}

/// `shape` and `result` as for reduce_axes.
template <class T>
void find(const Shape& shape, const Shape& result, const T* x, T* means, T* squares) {
  const ReductionStep step = innermost_step(shape, result);
  if (step.last) return find_innermost(step.size, x, means, squares);
  // The squares within what the innermost axes are reduced to, and those between the means of that.
  const std::int64_t n = step.size.outer * step.size.inner, results = result.numel();
  const Scratch<T> inner(2 * n), within(results);
  find_innermost(step.size, x, inner.data(), inner.data() + n);
  find(step.shape, step.result, inner.data(), means, squares);
  reduce_axes(Sum<T>{}, step.shape, step.result, inner.data() + n, within.data());
  for (std::int64_t i = 0; i < results; ++i)
    squares[i] = squares[i] * static_cast<T>(step.size.reduced) + within.data()[i];
}

}  // namespace

Deviations deviations(const char* op, const Tensor& x, const ReducedShape& shape) {
  const ReductionMemory in(x, shape);
  const Deviations out{in.make_result(shape.keeping(), x.dtype()), in.make_result(shape, x.dtype())};
  dispatch_floating(op, x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T *const means = first_element<T>(out.mean), *const squares = first_element<T>(out.squares);
    if (x.numel() > 0) return find(in.shape, in.reduced, first_element<T>(in.tensor), means, squares);
    std::fill_n(means, out.mean.numel(), std::numeric_limits<T>::quiet_NaN());
    std::fill_n(squares, out.squares.numel(), T(0));
  });
  return out;
}

}  // namespace xgrad::detail
