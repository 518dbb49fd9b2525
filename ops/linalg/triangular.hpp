#pragma once
// Systems with triangular matrices.

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

struct SolveTriangularOptions {
  bool upper = false;          // the triangle that is read; the other one counts as zeros
  bool left = true;            // A X = B; else X A = B
  bool unitriangular = false;  // the diagonal counts as ones and is not read
};

/// The solution X of A X = B for triangular matrices A (..., n, n) and B (..., n, k), whose batches broadcast; with
/// `left` false of X A = B, for B (..., k, n). B may be a vector (n,), or one for each matrix (..., n), too. Throws
/// Error for a 0 on a diagonal, with the matrix of the batch, integers, and shapes that do not fit.
Tensor solve_triangular(Operand A, Operand B, const SolveTriangularOptions& options = {});

}  // namespace xgrad::linalg
