#pragma once
// Factorisations and solutions for batches of matrices: small ones side by side in vector registers, larger ones by
// LAPACK, one a thread.
//
// Matrices of float or double lie row by row, one after the other, without gaps; `count` of each. Sizes are at least 1.
// A matrix gives the same result alone and in any batch, whatever the number of threads. `info`, one number a matrix,
// is as in lapack.hpp.

#include <cstdint>

namespace xgrad::detail {

/// Replaces matrices (n, n), of which the lower triangle is read, by their Cholesky factors, with zeros above. `info`
/// is the order of the first leading minor that is not positive, else 0.
template <class T>
void cholesky(std::int64_t count, std::int64_t n, T* a, int* info);

/// Replaces matrices (m, n) by L and U of a = P L U, and gives min(m, n) exchanges of rows each, as
/// lapack::lu_factor. `info` is the number of the first pivot that is 0, counted from 1, else 0.
template <class T>
void lu_factor(std::int64_t count, std::int64_t m, std::int64_t n, T* a, int* pivots, int* info);

/// Replaces b (n, k) by the solutions for what lu_factor made of matrices (n, n), or for their transposes.
template <class T>
void lu_solve(std::int64_t count, bool transposed, std::int64_t n, std::int64_t k, const T* lu, const int* pivots,
              T* b);

/// Which triangular matrix a system has: `upper` as stored, then perhaps transposed; a unit one counts as having ones
/// on its diagonal. Only the triangle is read.
struct Triangular {
  bool upper = false, transposed = false, unit = false;
};

/// Replaces b (m, n) by the solutions of op(a) x = b or, with `left` false, x op(a) = b.
template <class T>
void solve_triangular(std::int64_t count, const Triangular& kind, bool left, std::int64_t m, std::int64_t n, const T* a,
                      T* b);

}  // namespace xgrad::detail
