#pragma once
// VGG-11 with batch norm (Simonyan and Zisserman, arXiv 1409.1556), with torchvision's names of parameters.

#include <xgrad/xgrad.hpp>

namespace models {

/// (N, 3, H, W) to logits (N, classes); made for images of 224 x 224.
struct VGG {
  xgrad::nn::Sequential features;
  xgrad::nn::AdaptiveAvgPool2d avgpool{7};
  xgrad::nn::Sequential classifier;

  xgrad::Tensor operator()(const xgrad::Tensor& image) { return classifier(flatten(avgpool(features(image)), 1)); }
};

inline VGG vgg11_bn(std::int64_t classes = 1000) {
  namespace nn = xgrad::nn;
  constexpr std::int64_t pool = 0;
  VGG net;
  std::int64_t in = 3;
  for (const std::int64_t out : {64L, pool, 128L, pool, 256L, 256L, pool, 512L, 512L, pool, 512L, 512L, pool}) {
    if (out == pool) {
      net.features.add(nn::MaxPool2d(2));
      continue;
    }
    net.features.add(nn::Conv2d(in, out, 3, {.padding = 1}), nn::BatchNorm2d(out), nn::ReLU());
    in = out;
  }
  net.classifier.add(nn::Linear(512 * 7 * 7, 4096), nn::ReLU(), nn::Dropout(0.5), nn::Linear(4096, 4096), nn::ReLU(),
                     nn::Dropout(0.5), nn::Linear(4096, classes));
  return net;
}

}  // namespace models
