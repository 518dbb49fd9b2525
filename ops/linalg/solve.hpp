#pragma once
// Systems of linear equations with as many equations as unknowns.

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

struct SolveOptions {
  bool left = true;  // A X = B; else X A = B
};

/// The solution X of A X = B, for square matrices A (..., n, n) and B (..., n, k), whose batches broadcast; B may be a
/// vector (n,), or one for each matrix (..., n), too. With `left` false of X A = B, for B (..., k, n). Throws Error for
/// a singular matrix, with the matrix of the batch and the pivot that is 0, for integers, and shapes that do not fit.
Tensor solve(Operand A, Operand B, const SolveOptions& options = {});

/// The inverses of square matrices (..., n, n). A X = B is solved faster, and with smaller errors, by solve. Throws
/// Error as solve does.
Tensor inv(Operand A);

}  // namespace xgrad::linalg
