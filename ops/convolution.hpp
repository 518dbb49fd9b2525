#pragma once
// Convolution over one, two or three spatial axes.
//
// x is (N, C, L), (N, C, H, W) or (N, C, D, H, W), or the same without N, for one example. In memory results have the
// channels innermost: the order (N, ..., C), which convolution reads as it lies; an x in another order is copied to it
// first, unless it has one channel. Options give a number for all spatial axes, or one for each. Operands are float32
// or float64; of both, the result is float64. An empty batch gives an empty result.
//
// Each function throws Error for channels, groups or a bias that do not fit, a stride or dilation below 1, a negative
// padding, and a kernel that is larger than the padded input. Results are the same, bit for bit, for any number of
// threads.

#include "../autograd/operand.hpp"
#include "window.hpp"

namespace xgrad {

struct ConvOptions {
  Shape stride = 1;
  Padding padding = 0;  // zeros on both sides of each axis; "same": as many as keep its size (stride 1); "valid": none
  Shape dilation = 1;   // distance between the taps of the kernel
  std::int64_t groups = 1;  // the channels are cut into so many groups, of which each gives as many of the outputs
};

/// The sum over taps k and input channels c of x[n, c, stride * i + dilation * k - padding] * weight[o, c, k], plus
/// bias[o] where defined, for weight (O, C / groups, kernel...); (N, O, ...). Along each axis the size is
///   floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.
/// "same" pads by dilation * (kernel - 1) in all, the odd one at the end.
Tensor conv1d(Operand x, Operand weight, const Tensor& bias = {}, const ConvOptions& options = {});
Tensor conv2d(Operand x, Operand weight, const Tensor& bias = {}, const ConvOptions& options = {});
Tensor conv3d(Operand x, Operand weight, const Tensor& bias = {}, const ConvOptions& options = {});

struct ConvTransposeOptions {
  Shape stride = 1;
  Shape padding = 0;         // of the convolution whose gradient this is: takes that much from each side of the result
  Shape output_padding = 0;  // added to the size of the result, at the end; less than stride or dilation
  std::int64_t groups = 1;
  Shape dilation = 1;
};

/// The transposed convolution: what convN's gradient with respect to its input is of that of its output, for weight (C,
/// O / groups, kernel...), plus bias (O,) where defined; (N, O, ...). Along each axis the size is
///   (size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
Tensor conv_transpose1d(Operand x, Operand weight, const Tensor& bias = {}, const ConvTransposeOptions& options = {});
Tensor conv_transpose2d(Operand x, Operand weight, const Tensor& bias = {}, const ConvTransposeOptions& options = {});
Tensor conv_transpose3d(Operand x, Operand weight, const Tensor& bias = {}, const ConvTransposeOptions& options = {});

}  // namespace xgrad
