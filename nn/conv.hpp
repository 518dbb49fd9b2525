#pragma once
// Convolution as layers.

#include "../autograd/operand.hpp"
#include "../ops/convolution.hpp"
#include "../ops/pad.hpp"
#include "module.hpp"

namespace xgrad::nn {

struct ConvLayerOptions {
  Shape stride = 1;
  Padding padding = 0;  // a number, one for each spatial axis, "same" or "valid"
  Shape dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  // what the padding is made of: zeros, or elements of the input
  DType dtype = float32;
};

/// What Conv1d, Conv2d and Conv3d share. weight (out, in / groups, kernel...) and bias (out,) begin uniform in
/// [-1/sqrt(f), 1/sqrt(f)) with f = in / groups * kernel elements, as PyTorch's do.
struct Conv {
  auto fields() { return xgrad::fields("weight", parameter(weight), "bias", parameter(bias)); }

  Tensor weight, bias;  // bias is undefined without one
  ConvOptions options;  // as conv1d, conv2d and conv3d take them
  PadMode padding_mode;

 protected:
  Conv(const char* name, std::size_t rank, std::int64_t in_channels, std::int64_t out_channels,
       const Shape& kernel_size, const ConvLayerOptions& options);
  template <class F>
  Tensor apply_to(const Tensor& x, const F& conv) const;
};

/// conv1d of (N, C, L). Throws Error for a negative size, channels that groups do not divide, and numbers out of range.
struct Conv1d : Conv {
  Conv1d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
         const ConvLayerOptions& options = {});
  Tensor operator()(Operand x) const;
};

/// conv2d of images, (N, C, H, W): `nn::Conv2d conv{3, 64, 7, {.stride = 2, .padding = 3}}`, `nn::Conv2d(1, 8, {3,
/// 5})`.
struct Conv2d : Conv {
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
         const ConvLayerOptions& options = {});
  Tensor operator()(Operand x) const;
};

/// conv3d of (N, C, D, H, W).
struct Conv3d : Conv {
  Conv3d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
         const ConvLayerOptions& options = {});
  Tensor operator()(Operand x) const;
};

struct ConvTransposeLayerOptions {
  Shape stride = 1;
  Shape padding = 0;
  Shape output_padding = 0;
  std::int64_t groups = 1;
  bool bias = true;
  Shape dilation = 1;
  DType dtype = float32;
};

/// What ConvTranspose1d, ConvTranspose2d and ConvTranspose3d share. weight (in, out / groups, kernel...) and bias
/// (out,) begin uniform in [-1/sqrt(f), 1/sqrt(f)) with f = out / groups * kernel elements, as PyTorch's do.
struct ConvTranspose {
  auto fields() { return xgrad::fields("weight", parameter(weight), "bias", parameter(bias)); }

  Tensor weight, bias;  // bias is undefined without one
  ConvTransposeOptions options;

 protected:
  ConvTranspose(const char* name, std::size_t rank, std::int64_t in_channels, std::int64_t out_channels,
                const Shape& kernel_size, const ConvTransposeLayerOptions& options);
};

/// conv_transpose1d of (N, C, L). Throws Error as Conv1d.
struct ConvTranspose1d : ConvTranspose {
  ConvTranspose1d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
                  const ConvTransposeLayerOptions& options = {});
  Tensor operator()(Operand x) const;
};

/// conv_transpose2d of images, (N, C, H, W).
struct ConvTranspose2d : ConvTranspose {
  ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
                  const ConvTransposeLayerOptions& options = {});
  Tensor operator()(Operand x) const;
};

/// conv_transpose3d of (N, C, D, H, W).
struct ConvTranspose3d : ConvTranspose {
  ConvTranspose3d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
                  const ConvTransposeLayerOptions& options = {});
  Tensor operator()(Operand x) const;
};

}  // namespace xgrad::nn
