#pragma once
// The samples and error inputs that operations on matrices have in common.

#include <string>
#include <vector>

#include "elementwise_samples.hpp"

namespace xgrad::detail {

using MatrixFunction = std::vector<Tensor> (*)(const Tensor& x);

/// Square matrices: one, one of size 1, a transposed one, a batch, an empty one and an empty batch. `reference` is an
/// expression of x[0], which f stands for.
std::vector<OpSample> square_samples(const std::string& reference, MatrixFunction f);
/// More rows than columns, fewer, and empty ones.
std::vector<OpSample> rectangle_samples(const std::string& reference, MatrixFunction f);

/// An undefined tensor, integers, and a vector.
std::vector<OpError> matrix_errors(MatrixFunction f);
/// The same, and matrices that are not square.
std::vector<OpError> square_errors(MatrixFunction f);

/// x + factor I
Tensor plus_identity(const Tensor& x, double factor = 1);
/// x x^T + 2 I, which is positive definite.
Tensor positive_definite(const Tensor& x);
/// x + x^T
Tensor symmetric(const Tensor& x);

}  // namespace xgrad::detail
