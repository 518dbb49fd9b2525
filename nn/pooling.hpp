#pragma once
// Pooling as layers: see ops/pooling.hpp.

#include "../autograd/operand.hpp"
#include "../ops/pooling.hpp"
#include "module.hpp"

namespace xgrad::nn {

namespace detail {

/// A layer that slides a window: nn::MaxPool2d(2), nn::MaxPool2d({3, 2}, {.stride = 2}).
template <class Options>
struct WindowLayer {
  explicit WindowLayer(const Shape& kernel, const Options& how = {}) : kernel_size(kernel), options(how) {}
  auto fields() { return xgrad::fields("kernel_size", kernel_size); }

  Shape kernel_size;
  Options options;
};

/// A layer whose result has a given size along its spatial axes: nn::AdaptiveAvgPool2d(1).
struct AdaptiveLayer {
  explicit AdaptiveLayer(const Shape& size) : output_size(size) {}
  auto fields() { return xgrad::fields("output_size", output_size); }

  Shape output_size;
};

/// nn::LPPool2d(2, 3): norm_type and kernel_size.
struct LPLayer : WindowLayer<LPPoolOptions> {
  LPLayer(double p, const Shape& kernel, const LPPoolOptions& how = {}) : WindowLayer(kernel, how), norm_type(p) {}
  auto fields() { return xgrad::fields("norm_type", norm_type, "kernel_size", kernel_size); }

  double norm_type;
};

}  // namespace detail

struct MaxPool1d : detail::WindowLayer<MaxPoolOptions> {
  using WindowLayer::WindowLayer;
  Tensor operator()(Operand x) const { return max_pool1d(*x, kernel_size, options); }
};
struct MaxPool2d : detail::WindowLayer<MaxPoolOptions> {
  using WindowLayer::WindowLayer;
  Tensor operator()(Operand x) const { return max_pool2d(*x, kernel_size, options); }
};
struct MaxPool3d : detail::WindowLayer<MaxPoolOptions> {
  using WindowLayer::WindowLayer;
  Tensor operator()(Operand x) const { return max_pool3d(*x, kernel_size, options); }
};

struct AvgPool1d : detail::WindowLayer<AvgPoolOptions> {
  using WindowLayer::WindowLayer;
  Tensor operator()(Operand x) const { return avg_pool1d(*x, kernel_size, options); }
};
struct AvgPool2d : detail::WindowLayer<AvgPoolOptions> {
  using WindowLayer::WindowLayer;
  Tensor operator()(Operand x) const { return avg_pool2d(*x, kernel_size, options); }
};
struct AvgPool3d : detail::WindowLayer<AvgPoolOptions> {
  using WindowLayer::WindowLayer;
  Tensor operator()(Operand x) const { return avg_pool3d(*x, kernel_size, options); }
};

struct MaxUnpool1d : detail::WindowLayer<MaxUnpoolOptions> {
  using WindowLayer::WindowLayer;
  Tensor operator()(Operand x, const Tensor& indices) const { return max_unpool1d(*x, indices, kernel_size, options); }
};
struct MaxUnpool2d : detail::WindowLayer<MaxUnpoolOptions> {
  using WindowLayer::WindowLayer;
  Tensor operator()(Operand x, const Tensor& indices) const { return max_unpool2d(*x, indices, kernel_size, options); }
};
struct MaxUnpool3d : detail::WindowLayer<MaxUnpoolOptions> {
  using WindowLayer::WindowLayer;
  Tensor operator()(Operand x, const Tensor& indices) const { return max_unpool3d(*x, indices, kernel_size, options); }
};

struct AdaptiveAvgPool1d : detail::AdaptiveLayer {
  using AdaptiveLayer::AdaptiveLayer;
  Tensor operator()(Operand x) const { return adaptive_avg_pool1d(*x, output_size); }
};
struct AdaptiveAvgPool2d : detail::AdaptiveLayer {
  using AdaptiveLayer::AdaptiveLayer;
  Tensor operator()(Operand x) const { return adaptive_avg_pool2d(*x, output_size); }
};
struct AdaptiveAvgPool3d : detail::AdaptiveLayer {
  using AdaptiveLayer::AdaptiveLayer;
  Tensor operator()(Operand x) const { return adaptive_avg_pool3d(*x, output_size); }
};

struct AdaptiveMaxPool1d : detail::AdaptiveLayer {
  using AdaptiveLayer::AdaptiveLayer;
  Tensor operator()(Operand x) const { return adaptive_max_pool1d(*x, output_size); }
};
struct AdaptiveMaxPool2d : detail::AdaptiveLayer {
  using AdaptiveLayer::AdaptiveLayer;
  Tensor operator()(Operand x) const { return adaptive_max_pool2d(*x, output_size); }
};
struct AdaptiveMaxPool3d : detail::AdaptiveLayer {
  using AdaptiveLayer::AdaptiveLayer;
  Tensor operator()(Operand x) const { return adaptive_max_pool3d(*x, output_size); }
};

struct LPPool1d : detail::LPLayer {
  using LPLayer::LPLayer;
  Tensor operator()(Operand x) const { return lp_pool1d(*x, norm_type, kernel_size, options); }
};
struct LPPool2d : detail::LPLayer {
  using LPLayer::LPLayer;
  Tensor operator()(Operand x) const { return lp_pool2d(*x, norm_type, kernel_size, options); }
};
struct LPPool3d : detail::LPLayer {
  using LPLayer::LPLayer;
  Tensor operator()(Operand x) const { return lp_pool3d(*x, norm_type, kernel_size, options); }
};

}  // namespace xgrad::nn
