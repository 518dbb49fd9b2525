#pragma once
// What is done to images before a network sees them: functions for map() and compose(), of one image (C, H, W), or of
// several with more axes before these, which share what is drawn.

#include <array>
#include <vector>

#include "../array/random.hpp"
#include "../autograd/tensor.hpp"

namespace xgrad::data {

/// To float32; integers 0 to 255 to [0, 1].
struct ToFloat {
  Tensor operator()(const Tensor& image) const;
};

/// (x - mean) / std, with a number for each channel, or one for all.
class Normalize {
 public:
  /// Throws Error for a std that is not positive, and where there are not as many of both.
  Normalize(std::vector<double> mean, std::vector<double> std);
  Tensor operator()(const Tensor& image) const;

 private:
  std::vector<double> mean_, std_;
};

struct FillOptions {
  double fill = 0;  // the elements around the image
};

/// `padding` pixels more on each side.
class Pad {
 public:
  explicit Pad(std::int64_t padding, const FillOptions& options = {});
  Tensor operator()(const Tensor& image) const;

 private:
  std::int64_t padding_;
  double fill_;
};

/// The middle, of size (H, W), or H = W given by one number; padded where the image is smaller.
class CenterCrop {
 public:
  explicit CenterCrop(const Shape& size, const FillOptions& options = {});
  Tensor operator()(const Tensor& image) const;

 private:
  Shape size_;
  double fill_;
};

struct RandomCropOptions {
  std::int64_t padding = 0;  // pixels on each side, before
  double fill = 0;
};
/// A part of size (H, W), or H = W given by one number, at a random place of the padded image.
class RandomCrop {
 public:
  explicit RandomCrop(const Shape& size, const RandomCropOptions& options = {});
  /// Throws Error for an image that is smaller, padding included.
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  Shape size_;
  RandomCropOptions options_;
};

/// Left and right change places with probability p.
class RandomHorizontalFlip {
 public:
  explicit RandomHorizontalFlip(double p = 0.5);
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  double p_;
};

/// Top and bottom change places with probability p.
class RandomVerticalFlip {
 public:
  explicit RandomVerticalFlip(double p = 0.5);
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  double p_;
};

struct RandomErasingOptions {
  double p = 0.5;
  std::array<double, 2> scale = {0.02, 0.33};  // of the area: between these
  std::array<double, 2> ratio = {0.3, 3.3};    // height by width: between these, uniform in the logarithm
  double value = 0;
};
/// With probability p, a rectangle in the image is overwritten (Zhong et al., arXiv 1708.04896). One that does not fit
/// in ten tries is left out.
class RandomErasing {
 public:
  explicit RandomErasing(const RandomErasingOptions& options = {});
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  RandomErasingOptions options_;
};

struct ColorJitterOptions {
  double brightness = 0, contrast = 0, saturation = 0;  // factors are uniform in [max(0, 1 - b), 1 + b]
};
/// Changes brightness (towards black), contrast (towards the mean gray) and saturation (towards gray, of three
/// channels) by random factors, in this order, for floating images in [0, 1], in which they stay.
class ColorJitter {
 public:
  explicit ColorJitter(const ColorJitterOptions& options = {});
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  ColorJitterOptions options_;
};

}  // namespace xgrad::data
