#include "transforms.hpp"

#include <algorithm>
#include <cmath>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/reduce.hpp"
#include "../ops/shape.hpp"
#include "../ops/slicing.hpp"
#include "draws.hpp"

namespace xgrad::data {

namespace {

using detail::integer;
using detail::uniform;

void check_image(const char* op, const Tensor& image) {
  check(image.dim() >= 3, op, ": an image has shape (C, H, W), not ", image.shape());
}

void check_probability(const char* op, double p) {
  check(p >= 0 && p <= 1, op, ": p is ", p, "; it must lie between 0 and 1");
}

Shape height_and_width(const char* op, const Shape& size) {
  check(size.size() == 1 || size.size() == 2, op, ": size ", size, " is neither (H, W) nor one number for both");
  const Shape both{size[0], size.back()};
  check(both[0] > 0 && both[1] > 0, op, ": size ", both, " must be positive");
  return both;
}

/// The rectangle of this size whose first pixel is (top, left), which may lie outside; there it has `fill`.
Tensor window(const Tensor& image, std::int64_t top, std::int64_t left, const Shape& size, double fill) {
  const std::int64_t height = image.size(-2), width = image.size(-1);
  const std::int64_t first_row = std::clamp<std::int64_t>(top, 0, height),
                     last_row = std::clamp<std::int64_t>(top + size[0], first_row, height),
                     first_column = std::clamp<std::int64_t>(left, 0, width),
                     last_column = std::clamp<std::int64_t>(left + size[1], first_column, width);
  const Tensor inside = slice(slice(image, -2, first_row, last_row), -1, first_column, last_column);
  if (inside.size(-2) == size[0] && inside.size(-1) == size[1]) return inside;
  Shape shape = image.shape();
  shape[shape.size() - 2] = size[0];
  shape[shape.size() - 1] = size[1];
  const Tensor all = full(shape, fill, {.dtype = image.dtype()});
  slice(slice(all, -2, first_row - top, last_row - top), -1, first_column - left, last_column - left).copy_(inside);
  return all;
}

bool happens(Generator& generator, double p) { return uniform(generator, 0, 1) < p; }

}  // namespace

Tensor ToFloat::operator()(const Tensor& image) const {
  return is_floating(image.dtype()) ? image.to(float32) : image.to(float32) / 255;
}

Normalize::Normalize(std::vector<double> mean, std::vector<double> std) : mean_(std::move(mean)), std_(std::move(std)) {
  check(mean_.size() == std_.size() && !mean_.empty(), "Normalize: ", mean_.size(), " means and ", std_.size(),
        " standard deviations; give as many of both, one for each channel or one for all");
  for (const double each : std_) check(each > 0, "Normalize: a standard deviation is ", each, "; it must be positive");
}
Tensor Normalize::operator()(const Tensor& image) const {
  check_image("Normalize", image);
  const auto channels = static_cast<std::int64_t>(mean_.size());
  check(channels == 1 || channels == image.size(-3), "Normalize: ", channels, " means for an image of shape ",
        image.shape());
  const auto column = [&](const std::vector<double>& values) {
    return reshape(tensor(values).to(image.dtype()), {channels, 1, 1});
  };
  return (image - column(mean_)) / column(std_);
}

Pad::Pad(std::int64_t padding, const FillOptions& options) : padding_(padding), fill_(options.fill) {
  check(padding >= 0, "Pad: padding is ", padding, "; it must not be negative");
}
Tensor Pad::operator()(const Tensor& image) const {
  check_image("Pad", image);
  return window(image, -padding_, -padding_, {image.size(-2) + 2 * padding_, image.size(-1) + 2 * padding_}, fill_);
}

CenterCrop::CenterCrop(const Shape& size, const FillOptions& options)
    : size_(height_and_width("CenterCrop", size)), fill_(options.fill) {}
Tensor CenterCrop::operator()(const Tensor& image) const {
  check_image("CenterCrop", image);
  const auto begin = [](std::int64_t all, std::int64_t part) {  // half of the difference, rounded down
    return all >= part ? (all - part) / 2 : -((part - all + 1) / 2);
  };
  return window(image, begin(image.size(-2), size_[0]), begin(image.size(-1), size_[1]), size_, fill_);
}

RandomCrop::RandomCrop(const Shape& size, const RandomCropOptions& options)
    : size_(height_and_width("RandomCrop", size)), options_(options) {
  check(options.padding >= 0, "RandomCrop: padding is ", options.padding, "; it must not be negative");
}
Tensor RandomCrop::operator()(const Tensor& image, Generator& generator) const {
  check_image("RandomCrop", image);
  const std::int64_t rows = image.size(-2) + 2 * options_.padding - size_[0],
                     columns = image.size(-1) + 2 * options_.padding - size_[1];
  check(rows >= 0 && columns >= 0, "RandomCrop: an image of shape ", image.shape(), " with padding ", options_.padding,
        " is smaller than ", size_);
  const std::int64_t top = integer(generator, rows + 1), left = integer(generator, columns + 1);
  return window(image, top - options_.padding, left - options_.padding, size_, options_.fill);
}

RandomHorizontalFlip::RandomHorizontalFlip(double p) : p_(p) { check_probability("RandomHorizontalFlip", p); }
Tensor RandomHorizontalFlip::operator()(const Tensor& image, Generator& generator) const {
  return happens(generator, p_) ? flip(image, {-1}) : image;
}

RandomVerticalFlip::RandomVerticalFlip(double p) : p_(p) { check_probability("RandomVerticalFlip", p); }
Tensor RandomVerticalFlip::operator()(const Tensor& image, Generator& generator) const {
  check_image("RandomVerticalFlip", image);
  return happens(generator, p_) ? flip(image, {-2}) : image;
}

RandomErasing::RandomErasing(const RandomErasingOptions& options) : options_(options) {
  check_probability("RandomErasing", options.p);
  check(0 <= options.scale[0] && options.scale[0] <= options.scale[1] && options.scale[1] <= 1,
        "RandomErasing: scale is ", options.scale[0], " to ", options.scale[1], "; it must lie between 0 and 1");
  check(0 < options.ratio[0] && options.ratio[0] <= options.ratio[1] && std::isfinite(options.ratio[1]),
        "RandomErasing: ratio is ", options.ratio[0], " to ", options.ratio[1], "; it must be positive, and finite");
}
Tensor RandomErasing::operator()(const Tensor& image, Generator& generator) const {
  check_image("RandomErasing", image);
  if (!happens(generator, options_.p)) return image;
  const std::int64_t height = image.size(-2), width = image.size(-1);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = uniform(generator, options_.scale[0], options_.scale[1]) * static_cast<double>(height * width),
                 ratio = std::exp(uniform(generator, std::log(options_.ratio[0]), std::log(options_.ratio[1])));
    const auto rows = std::llround(std::sqrt(area * ratio)), columns = std::llround(std::sqrt(area / ratio));
    if (rows >= height || columns >= width) continue;
    const std::int64_t top = integer(generator, height - rows + 1), left = integer(generator, width - columns + 1);
    Tensor erased = image.clone();
    slice(slice(erased, -2, top, top + rows), -1, left, left + columns).fill_(options_.value);
    return erased;
  }
  return image;
}

ColorJitter::ColorJitter(const ColorJitterOptions& options) : options_(options) {
  for (const double range : {options.brightness, options.contrast, options.saturation})
    check(range >= 0 && std::isfinite(range), "ColorJitter: a range of ", range,
          "; it must be finite and not negative");
}
Tensor ColorJitter::operator()(const Tensor& image, Generator& generator) const {
  check_image("ColorJitter", image);
  check(is_floating(image.dtype()), "ColorJitter: the image is ", image.dtype(), "; convert it with ToFloat");
  const auto factor = [&](double range) { return uniform(generator, std::max(0.0, 1 - range), 1 + range); };
  const auto gray_of = [](const Tensor& x) {
    if (x.size(-3) != 3) return x;
    const Tensor parts = reshape(tensor({0.299, 0.587, 0.114}).to(x.dtype()), {3, 1, 1});
    return sum(x * parts, -3, {.keepdim = true});
  };
  const auto blend = [](const Tensor& x, const Tensor& other, double f) {
    return clamp(x * f + other * (1 - f), 0.0, 1.0);
  };
  Tensor out = image;
  if (options_.brightness > 0) out = clamp(out * factor(options_.brightness), 0.0, 1.0);
  if (options_.contrast > 0)
    out = blend(out, mean(gray_of(out), {-3, -2, -1}, {.keepdim = true}), factor(options_.contrast));
  if (options_.saturation > 0) out = blend(out, gray_of(out), factor(options_.saturation));
  return out;
}

}  // namespace xgrad::data
