#include "conv.hpp"

#include <cmath>

#include "../autograd/create.hpp"
#include "init.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

namespace {

void check_sizes(const char* name, std::int64_t in_channels, std::int64_t out_channels, std::int64_t groups) {
  check(in_channels >= 1 && out_channels >= 1, name, ": ", in_channels, " to ", out_channels,
        " channels; there must be at least one of each");
  check(groups >= 1 && in_channels % groups == 0 && out_channels % groups == 0, name, ": groups is ", groups,
        "; it must divide both in_channels ", in_channels, " and out_channels ", out_channels);
}

/// (first, second, kernel...) uniform within 1 / sqrt(second * kernel elements).
Tensor initial_weight(std::int64_t first, std::int64_t second, const Shape& kernel, DType dtype) {
  Shape shape{first, second};
  for (const std::int64_t size : kernel) shape.push_back(size);
  Tensor weight = empty(shape, {.dtype = dtype, .requires_grad = true});
  return init::kaiming_uniform_(weight, {.negative_slope = std::sqrt(5.0)});
}

Tensor initial_bias(std::int64_t size, const Tensor& weight) {
  const double bound = 1 / std::sqrt(static_cast<double>(weight.numel() / weight.size(0)));
  Tensor bias = empty({size}, {.dtype = weight.dtype(), .requires_grad = true});
  return init::uniform_(bias, -bound, bound);
}

}  // namespace

Conv::Conv(const char* name, std::size_t rank, std::int64_t in_channels, std::int64_t out_channels,
           const Shape& kernel_size, const ConvLayerOptions& layer)
    : options{.stride = xgrad::detail::per_axis(name, "stride", layer.stride, rank, 1),
              .padding = layer.padding,
              .dilation = xgrad::detail::per_axis(name, "dilation", layer.dilation, rank, 1),
              .groups = layer.groups},
      padding_mode(layer.padding_mode) {
  check_sizes(name, in_channels, out_channels, layer.groups);
  const Shape kernel = xgrad::detail::per_axis(name, "kernel_size", kernel_size, rank, 1);
  xgrad::detail::padded_sides(name, options.padding, kernel, options.stride, options.dilation);
  weight = initial_weight(out_channels, in_channels / layer.groups, kernel, layer.dtype);
  if (layer.bias) bias = initial_bias(out_channels, weight);
}

template <class F>
Tensor Conv::apply_to(const Tensor& x, const F& conv) const {
  return detail::locate(weight, [&] {
    if (padding_mode == PadMode::constant) return conv(x, weight, bias, options);
    const Shape kernel(weight.shape().begin() + 2, weight.dim() - 2);
    const auto [before, after] =
        xgrad::detail::padded_sides("padding", options.padding, kernel, options.stride, options.dilation);
    Shape sizes;
    for (std::size_t axis = kernel.size(); axis-- > 0;) sizes.push_back(before[axis]), sizes.push_back(after[axis]);
    ConvOptions unpadded = options;
    unpadded.padding = 0;
    return conv(pad(x, sizes, {.mode = padding_mode}), weight, bias, unpadded);
  });
}

Conv1d::Conv1d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
               const ConvLayerOptions& layer)
    : Conv("Conv1d", 1, in_channels, out_channels, kernel_size, layer) {}
Tensor Conv1d::operator()(Operand x) const {
  return apply_to(x, [](const auto&... arguments) { return conv1d(arguments...); });
}

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
               const ConvLayerOptions& layer)
    : Conv("Conv2d", 2, in_channels, out_channels, kernel_size, layer) {}
Tensor Conv2d::operator()(Operand x) const {
  return apply_to(x, [](const auto&... arguments) { return conv2d(arguments...); });
}

Conv3d::Conv3d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
               const ConvLayerOptions& layer)
    : Conv("Conv3d", 3, in_channels, out_channels, kernel_size, layer) {}
Tensor Conv3d::operator()(Operand x) const {
  return apply_to(x, [](const auto&... arguments) { return conv3d(arguments...); });
}

ConvTranspose::ConvTranspose(const char* name, std::size_t rank, std::int64_t in_channels, std::int64_t out_channels,
                             const Shape& kernel_size, const ConvTransposeLayerOptions& layer)
    : options{.stride = xgrad::detail::per_axis(name, "stride", layer.stride, rank, 1),
              .padding = xgrad::detail::per_axis(name, "padding", layer.padding, rank, 0),
              .output_padding = xgrad::detail::per_axis(name, "output_padding", layer.output_padding, rank, 0),
              .groups = layer.groups,
              .dilation = xgrad::detail::per_axis(name, "dilation", layer.dilation, rank, 1)} {
  check_sizes(name, in_channels, out_channels, layer.groups);
  weight = initial_weight(in_channels, out_channels / layer.groups,
                          xgrad::detail::per_axis(name, "kernel_size", kernel_size, rank, 1), layer.dtype);
  if (layer.bias) bias = initial_bias(out_channels, weight);
}

ConvTranspose1d::ConvTranspose1d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
                                 const ConvTransposeLayerOptions& layer)
    : ConvTranspose("ConvTranspose1d", 1, in_channels, out_channels, kernel_size, layer) {}
Tensor ConvTranspose1d::operator()(Operand x) const {
  return detail::locate(weight, [&] { return conv_transpose1d(*x, weight, bias, options); });
}

ConvTranspose2d::ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
                                 const ConvTransposeLayerOptions& layer)
    : ConvTranspose("ConvTranspose2d", 2, in_channels, out_channels, kernel_size, layer) {}
Tensor ConvTranspose2d::operator()(Operand x) const {
  return detail::locate(weight, [&] { return conv_transpose2d(*x, weight, bias, options); });
}

ConvTranspose3d::ConvTranspose3d(std::int64_t in_channels, std::int64_t out_channels, const Shape& kernel_size,
                                 const ConvTransposeLayerOptions& layer)
    : ConvTranspose("ConvTranspose3d", 3, in_channels, out_channels, kernel_size, layer) {}
Tensor ConvTranspose3d::operator()(Operand x) const {
  return detail::locate(weight, [&] { return conv_transpose3d(*x, weight, bias, options); });
}

}  // namespace xgrad::nn
