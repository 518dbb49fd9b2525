#include "half_gemm.hpp"

#include <algorithm>

#include "../core/error.hpp"
#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "gemm.hpp"
#include "packed_gemm.hpp"
#include "stored.hpp"
#include "tile_gemm.hpp"

namespace xgrad::detail {
namespace {

template <class T>
struct Matrix {
  const T* data;
  std::int64_t ld;
  bool transposed;
  /// Where the part of op(matrix) that begins at this row and column lies.
  Matrix at(std::int64_t row, std::int64_t column) const {
    return {data + (transposed ? column * ld + row : row * ld + column), ld, transposed};
  }
};

/// A part of c, and what it is made of.
template <class T>
struct Block {
  std::int64_t rows, columns, depth;
  Matrix<T> a, b;
  const T* bias;  // of its columns, or null
  T* c;
  std::int64_t ldc;
};

struct Floats {
  explicit Floats(std::int64_t count) : memory(Storage::make(static_cast<std::size_t>(count) * sizeof(float))) {}
  float* data() const { return reinterpret_cast<float*>(memory->data()); }
  Reference<Storage> memory;
};

/// A (rows, columns) part of op(matrix) as float, laid out as the matrix is.
template <class T>
Matrix<float> widened(const Matrix<T>& from, std::int64_t rows, std::int64_t columns, float* to) {
  if (from.transposed) std::swap(rows, columns);
  const Stored<float> numbers(dtype_of<T>(), reinterpret_cast<const std::byte*>(from.data));
  for (std::int64_t row = 0; row < rows; ++row) numbers.read(row * from.ld, columns, to + row * columns);
  return {to, columns, from.transposed};
}

/// Rows of sums, rounded.
template <class T>
void round(std::int64_t rows, std::int64_t columns, const float* sums, std::int64_t ld, const T* bias, T* c,
           std::int64_t ldc) {
  vectorized([=] {
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* const from = sums + row * ld;
      T* const to = c + row * ldc;
      if (bias) {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < columns; ++i) to[i] = T(from[i] + static_cast<float>(bias[i]));
      } else {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < columns; ++i) to[i] = T(from[i]);
      }
    }
  });
}

/// What a stretch of k takes of a and b, widened to float, and the sums of a block of 144 by 192 lie in the
/// second-level cache together.
template <class T>
void compute_by_widening(const Block<T>& block) {
  constexpr std::int64_t stretch = 256;
  const std::int64_t depth = std::min(stretch, block.depth);
  const Floats a(block.rows * depth), b(depth * block.columns), memory(block.rows * block.columns);
  float* const sums = memory.data();
  for (std::int64_t p = 0; p < block.depth; p += stretch) {
    const std::int64_t some = std::min(stretch, block.depth - p);
    const Matrix<float> left = widened(block.a.at(0, p), block.rows, some, a.data()),
                        right = widened(block.b.at(p, 0), some, block.columns, b.data());
    gemm_in_thread<float>(left.transposed, right.transposed, block.rows, block.columns, some, left.data, left.ld,
                          right.data, right.ld, p == 0 ? 0.0f : 1.0f, sums, block.columns);
  }
  round(block.rows, block.columns, sums, block.columns, block.bias, block.c, block.ldc);
}

void compute_by_tiles(const Block<BFloat16>& block) {
  const auto take = [](const void* context, std::int64_t row, std::int64_t column, std::int64_t rows,
                       std::int64_t columns, const float* sums) {
    const auto& to = *static_cast<const Block<BFloat16>*>(context);
    std::int64_t c_rows[32];
    for (std::int64_t i = 0; i < rows; ++i) c_rows[i] = (row + i) * to.ldc + column;
    round_tiles(rows, columns, sums, to.bias ? to.bias + column : nullptr, to.c, c_rows);
  };
  const TileFactor<BFloat16> a{block.a.data, !block.a.transposed, block.a.ld},
      b{block.b.data, block.b.transposed, block.b.ld};
  tile_gemm<BFloat16>(block.rows, block.columns, block.depth, a, b, {take, &block});
}

/// How a block is computed, by one thread, the most rows and columns it has, and into how many blocks much work is cut.
template <class T>
struct Way {
  void (*compute)(const Block<T>& block);
  std::int64_t rows, columns, blocks;
};

template <class T>
Way<T> best_way() {
  if constexpr (std::is_same_v<T, BFloat16>)
    if (has_tile_gemm<T>()) return {compute_by_tiles, 4096, 4096, num_threads()};
  // OpenBLAS sums up in an order that depends on the block, which then must not depend on threads.
  return {compute_by_widening<T>, 144, 192, has_packed_gemm() ? num_threads() : 64};
}

template <class T>
void product(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c,
             std::int64_t ldc, const T* bias) {
  const Way<T> way = best_way<T>();
  std::int64_t rows = std::min(m, way.rows), columns = std::min(n, way.columns);
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) / 0x1p21;
  const auto count = [&](std::int64_t size, std::int64_t part) { return (size + part - 1) / part; };
  while (static_cast<double>(count(m, rows) * count(n, columns)) < std::min(work, static_cast<double>(way.blocks))) {
    std::int64_t& longer = rows >= columns ? rows : columns;
    if (longer <= 32) break;
    longer = ((longer + 1) / 2 + 31) / 32 * 32;
  }
  const std::int64_t across = count(n, columns);
  const auto grain = static_cast<std::int64_t>(0x1p19 / static_cast<double>(rows * columns * k)) + 1;
  parallel_for(count(m, rows) * across, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / across * rows, column = i % across * columns;
      way.compute({std::min(rows, m - row), std::min(columns, n - column), k, a.at(row, 0), b.at(0, column),
                   bias ? bias + column : nullptr, c + row * ldc + column, ldc});
    }
  });
}

/// sums = op(matrix) x, for `rows` rows. What is read of a matrix once is not widened into memory first.
template <class T>
void sums_of_rows(const Matrix<T>& matrix, std::int64_t rows, std::int64_t k, const float* x, float* sums) {
  const T* const data = matrix.data;
  const std::int64_t ld = matrix.ld;
  if (matrix.transposed) {
    vectorized([=] {
      for (std::int64_t i = 0; i < rows; ++i) sums[i] = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        const float factor = x[p];
        const T* const row = data + p * ld;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < rows; ++i) sums[i] += factor * static_cast<float>(row[i]);
      }
    });
    return;
  }
  vectorized([=] {
    constexpr std::int64_t lanes = 32;
    for (std::int64_t i = 0; i < rows; ++i) {
      const T* const row = data + i * ld;
      float partial[lanes] = {};
      std::int64_t p = 0;
      for (; p + lanes <= k; p += lanes)
        for (std::int64_t lane = 0; lane < lanes; ++lane)
          partial[lane] += x[p + lane] * static_cast<float>(row[p + lane]);
      for (std::int64_t lane = 0; p < k; ++p, ++lane) partial[lane] += x[p] * static_cast<float>(row[p]);
      for (std::int64_t half = lanes / 2; half > 0; half /= 2)
        for (std::int64_t lane = 0; lane < half; ++lane) partial[lane] += partial[lane + half];
      sums[i] = partial[0];
    }
  });
}

/// y = op(matrix) x + bias for the m numbers of y; the bias is one number, or one for each.
template <class T>
void matrix_by_vector(std::int64_t m, std::int64_t k, const Matrix<T>& matrix, const T* x, std::int64_t x_stride,
                      const T* bias, std::int64_t bias_stride, T* y, std::int64_t y_stride) {
  constexpr std::int64_t block = 256;
  const Floats wide(k);
  float* const numbers = wide.data();
  for (std::int64_t p = 0; p < k; ++p) numbers[p] = x[p * x_stride];
  const std::int64_t rows = std::clamp<std::int64_t>((1 << 16) / k, 16, block);
  parallel_for((m + rows - 1) / rows, 1, [&](std::int64_t begin, std::int64_t end) {
    float sums[block];
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i * rows, some = std::min(rows, m - first);
      sums_of_rows(matrix.at(first, 0), some, k, numbers, sums);
      for (std::int64_t r = 0; r < some; ++r) {
        const float added = bias ? static_cast<float>(bias[(first + r) * bias_stride]) : 0.0f;
        y[(first + r) * y_stride] = T(sums[r] + added);
      }
    }
  });
}

void check_size(const char* what, std::int64_t size, std::int64_t least) {
  check(size >= least && size <= gemm_limit, "gemm: ", what, " ", size, " is not between ", least, " and ", gemm_limit);
}

}  // namespace

template <class T>
void half_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
               std::int64_t lda, const T* b, std::int64_t ldb, T* c, std::int64_t ldc, const T* bias) {
  check_size("size", m, 0);
  check_size("size", n, 0);
  check_size("size", k, 0);
  check_size("leading dimension", lda, std::max<std::int64_t>(1, transpose_a ? m : k));
  check_size("leading dimension", ldb, std::max<std::int64_t>(1, transpose_b ? k : n));
  check_size("leading dimension", ldc, std::max<std::int64_t>(1, n));
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::int64_t row = 0; row < m; ++row)
      for (std::int64_t column = 0; column < n; ++column) c[row * ldc + column] = bias ? bias[column] : T(0);
    return;
  }
  num_threads();  // makes sure that OpenBLAS starts no threads of its own
  if (n == 1) return matrix_by_vector<T>(m, k, {a, lda, transpose_a}, b, transpose_b ? 1 : ldb, bias, 0, c, ldc);
  if (m == 1) return matrix_by_vector<T>(n, k, {b, ldb, !transpose_b}, a, transpose_a ? lda : 1, bias, 1, c, 1);
  product<T>(m, n, k, {a, lda, transpose_a}, {b, ldb, transpose_b}, c, ldc, bias);
}

template void half_gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, const BFloat16*, std::int64_t,
                        const BFloat16*, std::int64_t, BFloat16*, std::int64_t, const BFloat16*);
template void half_gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, const Float16*, std::int64_t,
                        const Float16*, std::int64_t, Float16*, std::int64_t, const Float16*);

}  // namespace xgrad::detail
