#pragma once
// The LU factorisation with exchanges of rows.

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

struct LU {
  Tensor P, L, U;
};

/// A = P L U for matrices (..., m, n): P (..., m, m) a permutation, L (..., m, k) lower triangular with ones on its
/// diagonal, and U (..., k, n) upper triangular, with k = min(m, n). Differentiable where the first k columns of A are
/// independent. Throws Error for integers and less than two axes.
LU lu(Operand A);

struct LUFactors {
  Tensor LU;      // U with its diagonal, and below it L without its ones: (..., m, n)
  Tensor pivots;  // int64 (..., k): row i was exchanged with row pivots[i], counted from 1, for one i after the other
};

/// The factors in the form that lu_solve takes.
LUFactors lu_factor(Operand A);

struct LUSolveOptions {
  bool left = true;      // A X = B; else X A = B
  bool adjoint = false;  // of the transpose of A
};

/// The solution X of A X = B for what lu_factor made of square matrices A; B as in solve_triangular. Throws Error for a
/// singular matrix, and pivots that lu_factor did not make.
Tensor lu_solve(Operand LU, const Tensor& pivots, Operand B, const LUSolveOptions& options = {});

}  // namespace xgrad::linalg
