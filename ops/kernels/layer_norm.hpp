#pragma once
// Kernels of layer normalisation over memory of shape (rows, width), row-major.

#include <cstdint>

namespace xgrad::detail {

/// y = (x - mean) * scale * weight + bias for each row, where scale = 1 / sqrt(variance + eps) with the biased
/// variance. mean and scale, one a row, are written; weight and bias, one a column, may be null.
template <class T>
void layer_norm(std::int64_t rows, std::int64_t width, const T* x, const T* weight, const T* bias, double eps, T* y,
                T* mean, T* scale);

/// The gradients, each of which may be null where it is not wanted; weight may be null, for 1.
template <class T>
void layer_norm_backward(std::int64_t rows, std::int64_t width, const T* grad, const T* x, const T* mean,
                         const T* scale, const T* weight, T* x_grad, T* weight_grad, T* bias_grad);

}  // namespace xgrad::detail
