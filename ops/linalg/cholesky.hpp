#pragma once
// The Cholesky factorisation.

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

struct CholeskyOptions {
  bool upper = false;  // U with A = U^T U, of the upper triangle of A; else L with A = L L^T, of the lower one
};

/// The lower triangular L with A = L L^T, for symmetric positive definite matrices (..., n, n), of which only the lower
/// triangle is read. The gradient is symmetric. Throws Error where a leading minor is not positive, with its order and
/// the matrix of the batch; for matrices that are not square, and integers.
Tensor cholesky(Operand A, const CholeskyOptions& options = {});

/// The solution X of A X = B, where L is cholesky(A): L L^T X = B, or with `upper` L^T L X = B. B as in
/// solve_triangular.
Tensor cholesky_solve(Operand L, Operand B, const CholeskyOptions& options = {});

}  // namespace xgrad::linalg
