#pragma once
// Normalisation of each example by itself.

#include "../autograd/operand.hpp"

namespace xgrad {

/// Normalises x over its last axes, which have the shape `normalized_shape`:
///   y = (x - mean) / sqrt(variance + eps) * weight + bias, with the mean and the biased variance of these axes, and
///   weight and bias of shape `normalized_shape`, 1 and 0 where undefined.
/// Throws Error where the last axes of x have another shape, or weight or bias, or their dtype is not that of x, which
/// is a floating one.
Tensor layer_norm(Operand x, const Shape& normalized_shape, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

}  // namespace xgrad
