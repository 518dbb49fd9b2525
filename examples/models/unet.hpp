#pragma once
// U-Net (Ronneberger et al., arXiv 1505.04597), with padding and batch norm.

#include <xgrad/xgrad.hpp>

#include <vector>

namespace models {

/// (N, channels, H, W) to logits (N, classes, H, W); sizes that 2^depth divides.
struct UNet {
  std::vector<xgrad::nn::Sequential> down;     // at each resolution, from the highest
  std::vector<xgrad::nn::ConvTranspose2d> up;  // to each resolution again, from the lowest
  std::vector<xgrad::nn::Sequential> merge;    // what was and what came up
  xgrad::nn::Conv2d out;

  static UNet make(std::int64_t channels, std::int64_t classes, std::int64_t width = 64, std::int64_t depth = 4) {
    namespace nn = xgrad::nn;
    const auto twice = [](std::int64_t in, std::int64_t to) {
      return nn::Sequential(nn::Conv2d(in, to, 3, {.padding = 1, .bias = false}), nn::BatchNorm2d(to), nn::ReLU(),
                            nn::Conv2d(to, to, 3, {.padding = 1, .bias = false}), nn::BatchNorm2d(to), nn::ReLU());
    };
    UNet net{{}, {}, {}, nn::Conv2d(width, classes, 1)};
    for (std::int64_t level = 0; level <= depth; ++level)
      net.down.push_back(twice(level == 0 ? channels : width << (level - 1), width << level));
    for (std::int64_t level = depth; level-- > 0;) {
      net.up.emplace_back(width << (level + 1), width << level, 2, nn::ConvTransposeLayerOptions{.stride = 2});
      net.merge.push_back(twice(width << (level + 1), width << level));
    }
    return net;
  }
  xgrad::Tensor operator()(const xgrad::Tensor& image) {
    std::vector<xgrad::Tensor> levels{down[0](image)};
    for (std::size_t level = 1; level < down.size(); ++level)
      levels.push_back(down[level](max_pool2d(levels.back(), 2)));
    xgrad::Tensor h = levels.back();
    for (std::size_t i = 0; i < up.size(); ++i) h = merge[i](xgrad::concat({levels[up.size() - 1 - i], up[i](h)}, 1));
    return out(h);
  }
};

}  // namespace models
