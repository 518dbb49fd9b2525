#pragma once
// Products of two inputs.

#include "../autograd/operand.hpp"

namespace xgrad {

/// For each output k, a^T weight[k] b + bias[k]: for a (..., in1), b (..., in2) of the same axes before the last,
/// weight (out, in1, in2) and bias (out,), which may be undefined; (..., out). Throws Error for other shapes, and for
/// integer tensors.
Tensor bilinear(Operand a, Operand b, Operand weight, const Tensor& bias = {});

}  // namespace xgrad
