#pragma once
// MobileNetV2 (Sandler et al., arXiv 1801.04381), with torchvision's names of parameters.

#include <xgrad/xgrad.hpp>

namespace models {

/// Convolution, batch norm, ReLU6.
inline xgrad::nn::Sequential convolution_norm_relu6(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                                    std::int64_t stride, std::int64_t groups = 1) {
  namespace nn = xgrad::nn;
  return nn::Sequential(
      nn::Conv2d(in, out, kernel, {.stride = stride, .padding = (kernel - 1) / 2, .groups = groups, .bias = false}),
      nn::BatchNorm2d(out), nn::ReLU6());
}

/// Expands the channels, convolves each by itself, and projects to few channels again.
struct InvertedResidual {
  xgrad::nn::Sequential conv;
  bool has_shortcut;

  static InvertedResidual make(std::int64_t in, std::int64_t out, std::int64_t stride, std::int64_t expansion) {
    namespace nn = xgrad::nn;
    const std::int64_t width = in * expansion;
    nn::Sequential conv;
    if (expansion != 1) conv.add(convolution_norm_relu6(in, width, 1, 1));
    conv.add(convolution_norm_relu6(width, width, 3, stride, width));
    conv.add(nn::Conv2d(width, out, 1, {.bias = false}));
    conv.add(nn::BatchNorm2d(out));
    return {std::move(conv), stride == 1 && in == out};
  }
  xgrad::Tensor operator()(const xgrad::Tensor& x) {
    const xgrad::Tensor h = conv(x);
    return has_shortcut ? x + h : h;
  }
};

/// (N, 3, H, W) to logits (N, classes); made for images of 224 x 224.
struct MobileNetV2 {
  xgrad::nn::Sequential features, classifier;

  xgrad::Tensor operator()(const xgrad::Tensor& image) { return classifier(mean(features(image), {2, 3})); }
};

inline MobileNetV2 mobilenet_v2(std::int64_t classes = 1000) {
  namespace nn = xgrad::nn;
  struct Stage {
    std::int64_t expansion, channels, blocks, stride;
  };
  MobileNetV2 net;
  net.features.add(convolution_norm_relu6(3, 32, 3, 2));
  std::int64_t in = 32;
  for (const Stage& stage : {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 2}, Stage{6, 32, 3, 2}, Stage{6, 64, 4, 2},
                             Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2}, Stage{6, 320, 1, 1}})
    for (std::int64_t i = 0; i < stage.blocks; ++i, in = stage.channels)
      net.features.add(InvertedResidual::make(in, stage.channels, i == 0 ? stage.stride : 1, stage.expansion));
  net.features.add(convolution_norm_relu6(in, 1280, 1, 1));
  net.classifier.add(nn::Dropout(0.2), nn::Linear(1280, classes));
  return net;
}

}  // namespace models
