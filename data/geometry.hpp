#pragma once
// Images moved, turned and in another size: functions for map() and compose() as those of data/transforms.hpp, of one
// image (C, H, W), or of several with more axes before these, which share what is drawn. uint8 images are computed in
// float32 and rounded.

#include <array>

#include "../array/random.hpp"
#include "../ops/grid_sample.hpp"
#include "../ops/interpolate.hpp"

namespace xgrad::data {

struct ResizeOptions {
  InterpolateMode mode = InterpolateMode::bilinear;  // or bicubic, nearest, nearest_exact, area
  bool antialias = true;                             // of bilinear and bicubic
};

/// To size (H, W), or, given one number, such that the shorter side has it and the picture keeps its proportions.
class Resize {
 public:
  explicit Resize(const Shape& size, const ResizeOptions& options = {});
  Tensor operator()(const Tensor& image) const;

 private:
  Shape size_;
  ResizeOptions options_;
};

/// Between two numbers; of one number r, between -r and r.
struct Range {
  Range(double symmetric) : low(-symmetric), high(symmetric) {}
  Range(double from, double to) : low(from), high(to) {}
  double low, high;
};

struct RandomRotationOptions {
  GridSampleMode mode = GridSampleMode::bilinear;
  double fill = 0;  // of what comes from outside
};

/// Turned around the centre by a random angle in degrees, counter-clockwise, at the same size.
class RandomRotation {
 public:
  /// Throws Error for a range that is not finite or ends before it begins.
  explicit RandomRotation(const Range& degrees, const RandomRotationOptions& options = {});
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  Range degrees_;
  RandomRotationOptions options_;
};

struct RandomAffineOptions {
  Range degrees = 0;                         // clockwise
  std::array<double, 2> translate = {0, 0};  // moved by at most these parts of width and height, by whole pixels
  std::array<double, 2> scale = {1, 1};      // between these
  Range shear_x = 0, shear_y = 0;            // degrees
  GridSampleMode mode = GridSampleMode::bilinear;
  double fill = 0;
};

/// Turned around the centre, moved, scaled and sheared at random, at the same size, as torchvision's RandomAffine.
class RandomAffine {
 public:
  /// Throws Error for ranges that are not finite or end before they begin, a translation outside 0 to 1, and a scale
  /// that is not positive.
  explicit RandomAffine(const RandomAffineOptions& options);
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  RandomAffineOptions options_;
};

}  // namespace xgrad::data
