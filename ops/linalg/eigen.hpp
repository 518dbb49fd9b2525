#pragma once
// Eigenvalues.

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

struct Eigh {
  Tensor eigenvalues, eigenvectors;
};

struct EighOptions {
  char UPLO = 'L';  // the triangle that is read: 'L', the lower one, or 'U'
};

/// The eigenvalues (..., n), ascending, and the eigenvectors, orthonormal columns (..., n, n) each of which may have
/// either sign, of symmetric matrices (..., n, n): A = Q diag(L) Q^T. The gradient is symmetric.
///
/// The gradient of eigenvectors exists where eigenvalues are distinct; where two are equal it is NaN or infinite, as in
/// PyTorch. That of the eigenvalues alone exists everywhere; equal ones are not differentiable, and get the gradient of
/// the eigenvectors that were found. Throws Error for NaN and infinite elements, with the matrix of the batch, for
/// matrices that are not square, and integers.
Eigh eigh(Operand A, const EighOptions& options = {});

/// The eigenvalues of symmetric matrices alone, which is faster. Second derivatives exist where they are distinct.
Tensor eigvalsh(Operand A, const EighOptions& options = {});

struct ComplexParts {
  Tensor real, imaginary;
};

/// The eigenvalues (..., n) of square matrices of real numbers, as real and imaginary parts, in no order but that
/// conjugate pairs are neighbours, the one with the positive imaginary part first. The gradient exists where they are
/// distinct; where two are equal it is NaN or infinite, or an Error. Throws Error as eigh does.
ComplexParts eigvals(Operand A);

}  // namespace xgrad::linalg
