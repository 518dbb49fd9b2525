#pragma once
// Residual networks (He et al., arXiv 1512.03385). Those for large images have torchvision's names of parameters, so
// that its weights load.

#include <xgrad/xgrad.hpp>

#include <array>
#include <optional>
#include <vector>

namespace models {

/// What brings the input of a block to the size of its output; none where it has it.
inline std::optional<xgrad::nn::Sequential> shortcut(std::int64_t in, std::int64_t out, std::int64_t stride) {
  if (in == out && stride == 1) return {};
  return xgrad::nn::Sequential(xgrad::nn::Conv2d(in, out, 1, {.stride = stride, .bias = false}),
                               xgrad::nn::BatchNorm2d(out));
}

/// Two 3x3 convolutions, around which the input passes.
struct BasicBlock {
  static constexpr std::int64_t expansion = 1;
  xgrad::nn::Conv2d conv1;
  xgrad::nn::BatchNorm2d bn1;
  xgrad::nn::Conv2d conv2;
  xgrad::nn::BatchNorm2d bn2;
  std::optional<xgrad::nn::Sequential> downsample;

  static BasicBlock make(std::int64_t in, std::int64_t width, std::int64_t stride) {
    return {.conv1{in, width, 3, {.stride = stride, .padding = 1, .bias = false}},
            .bn1 = xgrad::nn::BatchNorm2d(width),
            .conv2{width, width, 3, {.padding = 1, .bias = false}},
            .bn2 = xgrad::nn::BatchNorm2d(width),
            .downsample = shortcut(in, width, stride)};
  }
  xgrad::Tensor operator()(const xgrad::Tensor& x) {
    return bn2.relu(conv2(bn1.relu(conv1(x))), downsample ? (*downsample)(x) : x);
  }
};

/// A 3x3 convolution between two 1x1 ones, the last of which has four times the channels.
struct Bottleneck {
  static constexpr std::int64_t expansion = 4;
  xgrad::nn::Conv2d conv1;
  xgrad::nn::BatchNorm2d bn1;
  xgrad::nn::Conv2d conv2;
  xgrad::nn::BatchNorm2d bn2;
  xgrad::nn::Conv2d conv3;
  xgrad::nn::BatchNorm2d bn3;
  std::optional<xgrad::nn::Sequential> downsample;

  static Bottleneck make(std::int64_t in, std::int64_t width, std::int64_t stride) {
    return {.conv1{in, width, 1, {.bias = false}},
            .bn1 = xgrad::nn::BatchNorm2d(width),
            .conv2{width, width, 3, {.stride = stride, .padding = 1, .bias = false}},
            .bn2 = xgrad::nn::BatchNorm2d(width),
            .conv3{width, expansion * width, 1, {.bias = false}},
            .bn3 = xgrad::nn::BatchNorm2d(expansion * width),
            .downsample = shortcut(in, expansion * width, stride)};
  }
  xgrad::Tensor operator()(const xgrad::Tensor& x) {
    return bn3.relu(conv3(bn2.relu(conv2(bn1.relu(conv1(x))))), downsample ? (*downsample)(x) : x);
  }
};

/// `blocks` blocks from `in` channels on, of which the first has the stride.
template <class Block>
std::vector<Block> stage(std::int64_t in, std::int64_t width, std::int64_t blocks, std::int64_t stride) {
  std::vector<Block> all;
  for (std::int64_t i = 0; i < blocks; ++i)
    all.push_back(Block::make(i == 0 ? in : Block::expansion * width, width, i == 0 ? stride : 1));
  return all;
}

template <class Block>
xgrad::Tensor through(std::vector<Block>& blocks, xgrad::Tensor x) {
  for (Block& block : blocks) x = block(x);
  return x;
}

/// (N, 3, H, W) to logits (N, classes); made for images of 224 x 224.
template <class Block>
struct ResNet {
  xgrad::nn::Conv2d conv1;
  xgrad::nn::BatchNorm2d bn1;
  std::vector<Block> layer1, layer2, layer3, layer4;
  xgrad::nn::Linear fc;

  static ResNet make(const std::array<std::int64_t, 4>& blocks, std::int64_t classes) {
    constexpr std::int64_t e = Block::expansion;
    return {.conv1{3, 64, 7, {.stride = 2, .padding = 3, .bias = false}},
            .bn1 = xgrad::nn::BatchNorm2d(64),
            .layer1 = stage<Block>(64, 64, blocks[0], 1),
            .layer2 = stage<Block>(64 * e, 128, blocks[1], 2),
            .layer3 = stage<Block>(128 * e, 256, blocks[2], 2),
            .layer4 = stage<Block>(256 * e, 512, blocks[3], 2),
            .fc{512 * e, classes}};
  }
  xgrad::Tensor operator()(const xgrad::Tensor& image) {
    xgrad::Tensor h = max_pool2d(bn1.relu(conv1(image)), 3, {.stride = 2, .padding = 1});
    h = through(layer4, through(layer3, through(layer2, through(layer1, h))));
    return fc(mean(h, {2, 3}));
  }
};

inline ResNet<BasicBlock> resnet18(std::int64_t classes = 1000) {
  return ResNet<BasicBlock>::make({2, 2, 2, 2}, classes);
}
inline ResNet<BasicBlock> resnet34(std::int64_t classes = 1000) {
  return ResNet<BasicBlock>::make({3, 4, 6, 3}, classes);
}
inline ResNet<Bottleneck> resnet50(std::int64_t classes = 1000) {
  return ResNet<Bottleneck>::make({3, 4, 6, 3}, classes);
}

/// The network of section 4.2 of the paper, for images of about 32 x 32: three stages, of 16, 32 and 64 channels, of
/// `blocks` blocks each, 6 blocks + 2 layers in all.
struct SmallResNet {
  xgrad::nn::Conv2d conv1;
  xgrad::nn::BatchNorm2d bn1;
  std::vector<BasicBlock> layer1, layer2, layer3;
  xgrad::nn::Linear fc;

  static SmallResNet make(std::int64_t channels, std::int64_t blocks, std::int64_t classes) {
    return {.conv1{channels, 16, 3, {.padding = 1, .bias = false}},
            .bn1 = xgrad::nn::BatchNorm2d(16),
            .layer1 = stage<BasicBlock>(16, 16, blocks, 1),
            .layer2 = stage<BasicBlock>(16, 32, blocks, 2),
            .layer3 = stage<BasicBlock>(32, 64, blocks, 2),
            .fc{64, classes}};
  }
  xgrad::Tensor operator()(const xgrad::Tensor& image) {
    const xgrad::Tensor h = bn1.relu(conv1(image));
    return fc(mean(through(layer3, through(layer2, through(layer1, h))), {2, 3}));
  }
};

inline SmallResNet resnet20(std::int64_t channels = 3, std::int64_t classes = 10) {
  return SmallResNet::make(channels, 3, classes);
}

}  // namespace models
