#include "gemm.hpp"

#include <cblas.h>

#include <algorithm>

#include "../array/transpose.hpp"
#include "../core/error.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "one_blas_thread.hpp"
#include "packed_gemm.hpp"

namespace xgrad::detail {
namespace {

CBLAS_TRANSPOSE flag(bool transpose) { return transpose ? CblasTrans : CblasNoTrans; }
blasint blas_size(std::int64_t size) { return static_cast<blasint>(size); }

template <class T>
void blas_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
               std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  const auto call = [&](auto function) {
    function(CblasRowMajor, flag(transpose_a), flag(transpose_b), blas_size(m), blas_size(n), blas_size(k), alpha, a,
             blas_size(lda), b, blas_size(ldb), beta, c, blas_size(ldc));
  };
  if constexpr (std::is_same_v<T, float>)
    call(cblas_sgemm);
  else
    call(cblas_dgemm);
}

// y += alpha op(a) x for the m numbers of y.
template <class T>
void blas_gemv(bool transpose, std::int64_t m, std::int64_t k, T alpha, const T* a, std::int64_t lda, const T* x,
               std::int64_t x_stride, T* y, std::int64_t y_stride) {
  const auto call = [&](auto function) {
    function(CblasRowMajor, flag(transpose), blas_size(transpose ? k : m), blas_size(transpose ? m : k), alpha, a,
             blas_size(lda), x, blas_size(x_stride), T(1), y, blas_size(y_stride));
  };
  if constexpr (std::is_same_v<T, float>)
    call(cblas_sgemv);
  else
    call(cblas_dgemv);
}

template <class T>
void scale(std::int64_t m, std::int64_t n, T beta, T* c, std::int64_t ldc) {
  if (beta == 1) return;
  for (std::int64_t row = 0; row < m; ++row)
    for (std::int64_t column = 0; column < n; ++column) {
      T& element = c[row * ldc + column];
      element = beta == 0 ? T(0) : beta * element;
    }
}

/// c = the same row everywhere.
template <class T>
void repeat(const T* row, std::int64_t m, std::int64_t n, T* c, std::int64_t ldc) {
  for (std::int64_t i = 0; i < m; ++i) std::copy_n(row, n, c + i * ldc);
}

/// `some` of `all` parts of [0, size) from part `i` on, each in whole units.
struct Range {
  std::int64_t begin, size;
};
Range parts(std::int64_t size, std::int64_t unit, std::int64_t all, std::int64_t i, std::int64_t some) {
  const std::int64_t units = (size + unit - 1) / unit;
  const std::int64_t begin = std::min(size, units * i / all * unit);
  return {begin, std::min(size, units * (i + some) / all * unit) - begin};
}

/// Into how many parts each size is cut.
struct Grid {
  std::int64_t m = 1, n = 1, k = 1;
};

// Twice as many pieces for eight times the work. Both factors of each piece are copied into another order, so every cut
// copies one of them once more, a cut of k adds up two results: each cut is where that is least.
Grid grid_of(std::int64_t m, std::int64_t n, std::int64_t k) {
  Grid grid;
  const auto rows = static_cast<double>(m), columns = static_cast<double>(n), inner = static_cast<double>(k);
  for (double work = rows * columns * inner / 0x1p21; work >= 1; work /= 8) {
    const double piece_rows = rows / static_cast<double>(grid.m), piece_columns = columns / static_cast<double>(grid.n),
                 piece_inner = inner / static_cast<double>(grid.k);
    const double cut_rows = piece_columns * piece_inner, cut_columns = piece_rows * piece_inner,
                 cut_inner = 8 * piece_rows * piece_columns;
    if (cut_inner < std::min(cut_rows, cut_columns))
      grid.k *= 2;
    else if (cut_rows < cut_columns)
      grid.m *= 2;
    else
      grid.n *= 2;
  }
  return grid;
}

/// One piece, in the calling thread.
template <class T>
void one_piece(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const GemmFactor<T>& a, const GemmFactor<T>& b,
               T beta, const T* bias, T* c, std::int64_t ldc) {
  if (has_packed_gemm() && k > 0) return packed_gemm(m, n, k, alpha, a, b, beta, bias, c, ldc);
  if (bias) repeat(bias, m, n, c, ldc);
  const OneBlasThread one_blas_thread;
  blas_gemm(a.transposed, b.transposed, m, n, k, alpha, a.data, a.ld, b.data, b.ld, bias ? T(1) : beta, c, ldc);
}

template <class T>
void gemm_in_pieces(const Grid& grid, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const GemmFactor<T>& a,
                    const GemmFactor<T>& b, T beta, const T* bias, T* c, std::int64_t ldc) {
  if (grid.m * grid.n * grid.k == 1) return one_piece(m, n, k, alpha, a, b, beta, bias, c, ldc);
  Reference<Storage> partial;  // the sums over all parts of k but the first
  if (grid.k > 1) partial = Storage::make(static_cast<std::size_t>((grid.k - 1) * m * n) * sizeof(T));
  T* const sums = partial ? reinterpret_cast<T*>(partial->data()) : nullptr;

  parallel_for(grid.m * grid.n * grid.k, 1, [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t depth = begin / (grid.m * grid.n), row = begin % grid.m, column = begin / grid.m % grid.n;
      // Neighbours are computed as one, which copies less, where the result does not depend on it.
      std::int64_t high = 1, wide = 1;
      if (has_packed_gemm()) {
        high = std::min(end - begin, grid.m - row);
        if (high == grid.m) wide = std::min((end - begin) / grid.m, grid.n - column);
      }
      begin += high * wide;
      const Range rows = parts(m, 12, grid.m, row, high), columns = parts(n, 32, grid.n, column, wide),
                  inner = parts(k, 32, grid.k, depth, 1);
      if (rows.size == 0 || columns.size == 0) continue;
      const GemmFactor<T> left = {
          a.data + (a.transposed ? inner.begin * a.ld + rows.begin : rows.begin * a.ld + inner.begin), a.ld,
          a.transposed};
      const GemmFactor<T> right = {
          b.data + (b.transposed ? columns.begin * b.ld + inner.begin : inner.begin * b.ld + columns.begin), b.ld,
          b.transposed};
      const std::int64_t ld = depth == 0 ? ldc : n;
      T* const out = (depth == 0 ? c : sums + (depth - 1) * m * n) + rows.begin * ld + columns.begin;
      one_piece(rows.size, columns.size, inner.size, alpha, left, right, depth == 0 ? beta : T(0),
                bias && depth == 0 ? bias + columns.begin : nullptr, out, ld);
    }
  });
  if (grid.k == 1) return;
  parallel_for(m, std::max<std::int64_t>(1, 32768 / (n * grid.k)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t depth = 0; depth < grid.k - 1; ++depth) {
        T* __restrict out = c + row * ldc;
        const T* __restrict term = sums + (depth * m + row) * n;
        for (std::int64_t column = 0; column < n; ++column) out[column] += term[column];
      }
  });
}

/// Whether a b^T is better computed as the transpose of b a^T: packed_gemm copies the transposed factor across, and of
/// the two that is the smaller one.
template <class T>
bool turns(std::int64_t m, std::int64_t n, const GemmFactor<T>& a, const GemmFactor<T>& b) {
  return has_packed_gemm() && !a.transposed && b.transposed && m >= 32 && n >= 2 * m && m * n <= 1 << 16;
}

template <class T>
void turned_gemm(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const GemmFactor<T>& a,
                 const GemmFactor<T>& b, const T* bias, T* c, std::int64_t ldc) {
  const Reference<Storage> memory = Storage::make(static_cast<std::size_t>(m * n) * sizeof(T));
  T* const turned = reinterpret_cast<T*>(memory->data());
  gemm_in_pieces<T>(grid_of(n, m, k), n, m, k, alpha, {b.data, b.ld, false}, {a.data, a.ld, true}, T(0), nullptr,
                    turned, m);
  parallel_for(m, std::max<std::int64_t>(16, 16384 / n), [&](std::int64_t begin, std::int64_t end) {
    transpose_copy(sizeof(T), n, end - begin, reinterpret_cast<const std::byte*>(turned + begin), m,
                   reinterpret_cast<std::byte*>(c + begin * ldc), ldc);
    for (std::int64_t row = begin; bias && row < end; ++row)
      for (std::int64_t column = 0; column < n; ++column) c[row * ldc + column] += bias[column];
  });
}

// y = alpha op(a) x + beta y for the m numbers of y.
template <class T>
void gemv(bool transpose, std::int64_t m, std::int64_t k, T alpha, const T* a, std::int64_t lda, const T* x,
          std::int64_t x_stride, T beta, T* y, std::int64_t y_stride) {
  scale(m, 1, beta, y, y_stride);
  constexpr std::int64_t unit = 64, piece_work = 1 << 16;
  const std::int64_t pieces = std::clamp<std::int64_t>(m * k / piece_work, 1, (m + unit - 1) / unit);
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    const OneBlasThread one_blas_thread;
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const Range rows = parts(m, unit, pieces, piece, 1);
      blas_gemv(transpose, rows.size, k, alpha, a + (transpose ? rows.begin : rows.begin * lda), lda, x, x_stride,
                y + rows.begin * y_stride, y_stride);
    }
  });
}

void check_size(const char* what, std::int64_t size, std::int64_t least) {
  check(size >= least && size <= gemm_limit, "gemm: ", what, " ", size, " is not between ", least, " and ", gemm_limit);
}

}  // namespace

template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          std::type_identity_t<T> alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
          std::type_identity_t<T> beta, T* c, std::int64_t ldc, const T* bias) {
  check_size("size", m, 0);
  check_size("size", n, 0);
  check_size("size", k, 0);
  check_size("leading dimension", lda, std::max<std::int64_t>(1, transpose_a ? m : k));
  check_size("leading dimension", ldb, std::max<std::int64_t>(1, transpose_b ? k : n));
  check_size("leading dimension", ldc, std::max<std::int64_t>(1, n));
  if (m == 0 || n == 0) return;
  if (bias && (k == 0 || m == 1 || n == 1)) {
    repeat(bias, m, n, c, ldc);
    bias = nullptr, beta = 1;
  }
  if (k == 0) return scale(m, n, beta, c, ldc);
  num_threads();  // makes sure that OpenBLAS starts no threads of its own
  if (n == 1) return gemv<T>(transpose_a, m, k, alpha, a, lda, b, transpose_b ? 1 : ldb, beta, c, ldc);
  if (m == 1) return gemv<T>(!transpose_b, n, k, alpha, b, ldb, a, transpose_a ? lda : 1, beta, c, 1);
  const GemmFactor<T> left = {a, lda, transpose_a}, right = {b, ldb, transpose_b};
  if ((bias || beta == 0) && turns(m, n, left, right)) return turned_gemm(m, n, k, alpha, left, right, bias, c, ldc);
  gemm_in_pieces(grid_of(m, n, k), m, n, k, alpha, left, right, beta, bias, c, ldc);
}

template void gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, float, const float*, std::int64_t,
                   const float*, std::int64_t, float, float*, std::int64_t, const float*);
template void gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, double, const double*, std::int64_t,
                   const double*, std::int64_t, double, double*, std::int64_t, const double*);

template <class T>
void gemm_in_thread(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                    std::int64_t lda, const T* b, std::int64_t ldb, std::type_identity_t<T> beta, T* c,
                    std::int64_t ldc) {
  one_piece<T>(m, n, k, T(1), {a, lda, transpose_a}, {b, ldb, transpose_b}, beta, nullptr, c, ldc);
}

template void gemm_in_thread(bool, bool, std::int64_t, std::int64_t, std::int64_t, const float*, std::int64_t,
                             const float*, std::int64_t, float, float*, std::int64_t);
template void gemm_in_thread(bool, bool, std::int64_t, std::int64_t, std::int64_t, const double*, std::int64_t,
                             const double*, std::int64_t, double, double*, std::int64_t);

std::int64_t gemm_pieces(std::int64_t m, std::int64_t n, std::int64_t k) {
  const Grid grid = grid_of(m, n, k);
  return grid.m * grid.n * grid.k;
}

}  // namespace xgrad::detail
