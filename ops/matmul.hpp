#pragma once
// Matrix products.
//
// Operands are brought to one dtype, a floating one or, in matmul, one of integers. Products of integers are exact, and
// wrap around in their dtype; those of 16-bit floats are summed as float and rounded once. Transposed matrices of
// float32 and float64 (views by transpose) are read as they lie. Results are the same, bit for bit, for any number of
// threads.

#include "../autograd/operand.hpp"

namespace xgrad {

/// The matrix product, as in PyTorch and NumPy:
///   - (k,) by (k,): the dot product, a number;
///   - (m, k) by (k, n): the matrix product (m, n);
///   - (..., m, k) by (..., k, n): the products of the last two axes, (..., m, n), where the axes before them
///   broadcast;
///   - a vector on the left is a row, one on the right a column, and the axis of size 1 does not appear in the result.
/// Rows or columns that are neighbours in memory are read where they lie; other operands are copied to row-major order.
/// Sums over k = 0 elements are 0. Throws Error for inner sizes that differ, axes that do not broadcast, a number, two
/// bool tensors, and sizes over 2^31 - 1.
Tensor matmul(Operand a, Operand b);

/// input weight^T + bias, for input (..., in), weight (out, in) and bias (out,), which may be undefined; (..., out).
/// Copies as matmul does. Throws Error for other shapes, for integer tensors, and for sizes over 2^31 - 1.
Tensor linear(Operand input, Operand weight, const Tensor& bias = {});

}  // namespace xgrad
