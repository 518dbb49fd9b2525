#include "packed_gemm.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "../array/transpose.hpp"
#include "../core/instruction_set.hpp"
#include "../core/per_thread.hpp"

namespace xgrad::detail {

bool has_packed_gemm() { return simd_level() != SimdLevel::baseline; }

#if defined(__x86_64__)

namespace {

// The product is made of tiles of `rows` x `vectors` vectors of c, which stay in registers over a stretch of k. A tile
// reads op(b) in a panel, a copy as wide as the tile. Of op(a) it reads one number at a time, which every vector of a
// row shares: where it lies, or, if those of one k are not adjacent to those of the next because a is transposed, in a
// strip, a copy as high as the tile. The first tile that needs a panel or a strip copies it as it goes, which costs
// little beside the arithmetic; only a panel of a transposed b is made before.
constexpr std::int64_t stretch = 256;  // of k: a panel, 32 columns wide, fills the first-level cache
constexpr std::int64_t band = 576;     // rows of op(a) that stay in the second-level cache while the panels go by

template <class T, int bytes>
struct Lanes {
  typedef T Vector [[gnu::vector_size(bytes)]];
  static constexpr std::int64_t width = bytes / static_cast<int>(sizeof(T));
};

/// What tiles of the same columns of c are made of.
template <class T>
struct Task {
  std::int64_t depth;  // of k
  T alpha, beta;
  const T* bias;  // of the columns; null without one
  const T* a;     // op(a): of a transposed a the next column is lda numbers on, else the next row
  std::int64_t lda;
  T* strip = nullptr;  // where to copy a tile's rows of op(a) to
  const T* b;          // op(b): the next row is ldb numbers on
  std::int64_t ldb;
  T* panel = nullptr;    // where to copy it to; null for nowhere
  std::int64_t columns;  // how many columns are wanted
  T* c;
  std::int64_t ldc;
};

template <class T, int bytes, int rows, int vectors, bool transposed_a, bool to_strip, bool to_panel>
[[gnu::always_inline]] inline void tile(const Task<T>& task) {
  using Vector = typename Lanes<T, bytes>::Vector;
  constexpr std::int64_t width = Lanes<T, bytes>::width, panel_width = vectors * width, ahead = 16;
  const std::int64_t row_stride = transposed_a ? 1 : task.lda, next_a = transposed_a ? task.lda : 1, next_b = task.ldb;
  const T *a = task.a, *b = task.b;
  T *strip = task.strip, *panel = task.panel;
  Vector sums[rows][vectors] = {};
  for (const T* const end = b + task.depth * next_b; b != end; b += next_b, a += next_a) {
    Vector row_of_b[vectors];
#pragma GCC unroll 4
    for (int i = 0; i < vectors; ++i) {
      std::memcpy(&row_of_b[i], b + i * width, sizeof row_of_b[i]);
      if constexpr (to_panel) {
        std::memcpy(panel + i * width, &row_of_b[i], sizeof row_of_b[i]);
        __builtin_prefetch(b + ahead * next_b + i * width);
      }
    }
    if constexpr (to_panel) panel += panel_width;
    if constexpr (to_strip) {
      std::memcpy(strip, a, rows * sizeof(T));
      strip += rows;
      __builtin_prefetch(a + 2 * ahead * next_a);
      __builtin_prefetch(a + 2 * ahead * next_a + rows - 1);
    }
#pragma GCC unroll 16
    for (int row = 0; row < rows; ++row) {
      const T number = a[row * row_stride];
#pragma GCC unroll 4
      for (int i = 0; i < vectors; ++i) sums[row][i] += number * row_of_b[i];
    }
  }

  const T alpha = task.alpha, beta = task.beta, *const bias = task.bias;
  T* const c = task.c;
  const std::int64_t columns = task.columns, ldc = task.ldc;
  if (columns == panel_width) {
    const auto write = [&](const auto& add) {
#pragma GCC unroll 16
      for (int row = 0; row < rows; ++row)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; ++i) {
          T* const to = c + row * ldc + i * width;
          Vector value = alpha * sums[row][i];
          add(value, to, i);
          std::memcpy(to, &value, sizeof value);
        }
    };
    if (bias) {
      Vector added[vectors];
      std::memcpy(added, bias, sizeof added);
      write([&](Vector& value, const T*, int i) { value += added[i]; });
    } else if (beta != 0) {
      write([&](Vector& value, const T* to, int) {
        Vector before;
        std::memcpy(&before, to, sizeof before);
        value += beta * before;
      });
    } else {
      write([](Vector&, const T*, int) {});
    }
    return;
  }
  T values[rows * panel_width];
  std::memcpy(values, sums, sizeof values);
  for (int row = 0; row < rows; ++row) {
    T* const to = c + row * ldc;
    for (std::int64_t column = 0; column < columns; ++column) {
      const T value = alpha * values[row * panel_width + column];
      to[column] = bias ? value + bias[column] : beta != 0 ? value + beta * to[column] : value;
    }
  }
}

/// Runs f in a clone of its own for `level`, so that nothing else takes registers from what it holds in them.
template <SimdLevel level, class F>
void run_at(const F& f) {
  if constexpr (level == SimdLevel::avx512)
    run_avx512(f);
  else
    run_avx2(f);
}

/// The height of the next lower tile.
constexpr int fewer(int rows) { return rows == 12 ? 8 : rows == 6 ? 4 : rows / 2; }

/// The last `count` rows of c, less than two tiles of `rows`.
template <class T, int bytes, SimdLevel level, int rows, int vectors, bool transposed_a>
void last_tiles(Task<T>& task, std::int64_t count) {
  if (count >= rows) {
    run_at<level>([=] { tile<T, bytes, rows, vectors, transposed_a, false, false>(task); });
    count -= rows;
    task.a += rows * (transposed_a ? 1 : task.lda);
    task.c += rows * task.ldc;
  }
  if constexpr (rows > 1)
    if (count > 0) last_tiles<T, bytes, level, fewer(rows), vectors, transposed_a>(task, count);
}

/// `count` rows of c. With `strips`, whole tiles read op(a) there, and copy it there before if `makes_strips`.
template <class T, int bytes, SimdLevel level, int rows, int vectors, bool transposed_a>
void tiles(Task<T> task, std::int64_t count, T* strips, bool makes_strips) {
  const std::int64_t whole = count / rows, row_stride = transposed_a ? 1 : task.lda;
  Task<T> last = task;
  last.a += whole * rows * row_stride;
  last.c += whole * rows * task.ldc;
  std::int64_t next_a = rows * row_stride;
  if (strips && !makes_strips) task.a = strips, task.lda = rows, next_a = rows * task.depth;

  const auto run = [&](auto to_panel, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Task<T> one = task;
      one.a += i * next_a;
      one.c += i * rows * task.ldc;
      if (makes_strips) {  // only where a is transposed
        one.strip = strips + i * rows * task.depth;
        run_at<level>([=] { tile<T, bytes, rows, vectors, transposed_a, transposed_a, to_panel>(one); });
      } else {
        run_at<level>([=] { tile<T, bytes, rows, vectors, transposed_a, false, to_panel>(one); });
      }
    }
  };
  if (!task.panel) {
    run(std::false_type(), 0, whole);
  } else {
    run(std::true_type(), 0, 1);
    last.b = task.b = task.panel;
    last.ldb = task.ldb = vectors * Lanes<T, bytes>::width;
    run(std::false_type(), 1, whole);
  }
  if (count > whole * rows) last_tiles<T, bytes, level, fewer(rows), vectors, transposed_a>(last, count - whole * rows);
}

/// Copies `depth` rows of op(b), `columns` wide, into a panel of `width` columns.
template <class T>
[[gnu::always_inline]] inline void pack(const GemmFactor<T>& b, std::int64_t first_row, std::int64_t depth,
                                        std::int64_t first_column, std::int64_t columns, std::int64_t width, T* panel) {
  if (b.transposed) {
    transpose_copy(sizeof(T), columns, depth,
                   reinterpret_cast<const std::byte*>(b.data + first_column * b.ld + first_row), b.ld,
                   reinterpret_cast<std::byte*>(panel), width);
    for (std::int64_t p = 0; columns < width && p < depth; ++p)
      for (std::int64_t column = columns; column < width; ++column) panel[p * width + column] = 0;
    return;
  }
  const T* from = b.data + first_row * b.ld + first_column;
  for (std::int64_t p = 0; p < depth; ++p, from += b.ld, panel += width) {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t column = 0; column < width; ++column) panel[column] = column < columns ? from[column] : T(0);
  }
}

/// Memory for the strips of a band, which a thread keeps; null where there is none.
template <class T>
T* workspace() {
  struct Workspace {
    alignas(64) T elements[band * stretch];
  };
  Workspace* const own = of_this_thread<Workspace>();
  return own ? own->elements : nullptr;
}

template <class T, int bytes, int most_rows, SimdLevel level>
void run(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const GemmFactor<T>& a, const GemmFactor<T>& b,
         T beta, const T* bias, T* c, std::int64_t ldc) {
  constexpr std::int64_t vector = Lanes<T, bytes>::width, wide = 2 * vector;
  alignas(64) T panel_memory[stretch * wide];
  T* const panel = panel_memory;
  T* const strips = a.transposed && m >= most_rows && n > wide ? workspace<T>() : nullptr;
  const auto wide_tiles = a.transposed ? tiles<T, bytes, level, most_rows, 2, true>
                                       : tiles<T, bytes, level, most_rows, 2, false>,
             narrow_tiles = a.transposed ? tiles<T, bytes, level, most_rows, 1, true>
                                         : tiles<T, bytes, level, most_rows, 1, false>;
  const std::int64_t stretches = (k + stretch - 1) / stretch, most_depth = (k + stretches - 1) / stretches;

  for (std::int64_t row = 0; row < m; row += band) {
    const std::int64_t rows = std::min(band, m - row);
    for (std::int64_t p = 0; p < k; p += most_depth) {
      const std::int64_t depth = std::min(most_depth, k - p);
      const T* const first_a = a.data + (a.transposed ? p * a.ld + row : row * a.ld + p);
      for (std::int64_t column = 0; column < n; column += wide) {
        const std::int64_t columns = std::min(wide, n - column), width = columns > vector ? wide : vector;
        Task<T> task{.depth = depth,
                     .alpha = alpha,
                     .beta = p == 0 ? beta : T(1),
                     .bias = p == 0 && bias ? bias + column : nullptr,
                     .a = first_a,
                     .lda = a.ld,
                     .b = panel,
                     .ldb = width,
                     .columns = columns,
                     .c = c + row * ldc + column,
                     .ldc = ldc};
        if (!b.transposed && columns == width) {
          task.b = b.data + p * b.ld + column;
          task.ldb = b.ld;
          if (rows >= 2 * most_rows) task.panel = panel;
        } else {
          run_at<level>([=] { pack(b, p, depth, column, columns, width, panel); });
        }
        (columns > vector ? wide_tiles : narrow_tiles)(task, rows, strips, strips && column == 0);
      }
    }
  }
}

}  // namespace

template <class T>
void packed_gemm(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const GemmFactor<T>& a,
                 const GemmFactor<T>& b, T beta, const T* bias, T* c, std::int64_t ldc) {
  const auto run_best =
      simd_level() >= SimdLevel::avx512 ? run<T, 64, 12, SimdLevel::avx512> : run<T, 32, 6, SimdLevel::avx2>;
  run_best(m, n, k, alpha, a, b, beta, bias, c, ldc);
}

#else

template <class T>
void packed_gemm(std::int64_t, std::int64_t, std::int64_t, T, const GemmFactor<T>&, const GemmFactor<T>&, T, const T*,
                 T*, std::int64_t) {}

#endif

template void packed_gemm(std::int64_t, std::int64_t, std::int64_t, float, const GemmFactor<float>&,
                          const GemmFactor<float>&, float, const float*, float*, std::int64_t);
template void packed_gemm(std::int64_t, std::int64_t, std::int64_t, double, const GemmFactor<double>&,
                          const GemmFactor<double>&, double, const double*, double*, std::int64_t);

}  // namespace xgrad::detail
