#pragma once
// Least squares.

#include <optional>

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

struct LeastSquares {
  Tensor solution;         // (..., n, k)
  Tensor residuals;        // sums of squares of A X - B, (..., k), where m > n and all ranks are n; else of shape (0,)
  Tensor rank;             // of A, int64 (...)
  Tensor singular_values;  // of A, (..., min(m, n)), without gradient
};

struct LstsqOptions {
  std::optional<double> rcond = {};  // singular values up to rcond times the largest count as 0; by default the machine
                                     // epsilon of the dtype times max(m, n)
};

/// The X with the smallest sum of squares of A X - B, and of several such the smallest one, for matrices A (..., m, n)
/// and B (..., m, k), whose batches broadcast; B may be a vector (m,), or one for each matrix (..., m), too. By
/// singular values, so that A may have any rank. The gradient is right for changes of A that keep its rank. Throws
/// Error for NaN and infinite elements of A, with the matrix of the batch, for integers, and shapes that do not fit.
LeastSquares lstsq(Operand A, Operand B, const LstsqOptions& options = {});

}  // namespace xgrad::linalg
