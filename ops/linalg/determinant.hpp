#pragma once
// Determinants.

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

/// The determinants of square matrices (..., n, n): (...); 1 for n = 0. First and second derivatives are
/// those of the polynomial, where a matrix is singular too; third ones there throw Error. Throws Error for matrices
/// that are not square, and integers.
Tensor det(Operand A);

struct SignAndLogabsdet {
  Tensor sign, logabsdet;
};

/// The sign, -1, 0 or 1, and the logarithm of the absolute value of determinants that may leave the range of the dtype:
/// det(A) = sign exp(logabsdet). 0 and -inf for a singular matrix, whose gradient throws Error. The sign has no
/// gradient. Throws Error as det does.
SignAndLogabsdet slogdet(Operand A);

}  // namespace xgrad::linalg
