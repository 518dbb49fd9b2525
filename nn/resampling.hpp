#pragma once
// Images in another size, channels as places, and windows as columns, as layers: see ops/interpolate.hpp,
// ops/pixel_shuffle.hpp and ops/unfold.hpp.

#include "../ops/interpolate.hpp"
#include "../ops/pixel_shuffle.hpp"
#include "../ops/unfold.hpp"
#include "module.hpp"

namespace xgrad::nn {

/// interpolate: nn::Upsample({.scale_factor = 2, .mode = InterpolateMode::bilinear}).
struct Upsample {
  explicit Upsample(const InterpolateOptions& how) : options(how) {}
  Tensor operator()(Operand x) const { return interpolate(*x, options); }
  auto fields() { return xgrad::fields("mode", options.mode); }

  InterpolateOptions options;
};

struct PixelShuffle {
  explicit PixelShuffle(std::int64_t factor) : upscale_factor(factor) {}
  Tensor operator()(Operand x) const { return pixel_shuffle(*x, upscale_factor); }
  auto fields() { return xgrad::fields("upscale_factor", upscale_factor); }

  std::int64_t upscale_factor;
};

struct PixelUnshuffle {
  explicit PixelUnshuffle(std::int64_t factor) : downscale_factor(factor) {}
  Tensor operator()(Operand x) const { return pixel_unshuffle(*x, downscale_factor); }
  auto fields() { return xgrad::fields("downscale_factor", downscale_factor); }

  std::int64_t downscale_factor;
};

struct ChannelShuffle {
  explicit ChannelShuffle(std::int64_t count) : groups(count) {}
  Tensor operator()(Operand x) const { return channel_shuffle(*x, groups); }
  auto fields() { return xgrad::fields("groups", groups); }

  std::int64_t groups;
};

/// nn::Unfold(3, {.padding = 1}).
struct Unfold {
  explicit Unfold(const Shape& kernel, const UnfoldOptions& how = {}) : kernel_size(kernel), options(how) {}
  Tensor operator()(Operand x) const { return unfold(*x, kernel_size, options); }
  auto fields() { return xgrad::fields("kernel_size", kernel_size); }

  Shape kernel_size;
  UnfoldOptions options;
};

/// nn::Fold({28, 28}, 3, {.padding = 1}).
struct Fold {
  Fold(const Shape& size, const Shape& kernel, const UnfoldOptions& how = {})
      : output_size(size), kernel_size(kernel), options(how) {}
  Tensor operator()(Operand x) const { return fold(*x, output_size, kernel_size, options); }
  auto fields() { return xgrad::fields("output_size", output_size, "kernel_size", kernel_size); }

  Shape output_size, kernel_size;
  UnfoldOptions options;
};

}  // namespace xgrad::nn
