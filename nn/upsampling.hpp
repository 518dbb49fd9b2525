#pragma once
// Images enlarged, by PyTorch's older names: see Upsample in nn/resampling.hpp.

#include "resampling.hpp"

namespace xgrad::nn {

/// What an UpsamplingNearest2d or UpsamplingBilinear2d is given: either the size (H, W) of the result, one number for
/// both, or what the sizes are multiplied by.
struct UpsamplingOptions {
  Shape size = {};
  ScaleFactor scale_factor = {};
};

/// Of (N, C, H, W), each pixel repeated: nn::UpsamplingNearest2d({.scale_factor = 2}). Throws Error as interpolate.
struct UpsamplingNearest2d : Upsample {
  explicit UpsamplingNearest2d(const UpsamplingOptions& how)
      : Upsample({.size = how.size, .scale_factor = how.scale_factor, .mode = InterpolateMode::nearest}) {}
};

/// Of (N, C, H, W), linear along both axes between the corners, which keep their values (align_corners):
/// nn::UpsamplingBilinear2d({.size = {64, 64}}). Throws Error as interpolate.
struct UpsamplingBilinear2d : Upsample {
  explicit UpsamplingBilinear2d(const UpsamplingOptions& how)
      : Upsample({.size = how.size,
                  .scale_factor = how.scale_factor,
                  .mode = InterpolateMode::bilinear,
                  .align_corners = true}) {}
};

}  // namespace xgrad::nn
