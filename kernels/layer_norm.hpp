#pragma once
// Kernels of layer normalisation over memory of shape (rows, width), row-major.

#include <cstdint>

#include "stored.hpp"

namespace xgrad::detail {

/// y = ((x - centre) * scale + offset) * weight + bias for each row, where scale = 1 / sqrt(variance + eps) with the
/// biased variance, and offset = (centre - mean) * scale: the centre is the mean as T has it. centres, scales and
/// offsets, one a row, are written; weight and bias, one a column, may be null. Where centres and offsets are null,
/// rows are divided by their root mean square instead: y = x * scale * weight + bias, scale = 1 / sqrt(mean of x^2 +
/// eps).
template <class T>
void layer_norm(std::int64_t rows, std::int64_t width, const Stored<T>& x, const T* weight, const T* bias, double eps,
                const Stored<T>& y, T* centres, T* scales, T* offsets);

/// The gradients, each of which may be null where it is not wanted; weight may be null, for 1, and so may centres and
/// offsets, as before.
template <class T>
void layer_norm_backward(std::int64_t rows, std::int64_t width, const Stored<T>& grad, const Stored<T>& x,
                         const T* centres, const T* scales, const T* offsets, const T* weight, const Stored<T>& x_grad,
                         T* weight_grad, T* bias_grad);

}  // namespace xgrad::detail
