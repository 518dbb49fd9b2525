#pragma once
// LAPACK, for one matrix of float or double in the calling thread.
//
// Matrices lie row by row, without gaps. Sizes are at least 1. What a function returns is LAPACK's `info`: 0 where it
// succeeded; else what it says is written there. Throws Error for a matrix so large that LAPACK cannot count its
// elements.

#include <cstdint>

#include "../core/parallel.hpp"
#include "one_blas_thread.hpp"

namespace xgrad::detail {

/// f(i) for each of a batch of `count` matrices, in parallel, where one costs about so many operations.
template <class F>
void for_each_matrix(std::int64_t count, double operations, const F& f) {
  num_threads();  // a first call of it sees to it that OpenBLAS has no threads of its own
  const auto grain = static_cast<std::int64_t>(20000 / (operations + 1)) + 1;
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    const OneBlasThread one_blas_thread;
    for (std::int64_t i = begin; i < end; ++i) f(i);
  });
}

namespace lapack {

/// Replaces the lower triangle of `a` (n, n) by its Cholesky factor; the upper one is neither read nor written. The
/// order of the first leading minor that is not positive, where one is not.
template <class T>
int cholesky(std::int64_t n, T* a);

/// Replaces `a` (m, n) by L, without its diagonal of ones, and U of a = P L U. Row i was exchanged with row pivots[i],
/// one after the other, for i from 0 to min(m, n). The first pivot that is 0, counted from 1.
template <class T>
int lu_factor(std::int64_t m, std::int64_t n, T* a, int* pivots);
/// Replaces b (n, k) by the solution x of a x = b, or of the transpose of a, for what lu_factor made of a (n, n).
template <class T>
void lu_solve(bool transposed, std::int64_t n, std::int64_t k, const T* lu, const int* pivots, T* b);

/// Replaces b (m, n) by the solution of op(a) x = b or (`left` false) x op(a) = b, where `a` is as stored a triangular
/// matrix, op(a) its transpose or itself, and the other triangle is not read; `unit` says that its diagonal counts as
/// ones.
template <class T>
void solve_triangular(bool left, bool upper, bool transposed, bool unit, std::int64_t m, std::int64_t n, const T* a,
                      T* b);

/// a (m, n) = q r, with q (m, columns) and r (columns, n), where `columns` is min(m, n) or m. `q` may be null. Destroys
/// `a`.
template <class T>
void qr(std::int64_t m, std::int64_t n, std::int64_t columns, T* a, T* q, T* r);

/// Eigenvalues in ascending order and, where `vectors` is, the eigenvectors as columns in the place of a, of a
/// symmetric matrix of which one triangle is read. Not 0 where it did not converge.
template <class T>
int eigh(bool vectors, bool upper, std::int64_t n, T* a, T* values);

/// The singular values, descending, and, where u is not null, u (m, k) and vh (k, n) with k = min(m, n); with `full`
/// u (m, m) and vh (n, n). Destroys a (m, n). Not 0 where it did not converge.
template <class T>
int svd(bool full, std::int64_t m, std::int64_t n, T* a, T* values, T* u, T* vh);

/// Eigenvalues of a (n, n) and the eigenvectors that belong to them as columns, as real and imaginary parts. Destroys
/// a. Not 0 where it did not converge.
template <class T>
int eig(std::int64_t n, T* a, T* real, T* imaginary, T* vectors_real, T* vectors_imaginary);

}  // namespace lapack

}  // namespace xgrad::detail
