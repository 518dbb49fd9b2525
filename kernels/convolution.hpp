#pragma once
// Convolution and its two derivatives, each of which is linear in both of its operands. Memory is dense: inputs and
// outputs of shape (batch, extents..., channels), weights (groups * out, in, kernel...).
//
// Run in parallel; each element is summed up in an order that depends on sizes alone, so results are the same, bit for
// bit, for any number of threads.

#include <algorithm>

#include "../array/float16.hpp"
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

template <>
void convolution(const ConvolutionSize& size, const BFloat16* x, const BFloat16* weight, const BFloat16* bias,
                 BFloat16* y);
template <>
void convolution_input_grad(const ConvolutionSize& size, const BFloat16* grad, const BFloat16* weight,
                            const BFloat16* bias, BFloat16* x_grad);
template <>
void convolution_weight_grad(const ConvolutionSize& size, const BFloat16* x, const BFloat16* grad,
                             BFloat16* weight_grad);

/// Whether these functions take BFloat16 here, for convolutions with so many groups of so many channels: on processors
/// with matrix instructions, but for depthwise ones.
bool convolves_bfloat16(std::int64_t groups, std::int64_t in, std::int64_t out);

/// What each output reads: the window over the input that convolution slides.
Window forward_window(const ConvolutionSize& size);

/// Along one axis, the taps that inputs at first + i * stride have in the gradient of the output.
AxisTaps transposed_taps(const ConvolutionSize& size, std::size_t axis, std::int64_t first);

/// f(window over the gradient of the output) for each part of the input. Inputs whose places have the same rest by the
/// stride have the same taps: a convolution without stride for each.
template <class F>
void for_each_rest(const ConvolutionSize& size, const F& f) {
  for (std::int64_t d = 0; d < std::min(size.stride[0], size.input[0]); ++d)
    for (std::int64_t h = 0; h < std::min(size.stride[1], size.input[1]); ++h)
      for (std::int64_t w = 0; w < std::min(size.stride[2], size.input[2]); ++w)
        f(Window{{transposed_taps(size, 0, d), transposed_taps(size, 1, h), transposed_taps(size, 2, w)}});
}

}  // namespace xgrad::detail
