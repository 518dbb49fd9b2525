#pragma once
// Functions of square matrices.

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

/// Square matrices (..., n, n) multiplied n times by themselves; the identity for n = 0, powers of the inverse for
/// negative n, which throw Error for a singular matrix.
Tensor matrix_power(Operand A, std::int64_t n);

/// The exponential I + A + A^2 / 2 + A^3 / 6 + ... of square matrices (..., n, n); NaN where an element is not finite.
Tensor matrix_exp(Operand A);

}  // namespace xgrad::linalg
