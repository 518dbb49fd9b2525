#pragma once
// Convolution and its two derivatives, each of which is linear in both of its operands. Memory is dense: inputs and
// outputs of shape (batch, extents..., channels), weights (groups * out, in, kernel...).
//
// Run in parallel; each element is summed up in an order that depends on sizes alone, so results are the same, bit for
// bit, for any number of threads.

#include "patches.hpp"

namespace xgrad::detail {

struct ConvolutionSize {
  std::int64_t batch, groups, in, out;  // channels of a group
  Extents input, kernel, stride, padding, dilation,
      output;  // padding: zeros before the input; after it as many as needed

  std::int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  std::int64_t outputs() const { return output[0] * output[1] * output[2]; }  // of an image

  /// Whether it is a matrix product of the channels of each place.
  bool is_pointwise() const;
  /// Whether each channel has a convolution of its own.
  bool is_depthwise() const { return groups > 1 && in == 1 && out == 1; }
};

/// y: at each output the sum over taps and input channels of x * weight, plus bias, which may be null.
template <class T>
void convolution(const ConvolutionSize& size, const T* x, const T* weight, const T* bias, T* y);

/// Gradient of x, for that of y: the transposed convolution. Plus bias, of groups * in numbers, which may be null.
template <class T>
void convolution_input_grad(const ConvolutionSize& size, const T* grad, const T* weight, const T* bias, T* x_grad);

/// Gradient of weight.
template <class T>
void convolution_weight_grad(const ConvolutionSize& size, const T* x, const T* grad, T* weight_grad);

/// What each output reads: the window over the input that convolution slides.
Window forward_window(const ConvolutionSize& size);

}  // namespace xgrad::detail
