#include "random_resized_crop.hpp"

#include <algorithm>
#include <cmath>

#include "../ops/slicing.hpp"
#include "draws.hpp"

namespace xgrad::data {

namespace {

struct Rectangle {
  std::int64_t top, left, height, width;
};

Rectangle draw(std::int64_t height, std::int64_t width, const RandomResizedCropOptions& options, Generator& generator) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = detail::uniform(generator, options.scale[0], options.scale[1]) *
                        static_cast<double>(height * width),
                 ratio = std::exp(detail::uniform(generator, std::log(options.ratio[0]), std::log(options.ratio[1])));
    const auto columns = std::llround(std::sqrt(area * ratio)), rows = std::llround(std::sqrt(area / ratio));
    if (columns < 1 || rows < 1 || columns > width || rows > height) continue;
    const std::int64_t top = detail::integer(generator, height - rows + 1),
                       left = detail::integer(generator, width - columns + 1);
    return {top, left, rows, columns};
  }
  const auto of = [](std::int64_t size, double by, std::int64_t most) {
    return std::clamp<std::int64_t>(std::llround(static_cast<double>(size) * by), 1, most);
  };
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  const std::int64_t rows = ratio < options.ratio[0] ? of(width, 1 / options.ratio[0], height) : height,
                     columns = ratio > options.ratio[1] ? of(height, options.ratio[1], width) : width;
  return {(height - rows) / 2, (width - columns) / 2, rows, columns};
}

}  // namespace

RandomResizedCrop::RandomResizedCrop(const Shape& size, const RandomResizedCropOptions& options)
    : resize_(size.size() == 1 ? Shape{size[0], size[0]} : size,
              {.mode = options.mode, .antialias = options.antialias}),
      options_(options) {
  const auto &scale = options.scale, &ratio = options.ratio;
  check(0 <= scale[0] && scale[0] <= scale[1] && scale[1] <= 1, "RandomResizedCrop: scale is ", scale[0], " to ",
        scale[1], "; it must lie between 0 and 1");
  check(0 < ratio[0] && ratio[0] <= ratio[1] && std::isfinite(ratio[1]), "RandomResizedCrop: ratio is ", ratio[0],
        " to ", ratio[1], "; it must be positive, and finite");
}

Tensor RandomResizedCrop::operator()(const Tensor& image, Generator& generator) const {
  check(image.dim() >= 3, "RandomResizedCrop: an image has shape (C, H, W), not ", image.shape());
  const std::int64_t height = image.size(-2), width = image.size(-1);
  check(height > 0 && width > 0, "RandomResizedCrop: an image of shape ", image.shape(), " has no pixels");
  const Rectangle of = draw(height, width, options_, generator);
  return resize_(slice(slice(image, -2, of.top, of.top + of.height), -1, of.left, of.left + of.width));
}

}  // namespace xgrad::data
