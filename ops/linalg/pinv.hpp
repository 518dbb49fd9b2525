#pragma once
// Matrices that need not have an inverse: their rank and pseudo-inverse.

#include <optional>

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

/// Singular values count as 0 where they are not above max(atol, rtol * the largest one). Where neither is named, rtol
/// is the machine epsilon of the dtype times max(m, n); where only one is, the other is 0.
struct RankOptions {
  std::optional<double> atol = {}, rtol = {};
  bool hermitian = false;  // A is symmetric, and only its lower triangle is read: by eigenvalues, which is faster
};

/// How many singular values of matrices (..., m, n) count: int64 (...). Throws Error for NaN and infinite elements, for
/// integers, and less than two axes.
Tensor matrix_rank(Operand A, const RankOptions& options = {});

/// The Moore-Penrose pseudo-inverses (..., n, m) of matrices (..., m, n). The gradient is right for changes of A that
/// keep its rank: where that is less than min(m, n), the pseudo-inverse is not continuous. Throws Error as matrix_rank
/// does.
Tensor pinv(Operand A, const RankOptions& options = {});

}  // namespace xgrad::linalg
