#pragma once
// Kernels of batch normalisation, and of all that normalises channels, over dense memory of shape (n, channels,
// length): images in row-major order, and with n the number of all places and length 1, images whose channels lie last.
// With n = 1, channels may be those of all examples.

#include <cstdint>

namespace xgrad::detail {

struct BatchNormSize {
  std::int64_t n, channels, length;
  std::int64_t group = 1;  // so many neighbouring channels share their moments; other than 1 with n or length 1 alone
  std::int64_t values() const { return n * length * group; }  // behind each moment
};

// A channel's normalised values are (x - centre) * scale + offset, where scale = 1 / sqrt(variance + eps) and
// offset = (centre - mean) * scale: the centre is the mean as T has it. All of them are given for each channel.

/// Of each channel, with its biased variance.
template <class T>
void batch_statistics(const BatchNormSize& size, const T* x, double eps, T* centre, T* scale, T* offset, T* variance);

/// y = ((x - centre) * scale + offset) * weight + bias; offset may be null, for 0, and so may weight and bias.
template <class T>
void normalize_batch(const BatchNormSize& size, const T* x, const T* centre, const T* scale, const T* offset,
                     const T* weight, const T* bias, T* y);

/// y = relu(the same + residual), which may be null, for 0.
template <class T>
void normalize_batch_relu(const BatchNormSize& size, const T* x, const T* centre, const T* scale, const T* offset,
                          const T* weight, const T* bias, const T* residual, T* y);

/// out = grad where y, which relu gave, is above 0, else 0.
template <class T>
void relu_gradient(std::int64_t count, const T* grad, const T* y, T* out);

// Where y is not null, the gradient below is that of y = relu(what batch norm gave): 0 where y is.

/// bias_grad[c] = sum of grad, weight_grad[c] = sum of grad * normalised; offset may be null, for 0.
template <class T>
void batch_norm_sums(const BatchNormSize& size, const T* grad, const T* y, const T* x, const T* centre, const T* scale,
                     const T* offset, T* bias_grad, T* weight_grad);

/// Gradient of x when the statistics came from the batch, with B and W the sums of weight * bias_grad and
/// weight * weight_grad over the channels that share them: scale * (weight * grad - (B + normalised * W) / values).
template <class T>
void batch_norm_input_grad(const BatchNormSize& size, const T* grad, const T* y, const T* x, const T* centre,
                           const T* scale, const T* offset, const T* weight, const T* bias_grad, const T* weight_grad,
                           T* x_grad);

}  // namespace xgrad::detail
