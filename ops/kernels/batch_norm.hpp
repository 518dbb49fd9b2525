#pragma once
// Kernels of batch normalisation over memory of shape (n, channels, length), row-major.

#include <cstdint>

namespace xgrad::detail {

struct BatchNormSize {
  std::int64_t n, channels, length;
  std::int64_t values() const { return n * length; }  // a channel
};

/// mean[c] and biased variance[c] of each channel, by two passes.
template <class T>
void batch_statistics(const BatchNormSize& size, const T* x, T* mean, T* variance);

/// y = (x - mean) * scale * weight + bias; weight and bias may be null.
template <class T>
void normalize_batch(const BatchNormSize& size, const T* x, const T* mean, const T* scale, const T* weight,
                     const T* bias, T* y);

/// bias_grad[c] = sum of grad, weight_grad[c] = sum of grad * (x - mean) * scale.
template <class T>
void batch_norm_sums(const BatchNormSize& size, const T* grad, const T* x, const T* mean, const T* scale, T* bias_grad,
                     T* weight_grad);

/// Gradient of x when mean and scale came from the batch:
/// weight * scale * (grad - (bias_grad + (x - mean) * scale * weight_grad) / values).
template <class T>
void batch_norm_input_grad(const BatchNormSize& size, const T* grad, const T* x, const T* mean, const T* scale,
                           const T* weight, const T* bias_grad, const T* weight_grad, T* x_grad);

}  // namespace xgrad::detail
