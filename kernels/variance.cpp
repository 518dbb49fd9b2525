#include "variance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "moments.hpp"
#include "reduced_elements.hpp"

namespace xgrad::detail {

namespace {

/// mean = centre + shift, and the sum of (x - mean)^2, of each result.
template <class T>
struct Found {
  T *centre, *shift, *squares;

  [[gnu::always_inline]] void set(std::int64_t at, const Moments<T>& moments) const {
    centre[at] = moments.centre;
    shift[at] = static_cast<T>(moments.shift);
    squares[at] = static_cast<T>(moments.squares);
  }
};

/// Memory for the moments of parts, for the length of a scope.
template <class T>
struct Parts {
  Scratch<T> memory;
  Found<T> found;
  explicit Parts(std::int64_t count)
      : memory(3 * count), found{memory.data(), memory.data() + count, memory.data() + 2 * count} {}
};

/// How the middle axis of a reduction is cut into blocks that stay in the cache where they are read twice.
template <class T>
struct Blocks {
  static constexpr std::int64_t most_columns = column_bytes / sizeof(T), least_rows = 128;
  ReducedSize size;
  std::int64_t columns, rows, in_inner, in_rows;

  explicit Blocks(const ReducedSize& of) : size(of) {
    constexpr auto most = 131072 / static_cast<std::int64_t>(sizeof(T));
    columns = std::clamp<std::int64_t>(size.inner, 1, most_columns);
    rows = std::clamp<std::int64_t>(std::max(most / columns, least_rows), 1, size.reduced);
    in_inner = (size.inner - 1) / columns + 1;
    in_rows = (size.reduced - 1) / rows + 1;
  }
  std::int64_t rows_of(std::int64_t block) const { return std::min(rows, size.reduced - block * rows); }
  std::int64_t columns_of(std::int64_t block) const { return std::min(columns, size.inner - block * columns); }
  std::int64_t grain() const { return 32768 / (rows * columns) + 1; }
};

constexpr std::int64_t short_length = 64;  // of rows that are taken row_tile at a time

/// Of `count` rows of n elements one after the other.
template <std::int64_t count, class T>
[[gnu::always_inline]] inline void short_rows(const T* x, std::int64_t n, const Found<T>& to, std::int64_t at) {
  const T inverse = T(1) / static_cast<T>(n);
  T centres[count] = {}, sums[count], squares[count];
  reduce_short_rows<count>(Sum<T>{}, x, n, centres, centres);
  for (std::int64_t k = 0; k < count; ++k) centres[k] /= static_cast<T>(n);
  for (int pass = 0; pass < 2; ++pass) {
    T sum[count] = {}, square[count] = {};
    std::int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
      for (std::int64_t k = 0; k < count; ++k) {
        const T* const from = x + k * n + i;
        const T c = centres[k], d0 = from[0] - c, d1 = from[1] - c, d2 = from[2] - c, d3 = from[3] - c;
        sum[k] += (d0 + d1) + (d2 + d3);
        square[k] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
      }
    }
    for (; i < n; ++i) {
      for (std::int64_t k = 0; k < count; ++k) {
        const T d = x[k * n + i] - centres[k];
        sum[k] += d;
        square[k] += d * d;
      }
    }
    for (std::int64_t k = 0; k < count; ++k) sums[k] = sum[k];
    for (std::int64_t k = 0; k < count; ++k) squares[k] = square[k];
    int off = 0;
    for (std::int64_t k = 0; k < count; ++k) off += sum[k] * (sum[k] * inverse) > T(0.5) * square[k] ? 1 : 0;
    if (pass == 1 || off == 0) [[likely]]
      break;
    for (std::int64_t k = 0; k < count; ++k) centres[k] += sum[k] * inverse;
  }
  // As moments_around(), in T, which has the digits that sums of so few have.
  T *const centre = to.centre + at, *const shift = to.shift + at, *const left = to.squares + at;
  XGRAD_INDEPENDENT_ITERATIONS
  for (std::int64_t k = 0; k < count; ++k) {
    const T moved = sums[k] * inverse, rounded = centres[k] + moved, rest = squares[k] - sums[k] * moved;
    centre[k] = rounded;
    shift[k] = moved - (rounded - centres[k]);
    left[k] = rest < 0 ? T(0) : rest;
  }
}

/// Of `width` columns of rows that are `stride` apart; width = stride where stride < few_columns.
template <class T>
[[gnu::always_inline]] inline void columns_of_block(const T* x, std::int64_t stride, std::int64_t rows,
                                                    std::int64_t width, const Found<T>& to, std::int64_t at) {
  constexpr std::int64_t most = Blocks<T>::most_columns;
  const auto size = static_cast<double>(rows);
  T centres[most];
  double sums[most], squares[most];
  // A few columns are taken several rows at a time, as if these were one.
  const std::int64_t together =
                         stride < few_columns && rows >= 4 * (regrouped_width / stride) ? regrouped_width / stride : 1,
                     wide = together * width, left = rows % together * width;
  centres_of_columns(x, stride, rows, width, centres);
  for (int pass = 0; pass < 2; ++pass) {
    for (std::int64_t i = width; i < wide; ++i) centres[i] = centres[i - width];
    column_deviations<most>(x, together * stride, rows / together, wide, centres, sums, squares);
    for (std::int64_t i = 0; i < left; ++i) {
      const T d = x[rows / together * wide + i] - centres[i];
      sums[i] += static_cast<double>(d);
      squares[i] += static_cast<double>(d * d);
    }
    for (std::int64_t i = width; i < wide; ++i) sums[i % width] += sums[i], squares[i % width] += squares[i];
    if (pass == 1 || !improve_centres(centres, width, size, sums, squares)) break;
  }
  XGRAD_INDEPENDENT_ITERATIONS
  for (std::int64_t i = 0; i < width; ++i) to.set(at + i, moments_around(centres[i], size, {sums[i], squares[i]}));
}

/// The moments over the middle axis, of each block by itself: (outer, blocks, inner).
template <class T>
void find_in_blocks(const Blocks<T>& blocks, const T* x, const Found<T>& to) {
  const ReducedSize size = blocks.size;
  if (size.inner == 1 && size.reduced < short_length) {
    // Whole tiles, so that the tiles do not depend on the number of threads.
    parallel_for(size.outer, (blocks.grain() / row_tile + 1) * row_tile, [=](std::int64_t begin, std::int64_t end) {
      vectorized([=] {
        std::int64_t row = begin;
        for (; row + row_tile <= end; row += row_tile)
          short_rows<row_tile>(x + row * size.reduced, size.reduced, to, row);
        for (; row < end; ++row) short_rows<1>(x + row * size.reduced, size.reduced, to, row);
      });
    });
    return;
  }
  parallel_for(
      size.outer * blocks.in_rows * blocks.in_inner, blocks.grain(), [=](std::int64_t begin, std::int64_t end) {
        vectorized_in_lanes([=](auto lanes) __attribute__((always_inline)) {
          for (std::int64_t part = begin; part < end; ++part) {
            const std::int64_t across = part % blocks.in_inner, down = part / blocks.in_inner % blocks.in_rows,
                               index = part / blocks.in_inner / blocks.in_rows, column = across * blocks.columns,
                               rows = blocks.rows_of(down), at = (index * blocks.in_rows + down) * size.inner + column;
            const T* const from = x + (index * size.reduced + down * blocks.rows) * size.inner + column;
            if (size.inner == 1)
              to.set(at, row_moments<lanes.value>(from, rows, Ahead<T>{from + stream_ahead}));
            else
              columns_of_block(from, size.inner, rows, blocks.columns_of(across), to, at);
          }
        });
      });
}

/// to[i] for i < width <= 256, the sum of term(part, i) over all parts.
template <class Term>
[[gnu::always_inline]] inline void add_parts(std::int64_t parts, std::int64_t width, double* to, const Term& term) {
  constexpr std::int64_t some = 32;  // that are added up before they are added to the rest, as rounding errors add up
  for (std::int64_t i = 0; i < width; ++i) to[i] = 0;
  for (std::int64_t begin = 0; begin < parts; begin += some) {
    double sums[256];
    for (std::int64_t i = 0; i < width; ++i) sums[i] = 0;
    for (std::int64_t part = begin; part < parts && part < begin + some; ++part)
      for (std::int64_t i = 0; i < width; ++i) sums[i] += term(part, i);
    for (std::int64_t i = 0; i < width; ++i) to[i] += sums[i];
  }
}

/// The moments over the middle axis from those of parts of `count` elements, the last ones of `last_count`: the squares
/// within the parts, and those between their means.
template <class T>
void join(const ReducedSize& size, double count, double last_count, const Found<T>& parts, const Found<T>& to) {
  constexpr std::int64_t most = 256;
  const std::int64_t tiles = (size.inner - 1) / most + 1;
  parallel_for(size.outer * tiles, 32768 / (size.reduced * most) + 1, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      for (std::int64_t tile = begin; tile < end; ++tile) {
        const std::int64_t column = tile % tiles * most, index = tile / tiles,
                           width = size.inner - column < most ? size.inner - column : most,
                           first = index * size.reduced * size.inner + column;
        double mean[most], total[most];  // of what the means differ from the first centre by
        const auto differ = [=](std::int64_t at, std::int64_t i) __attribute__((always_inline)) {
          return static_cast<double>(parts.centre[at + i]) - static_cast<double>(parts.centre[first + i]) +
                 static_cast<double>(parts.shift[at + i]);
        };
        add_parts(
            size.reduced, width, mean, [=](std::int64_t part, std::int64_t i) __attribute__((always_inline)) {
              return (part + 1 < size.reduced ? count : last_count) * differ(first + part * size.inner, i);
            });
        const double all = static_cast<double>(size.reduced - 1) * count + last_count;
        for (std::int64_t i = 0; i < width; ++i) mean[i] /= all;
        const double* const means = mean;
        if constexpr (std::is_same_v<T, double>) {  // the first mean has no digits to spare
          add_parts(
              size.reduced, width, total, [=](std::int64_t part, std::int64_t i) __attribute__((always_inline)) {
                return (part + 1 < size.reduced ? count : last_count) *
                       (differ(first + part * size.inner, i) - means[i]);
              });
          for (std::int64_t i = 0; i < width; ++i) mean[i] += total[i] / all;
        }
        add_parts(
            size.reduced, width, total, [=](std::int64_t part, std::int64_t i) __attribute__((always_inline)) {
              const std::int64_t at = first + part * size.inner;
              const double apart = differ(at, i) - means[i];
              return static_cast<double>(parts.squares[at + i]) +
                     (part + 1 < size.reduced ? count : last_count) * apart * apart;
            });
        for (std::int64_t i = 0; i < width; ++i) {
          const double from = static_cast<double>(parts.centre[first + i]);
          const T centre = static_cast<T>(from + mean[i]);
          to.set(index * size.inner + column + i, {centre, mean[i] - (static_cast<double>(centre) - from), total[i]});
        }
      }
    });
  });
}

template <class T>
void find_innermost(const ReducedSize& size, const T* x, const Found<T>& to) {
  const Blocks<T> blocks(size);
  if (blocks.in_rows == 1) return find_in_blocks(blocks, x, to);
  const Parts<T> parts(size.outer * blocks.in_rows * size.inner);
  find_in_blocks(blocks, x, parts.found);
  join({size.outer, blocks.in_rows, size.inner}, static_cast<double>(blocks.rows),
       static_cast<double>(blocks.rows_of(blocks.in_rows - 1)), parts.found, to);
}

/// `shape` and `result` as for reduce_axes, of parts of `count` elements.
template <class T>
void join_axes(const Shape& shape, const Shape& result, double count, const Found<T>& parts, const Found<T>& to) {
  const ReductionStep step = innermost_step(shape, result);
  if (step.last) return join(step.size, count, count, parts, to);
  const Parts<T> inner(step.size.outer * step.size.inner);
  join(step.size, count, count, parts, inner.found);
  join_axes(step.shape, step.result, count * static_cast<double>(step.size.reduced), inner.found, to);
}

template <class T>
void find(const Shape& shape, const Shape& result, const T* x, const Found<T>& to) {
  const ReductionStep step = innermost_step(shape, result);
  if (step.last) return find_innermost(step.size, x, to);
  const Parts<T> inner(step.size.outer * step.size.inner);
  find_innermost(step.size, x, inner.found);
  join_axes(step.shape, step.result, static_cast<double>(step.size.reduced), inner.found, to);
}

/// The dispersions from the squares. Those of which T does not hold the squares are found anew, one by one.
template <class T>
void finish(const ReductionMemory& in, std::int64_t results, Dispersion which, double divisor, const Found<T>& found,
            T* to) {
  const T* const x = reinterpret_cast<const T*>(in.data);
  const std::int64_t elements = in.shape.numel() / results;
  const bool root = which == Dispersion::deviation;
  const T most = std::numeric_limits<T>::max(),
          least = root ? static_cast<T>(least_squares<T>(static_cast<double>(elements))) : T(-1);
  std::int32_t beyond = 0;
  vectorized([=, &beyond] {
    const T by = static_cast<T>(divisor);
    std::int32_t some = 0;
    for (std::int64_t i = 0; i < results; ++i) {
      const T squares = found.squares[i], variance = squares / by;
      to[i] = root ? std::sqrt(variance) : variance;
      some |= ((squares <= most) & (squares >= least)) ? 0 : 1;
    }
    beyond = some;
  });
  if (beyond == 0 || divisor == 0) [[likely]]
    return;
  parallel_for(results, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (found.squares[i] <= most && found.squares[i] >= least) continue;
      const auto for_each = [&](const auto& f) {
        for_each_reduced(in.shape, in.reduced, i, [&](std::int64_t at) { f(x[at]); });
      };
      const ExactMoments moments = exact_moments(elements, for_each);
      const long double variance = moments.squares / static_cast<long double>(divisor);
      to[i] = static_cast<T>(root ? std::sqrt(variance) : variance);
      found.centre[i] = centre_within<T>(moments, for_each);
      found.shift[i] = static_cast<T>(moments.mean - static_cast<long double>(found.centre[i]));
    }
  });
}

/// Whether some shift matters: more than two units in the last place of deviations as large as the usual ones.
template <class T>
bool counts(const Found<T>& found, std::int64_t results, double elements) {
  using Limits = std::numeric_limits<T>;
  const T by = static_cast<T>(elements) / (4 * Limits::epsilon() * Limits::epsilon()), least = 2 * by * Limits::min();
  std::int32_t matters = 0;
  vectorized([=, &matters] {
    std::int32_t some = 0;
    for (std::int64_t i = 0; i < results; ++i) {
      const T shift = found.shift[i], squares = found.squares[i];
      some |=
          (shift == 0) | ((squares >= least) & (squares <= Limits::max()) & (shift * shift * by <= squares)) ? 0 : 1;
    }
    matters = some;
  });
  return matters != 0;
}

}  // namespace

Deviations deviations(const char* op, const Array& x, const ReducedShape& shape, Dispersion which, double divisor) {
  const ReductionMemory in(x, shape);
  bool shifted = true;
  Deviations out;
  in.allocate_result(out.centre, shape.keeping(), x.dtype);
  in.allocate_result(out.shift, shape.keeping(), x.dtype);
  in.allocate_result(out.dispersion, shape, x.dtype);
  dispatch_floating(op, x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t results = out.dispersion.numel;
    T *const centre = first_element<T>(out.centre), *const shift = first_element<T>(out.shift),
             *const dispersion = first_element<T>(out.dispersion);
    if (x.numel == 0) {
      for (T* const values : {centre, shift, dispersion})
        std::fill_n(values, results, std::numeric_limits<T>::quiet_NaN());
      return;
    }
    const Scratch<T> squares(results);
    const Found<T> found{centre, shift, squares.data()};
    find(in.shape, in.reduced, reinterpret_cast<const T*>(in.data), found);
    finish(in, results, which, divisor, found, dispersion);
    shifted = counts(found, results, static_cast<double>(x.numel / results));
  });
  if (!shifted) out.shift = Array();
  return out;
}

}  // namespace xgrad::detail
