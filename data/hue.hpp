#pragma once
// Colours turned around the colour circle.

#include "../array/random.hpp"
#include "../autograd/tensor.hpp"

namespace xgrad::data {

/// An RGB image (..., 3, H, W) in [0, 1] with the hue of every pixel moved by `shift` turns of the colour circle.
/// Throws Error for other shapes, and for images that are not floating.
Tensor adjust_hue(const Tensor& image, double shift);

/// adjust_hue by a random part of a turn between -hue and hue, as `hue` of torchvision's ColorJitter does:
/// compose(ColorJitter({.brightness = 0.4}), RandomHue(0.1)).
class RandomHue {
 public:
  /// Throws Error unless 0 <= hue <= 0.5.
  explicit RandomHue(double hue);
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  double hue_;
};

}  // namespace xgrad::data
