#pragma once
// The singular value decomposition.

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

struct SVD {
  Tensor U, S, Vh;
};

struct SVDOptions {
  bool full_matrices = true;  // U (..., m, m) and Vh (..., n, n); else U (..., m, k) and Vh (..., k, n)
};

/// A = U diag(S) Vh for matrices (..., m, n), with k = min(m, n) singular values S (..., k) in descending order, and
/// orthonormal columns of U and rows of Vh, each pair of which may have either sign.
///
/// The gradient of U and Vh is that of the decomposition where singular values are distinct and other than 0 (for m = n
/// also where one is 0): where two are equal it is NaN or infinite, as in PyTorch. That of S alone exists everywhere;
/// singular values that are equal, or 0, are not differentiable there, and get the gradient of the decomposition that
/// was found. The columns of U and rows of Vh that full_matrices adds have none: Error
/// where one comes for them, and NaN in forward mode. Throws
/// Error for NaN and infinite elements, with the matrix of the batch, for integers, and less than two axes.
SVD svd(Operand A, const SVDOptions& options = {});

/// The singular values alone, which is faster. Second derivatives exist where they are distinct and other than 0.
Tensor svdvals(Operand A);

}  // namespace xgrad::linalg
