#pragma once
// Convolution of each channel by itself, over dense memory of shape (batch, extents..., channels).

#include "patches.hpp"

namespace xgrad::detail {

struct DepthwiseSize {
  std::int64_t batch, channels;
  Extents read, written, kernel;
  const Window& window;  // from places that are written to those that are read
};

/// At each output and channel the sum over taps of x * weight, plus bias, which may be null. weight is (channels,
/// kernel...).
template <class T>
void depthwise(const DepthwiseSize& size, const T* x, const T* weight, const T* bias, T* y);

/// Gradient of weight, for that of y.
template <class T>
void depthwise_weight_grad(const DepthwiseSize& size, const T* x, const T* grad, T* weight_grad);

}  // namespace xgrad::detail
