#include "packed_gemm.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "../../core/transpose.hpp"
#include "../../core/vectorize.hpp"

namespace xgrad::detail {

bool has_packed_gemm() { return simd_level() != SimdLevel::baseline; }

#if defined(__x86_64__)

namespace {

// The product is made of tiles of `rows` x `vectors` vectors of c, which stay in registers over a stretch of k. op(b)
// is copied, a stretch at a time, into panels as wide as a tile, so that a tile reads memory in order. op(a) is read
// one number at a time, which every vector of a row shares: where it lies, or, if that is far apart for a tile because
// a is transposed, from a copy in strips as high as a tile.
constexpr std::int64_t stretch = 256;  // of k: a panel of b, 32 columns wide, fills the first-level cache
constexpr std::int64_t breadth = 512;  // of n: the panels of a stretch fill half of the second-level cache
constexpr std::int64_t band = 96;      // rows of op(a) that stay in the caches while the panels go by

template <class T, int bytes>
struct Lanes {
  typedef T Vector [[gnu::vector_size(bytes)]];
  static constexpr std::int64_t width = bytes / static_cast<int>(sizeof(T));
};

/// What every tile of a stretch of k has in common.
template <class T>
struct Stretch {
  std::int64_t depth;                 // of k
  std::int64_t row_stride, k_stride;  // of op(a)
  T alpha, beta;
  const T* bias;  // of the tile's columns; null without one
  std::int64_t ldc;
};

/// `rows` rows of c, of which `columns` columns are wanted, from the numbers at `a` and a panel of b.
template <class T, int bytes, int rows, int vectors>
[[gnu::always_inline]] inline void tile(const Stretch<T>& s, const T* a, const T* panel, std::int64_t columns, T* c) {
  using Vector = typename Lanes<T, bytes>::Vector;
  constexpr std::int64_t width = Lanes<T, bytes>::width, panel_width = vectors * width;
  Vector sums[rows][vectors] = {};
  const std::int64_t row_stride = s.row_stride, k_stride = s.k_stride, depth = s.depth;
  for (std::int64_t p = 0; p < depth; ++p) {
    Vector right[vectors];
#pragma GCC unroll 4
    for (int i = 0; i < vectors; ++i) std::memcpy(&right[i], panel + p * panel_width + i * width, sizeof right[i]);
#pragma GCC unroll 16
    for (int row = 0; row < rows; ++row) {
      const T left = a[row * row_stride + p * k_stride];
#pragma GCC unroll 4
      for (int i = 0; i < vectors; ++i) sums[row][i] += left * right[i];
    }
  }
  const T alpha = s.alpha, beta = s.beta;
  if (columns == panel_width) {
#pragma GCC unroll 16
    for (int row = 0; row < rows; ++row) {
      T* const to = c + row * s.ldc;
#pragma GCC unroll 4
      for (int i = 0; i < vectors; ++i) {
        Vector value = alpha * sums[row][i], before;
        if (s.bias) {
          std::memcpy(&before, s.bias + i * width, sizeof before);
          value += before;
        } else if (beta != 0) {
          std::memcpy(&before, to + i * width, sizeof before);
          value += beta * before;
        }
        std::memcpy(to + i * width, &value, sizeof value);
      }
    }
    return;
  }
  T values[rows * panel_width];
  std::memcpy(values, sums, sizeof values);
  for (int row = 0; row < rows; ++row) {
    T* const to = c + row * s.ldc;
    for (std::int64_t column = 0; column < columns; ++column) {
      const T value = alpha * values[row * panel_width + column];
      to[column] = s.bias ? value + s.bias[column] : beta != 0 ? value + beta * to[column] : value;
    }
  }
}

/// `count` rows of c, at most `rows` of them at once; `next` is from the first row of these to the next in `a`.
template <class T, int bytes, int rows, int vectors>
[[gnu::always_inline]] inline void tiles(const Stretch<T>& s, std::int64_t count, const T* a, std::int64_t next,
                                         const T* panel, std::int64_t columns, T* c) {
  for (; count >= rows; count -= rows) {
    tile<T, bytes, rows, vectors>(s, a, panel, columns, c);
    a += next;
    c += rows * s.ldc;
  }
  if constexpr (rows > 1) {
    constexpr int fewer = rows == 12 ? 8 : rows == 6 ? 4 : rows / 2;
    tiles<T, bytes, fewer, vectors>(s, count, a, fewer * s.row_stride, panel, columns, c);
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

/// Copies `rows` columns of `a`, whose rows are `ld` apart, into strips of most_rows columns.
template <class T, int most_rows>
void pack_strips(const T* a, std::int64_t ld, std::int64_t rows, std::int64_t depth, T* strips) {
  for (std::int64_t p = 0; p < depth; ++p, a += ld) {
    T* to = strips + p * most_rows;
    std::int64_t row = 0;
    for (; row + most_rows <= rows; row += most_rows, to += most_rows * depth)
      std::memcpy(to, a + row, most_rows * sizeof(T));
    std::copy(a + row, a + rows, to);
  }
}

constexpr std::int64_t most_turned = 1 << 16;  // numbers of a product that is computed as its transpose

/// Memory for the panels, a product to be turned and strips, which a thread keeps; null where there is none.
template <class T>
T* workspace() {
  constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(void* memory) const { ::operator delete(memory, alignment); }
  };
  static thread_local std::unique_ptr<void, Free> memory;
  if (!memory)
    memory.reset(
        ::operator new((stretch * breadth + most_turned + band * stretch) * sizeof(T), alignment, std::nothrow));
  return static_cast<T*>(memory.get());
}

template <class T, int bytes, int most_rows, SimdLevel level>
void run(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const GemmFactor<T>& a, const GemmFactor<T>& b,
         T beta, const T* bias, T* c, std::int64_t ldc) {
  constexpr std::int64_t vector = Lanes<T, bytes>::width, wide = 2 * vector;
  alignas(64) T local[stretch * wide];  // for small products, and where there is no memory for more
  const std::int64_t stretches = (k + stretch - 1) / stretch, most_depth = (k + stretches - 1) / stretches;
  T* kept = nullptr;
  if (most_depth * ((std::min(breadth, n) + wide - 1) / wide * wide) > stretch * wide) kept = workspace<T>();
  T* const panels = kept ? kept : local;
  T* const strips =
      kept && a.transposed && m >= most_rows && n > wide ? kept + stretch * breadth + most_turned : nullptr;
  const std::int64_t breadth_here = kept ? breadth : std::max(wide, stretch / most_depth * wide);

  for (std::int64_t column0 = 0; column0 < n; column0 += breadth_here) {
    const std::int64_t columns = std::min(breadth_here, n - column0);
    for (std::int64_t p0 = 0; p0 < k; p0 += most_depth) {
      const std::int64_t depth = std::min(most_depth, k - p0);
      const bool first = p0 == 0;
      run_at<level>([=] {
        for (std::int64_t column = 0; column < columns; column += wide) {
          const std::int64_t count = std::min(wide, columns - column);
          pack(b, p0, depth, column0 + column, count, count > vector ? wide : vector, panels + column * depth);
        }
      });
      for (std::int64_t row = 0; row < m; row += band) {
        const std::int64_t rows = std::min(band, m - row);
        Stretch<T> s{depth, a.transposed ? 1 : a.ld, a.transposed ? a.ld : 1,
                     alpha, first ? beta : T(1),     first && bias ? bias + column0 : nullptr,
                     ldc};
        const T* left = a.data + row * s.row_stride + p0 * s.k_stride;
        std::int64_t next = most_rows * s.row_stride;
        if (strips) {
          pack_strips<T, most_rows>(left, a.ld, rows, depth, strips);
          left = strips;
          s.k_stride = most_rows;
          next = most_rows * depth;
        }
        for (std::int64_t column = 0; column < columns; column += wide) {
          const std::int64_t count = std::min(wide, columns - column);
          const T* const panel = panels + column * depth;
          T* const to = c + row * ldc + column0 + column;
          if (count > vector)
            run_at<level>([=, &s] { tiles<T, bytes, most_rows, 2>(s, rows, left, next, panel, count, to); });
          else
            run_at<level>([=, &s] { tiles<T, bytes, most_rows, 1>(s, rows, left, next, panel, count, to); });
          if (s.bias) s.bias += wide;
        }
      }
    }
  }
}

}  // namespace

template <class T>
void packed_gemm(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const GemmFactor<T>& a,
                 const GemmFactor<T>& b, T beta, const T* bias, T* c, std::int64_t ldc) {
  const auto run_best =
      simd_level() == SimdLevel::avx512 ? run<T, 64, 12, SimdLevel::avx512> : run<T, 32, 6, SimdLevel::avx2>;
  // x w^T is the transpose of w x^T, which copies x across in the place of w: so it is computed where x has less rows.
  const bool turns =
      !a.transposed && b.transposed && m >= 32 && n >= 2 * m && m * n <= most_turned && (bias || beta == 0);
  T* const memory = turns ? workspace<T>() : nullptr;
  if (!memory) return run_best(m, n, k, alpha, a, b, beta, bias, c, ldc);
  T* const turned = memory + stretch * breadth;
  run_best(n, m, k, alpha, {b.data, b.ld, false}, {a.data, a.ld, true}, T(0), nullptr, turned, m);
  transpose_copy(sizeof(T), n, m, reinterpret_cast<const std::byte*>(turned), m, reinterpret_cast<std::byte*>(c), ldc);
  if (!bias) return;
  for (std::int64_t row = 0; row < m; ++row)
    for (std::int64_t column = 0; column < n; ++column) c[row * ldc + column] += bias[column];
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
