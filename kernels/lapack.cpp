#include "lapack.hpp"

#include <cblas.h>

#include <algorithm>
#include <memory>

#include "../core/error.hpp"

using Count = std::size_t;  // how long a text is, which Fortran wants to know last

namespace xgrad::detail::lapack {

namespace {

using Int = const int*;

extern "C" {
void spotrf_(const char* uplo, Int n, float* a, Int lda, int* info, Count);
void dpotrf_(const char* uplo, Int n, double* a, Int lda, int* info, Count);
void sgetrf_(Int m, Int n, float* a, Int lda, int* pivots, int* info);
void dgetrf_(Int m, Int n, double* a, Int lda, int* pivots, int* info);
void sgelqf_(Int m, Int n, float* a, Int lda, float* tau, float* work, Int lwork, int* info);
void dgelqf_(Int m, Int n, double* a, Int lda, double* tau, double* work, Int lwork, int* info);
void sorglq_(Int m, Int n, Int k, float* a, Int lda, const float* tau, float* work, Int lwork, int* info);
void dorglq_(Int m, Int n, Int k, double* a, Int lda, const double* tau, double* work, Int lwork, int* info);
void ssyevd_(const char* jobz, const char* uplo, Int n, float* a, Int lda, float* w, float* work, Int lwork, int* iwork,
             Int liwork, int* info, Count, Count);
void dsyevd_(const char* jobz, const char* uplo, Int n, double* a, Int lda, double* w, double* work, Int lwork,
             int* iwork, Int liwork, int* info, Count, Count);
void sgesdd_(const char* jobz, Int m, Int n, float* a, Int lda, float* s, float* u, Int ldu, float* vt, Int ldvt,
             float* work, Int lwork, int* iwork, int* info, Count);
void dgesdd_(const char* jobz, Int m, Int n, double* a, Int lda, double* s, double* u, Int ldu, double* vt, Int ldvt,
             double* work, Int lwork, int* iwork, int* info, Count);
void sgeev_(const char* jobvl, const char* jobvr, Int n, float* a, Int lda, float* wr, float* wi, float* vl, Int ldvl,
            float* vr, Int ldvr, float* work, Int lwork, int* info, Count, Count);
void dgeev_(const char* jobvl, const char* jobvr, Int n, double* a, Int lda, double* wr, double* wi, double* vl,
            Int ldvl, double* vr, Int ldvr, double* work, Int lwork, int* info, Count, Count);
}

/// The function for float, or that for double.
template <class T, class Single, class Double>
constexpr auto of(Single* single, Double* dbl) {
  if constexpr (std::is_same_v<T, float>)
    return single;
  else
    return dbl;
}

int lapack_size(std::int64_t size) {
  check(size <= 2147483647, "lapack: ", size, " numbers are more than a 32-bit LAPACK counts");
  return static_cast<int>(size);
}

template <class T>
std::unique_ptr<T[]> room_for(std::int64_t count) {
  return std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(std::max<std::int64_t>(count, 1)));
}

/// How many numbers a query for the size of the workspace asks for.
template <class T>
std::int64_t wanted(T answer) {
  return static_cast<std::int64_t>(static_cast<double>(answer) * (std::is_same_v<T, float> ? 1 + 1e-6 : 1)) + 1;
}

template <class T>
void transpose_to(std::int64_t rows, std::int64_t columns, const T* from, T* to) {
  constexpr std::int64_t block = 16;
  for (std::int64_t i0 = 0; i0 < rows; i0 += block)
    for (std::int64_t j0 = 0; j0 < columns; j0 += block)
      for (std::int64_t i = i0; i < std::min(i0 + block, rows); ++i)
        for (std::int64_t j = j0; j < std::min(j0 + block, columns); ++j) to[j * rows + i] = from[i * columns + j];
}

}  // namespace

// A matrix stored row by row is to LAPACK its transpose.

template <class T>
int cholesky(std::int64_t n, T* a) {
  const int size = lapack_size(n);
  int info = 0;
  of<T>(spotrf_, dpotrf_)("U", &size, a, &size, &info, 1);
  return info;
}

template <class T>
int lu_factor(std::int64_t m, std::int64_t n, T* a, int* pivots) {
  const int rows = lapack_size(m), columns = lapack_size(n);
  const auto scratch = room_for<T>(m * n);
  int info = 0;
  transpose_to(m, n, a, scratch.get());
  of<T>(sgetrf_, dgetrf_)(&rows, &columns, scratch.get(), &rows, pivots, &info);
  transpose_to(n, m, scratch.get(), a);
  for (std::int64_t i = 0; i < std::min(m, n); ++i) --pivots[i];
  return info;
}

template <class T>
void solve_triangular(bool left, bool upper, bool transposed, bool unit, std::int64_t m, std::int64_t n, const T* a,
                      T* b) {
  const int rows = lapack_size(m), columns = lapack_size(n);
  of<T>(cblas_strsm, cblas_dtrsm)(CblasRowMajor, left ? CblasLeft : CblasRight, upper ? CblasUpper : CblasLower,
                                  transposed ? CblasTrans : CblasNoTrans, unit ? CblasUnit : CblasNonUnit, rows,
                                  columns, T(1), a, left ? rows : columns, b, columns);
}

template <class T>
void lu_solve(bool transposed, std::int64_t n, std::int64_t k, const T* lu, const int* pivots, T* b) {
  const auto exchange = [&](std::int64_t i) {
    if (pivots[i] != i) std::swap_ranges(b + i * k, b + (i + 1) * k, b + pivots[i] * k);
  };
  if (!transposed)
    for (std::int64_t i = 0; i < n; ++i) exchange(i);
  solve_triangular(true, transposed, transposed, !transposed, n, k, lu, b);
  solve_triangular(true, !transposed, transposed, transposed, n, k, lu, b);
  if (transposed)
    for (std::int64_t i = n; i-- > 0;) exchange(i);
}

template <class T>
void qr(std::int64_t m, std::int64_t n, std::int64_t columns, T* a, T* q, T* r) {
  const std::int64_t k = std::min(m, n);
  const int rows = lapack_size(m), wide = lapack_size(n), reflectors = lapack_size(k), made = lapack_size(columns);
  const auto tau = room_for<T>(k);
  int info = 0, query = -1;
  T size = 0;
  of<T>(sgelqf_, dgelqf_)(&wide, &rows, a, &wide, tau.get(), &size, &query, &info);
  int work_size = lapack_size(wanted(size));
  auto work = room_for<T>(work_size);
  of<T>(sgelqf_, dgelqf_)(&wide, &rows, a, &wide, tau.get(), work.get(), &work_size, &info);
  for (std::int64_t i = 0; i < columns; ++i) {
    const std::int64_t zeros = std::min(i, n);
    std::fill_n(r + i * n, zeros, T(0));
    std::copy(a + i * n + zeros, a + (i + 1) * n, r + i * n + zeros);
  }
  if (!q) return;
  for (std::int64_t i = 0; i < m; ++i) {
    const std::int64_t from_a = std::min(columns, n);
    std::copy_n(a + i * n, from_a, q + i * columns);
    std::fill(q + i * columns + from_a, q + (i + 1) * columns, T(0));
  }
  of<T>(sorglq_, dorglq_)(&made, &rows, &reflectors, q, &made, tau.get(), &size, &query, &info);
  work_size = lapack_size(wanted(size));
  work = room_for<T>(work_size);
  of<T>(sorglq_, dorglq_)(&made, &rows, &reflectors, q, &made, tau.get(), work.get(), &work_size, &info);
}

template <class T>
int eigh(bool vectors, bool upper, std::int64_t n, T* a, T* values) {
  const int order = lapack_size(n);
  const char *const job = vectors ? "V" : "N", *const triangle = upper ? "L" : "U";
  int info = 0, query = -1, integers = 0;
  T size = 0;
  of<T>(ssyevd_, dsyevd_)(job, triangle, &order, a, &order, values, &size, &query, &integers, &query, &info, 1, 1);
  const int work_size = lapack_size(wanted(size));
  const auto work = room_for<T>(work_size);
  const auto integer_work = room_for<int>(integers);
  of<T>(ssyevd_, dsyevd_)(job, triangle, &order, a, &order, values, work.get(), &work_size, integer_work.get(),
                          &integers, &info, 1, 1);
  if (vectors)
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < i; ++j) std::swap(a[i * n + j], a[j * n + i]);
  return info;
}

template <class T>
int svd(bool full, std::int64_t m, std::int64_t n, T* a, T* values, T* u, T* vh) {
  const int rows = lapack_size(m), columns = lapack_size(n), k = std::min(rows, columns), u_columns = full ? rows : k;
  const char* const job = !u ? "N" : full ? "A" : "S";
  const auto integer_work = room_for<int>(8 * std::int64_t{k});
  int info = 0, query = -1;
  T size = 0;
  const auto run = [&](T* work, const int* work_size) {
    of<T>(sgesdd_, dgesdd_)(job, &columns, &rows, a, &columns, values, vh, &columns, u, &u_columns, work, work_size,
                            integer_work.get(), &info, 1);
  };
  run(&size, &query);
  const int work_size = lapack_size(wanted(size));
  run(room_for<T>(work_size).get(), &work_size);
  return info;
}

template <class T>
int eig(std::int64_t n, T* a, T* real, T* imaginary, T* vectors_real, T* vectors_imaginary) {
  const int order = lapack_size(n);
  const auto columns = room_for<T>(n * n), vectors = room_for<T>(n * n);
  transpose_to(n, n, a, columns.get());
  int info = 0, query = -1;
  T size = 0;
  const auto run = [&](T* work, const int* work_size) {
    of<T>(sgeev_, dgeev_)("N", "V", &order, columns.get(), &order, real, imaginary, nullptr, &order, vectors.get(),
                          &order, work, work_size, &info, 1, 1);
  };
  run(&size, &query);
  const int work_size = lapack_size(wanted(size));
  run(room_for<T>(work_size).get(), &work_size);
  // A pair of conjugate eigenvalues has the real and the imaginary part of the first one's vector.
  for (std::int64_t j = 0; j < n; ++j) {
    const bool first = imaginary[j] > 0, second = imaginary[j] < 0;
    const std::int64_t at = second ? j - 1 : j;
    for (std::int64_t i = 0; i < n; ++i) {
      vectors_real[i * n + j] = vectors[static_cast<std::size_t>(at * n + i)];
      vectors_imaginary[i * n + j] =
          first || second ? (first ? T(1) : T(-1)) * vectors[static_cast<std::size_t>((at + 1) * n + i)] : T(0);
    }
  }
  return info;
}

#define XGRAD_INSTANTIATE(T)                                                                        \
  template int cholesky(std::int64_t, T*);                                                          \
  template int lu_factor(std::int64_t, std::int64_t, T*, int*);                                     \
  template void lu_solve(bool, std::int64_t, std::int64_t, const T*, const int*, T*);               \
  template void solve_triangular(bool, bool, bool, bool, std::int64_t, std::int64_t, const T*, T*); \
  template void qr(std::int64_t, std::int64_t, std::int64_t, T*, T*, T*);                           \
  template int eigh(bool, bool, std::int64_t, T*, T*);                                              \
  template int svd(bool, std::int64_t, std::int64_t, T*, T*, T*, T*);                               \
  template int eig(std::int64_t, T*, T*, T*, T*, T*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail::lapack
