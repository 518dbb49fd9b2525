#pragma once
// A random part of an image in a given size: what networks for large images are trained on.

#include <array>

#include "geometry.hpp"

namespace xgrad::data {

struct RandomResizedCropOptions {
  std::array<double, 2> scale = {0.08, 1};           // of the area: between these
  std::array<double, 2> ratio = {3. / 4, 4. / 3};    // width by height: between these, uniform in the logarithm
  InterpolateMode mode = InterpolateMode::bilinear;  // or bicubic, nearest, nearest_exact, area
  bool antialias = true;                             // of bilinear and bicubic
};

/// A rectangle of random area, proportions and place (Szegedy et al., arXiv 1409.4842) in size (H, W), or H = W given
/// by one number, as torchvision's. Of one that does not fit in ten tries, the largest in the middle whose proportions
/// lie in `ratio` is taken.
class RandomResizedCrop {
 public:
  /// Throws Error for a size that is not positive, a scale outside 0 to 1, and a ratio that is not positive and finite.
  explicit RandomResizedCrop(const Shape& size, const RandomResizedCropOptions& options = {});
  /// Of an image (C, H, W), or of several, as the transforms of data/geometry.hpp. Throws Error for one without pixels.
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  Resize resize_;
  RandomResizedCropOptions options_;
};

}  // namespace xgrad::data
