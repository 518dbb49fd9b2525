#pragma once
// Linear maps with weights of bytes, for inference.

#include "../autograd/operand.hpp"

namespace xgrad::detail {

/// A matrix as bytes, row by row.
struct QuantizedRows {
  Tensor values;  // int8, of the matrix's shape, from -127 to 127
  Tensor scales;  // float32, (rows,)
};

/// The matrix (out, in) as values * scales, each value rounded to the nearest; recorded nowhere. Throws Error for
/// another number of axes, an integer dtype, a row that has NaN or infinity, and rows of over 131072 numbers.
QuantizedRows quantize_rows(const char* op, const Tensor& matrix);

/// input (weight scale)^T + bias, for input (..., in), weight (out, in) of int8, scale (out,) of float32 and bias
/// (out,), which may be undefined; (..., out), of the input's dtype. Each row of the input becomes bytes with a scale
/// of its own; products of bytes are summed up exactly. Throws Error for an integer input, for other shapes and dtypes,
/// and where a gradient of the input would be recorded: there is none.
Tensor quantized_linear(Operand input, const Tensor& weight, const Tensor& scale, const Tensor& bias);

}  // namespace xgrad::detail
