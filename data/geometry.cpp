#include "geometry.hpp"

#include <cmath>
#include <numbers>

#include "../autograd/create.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/math.hpp"
#include "../ops/shape.hpp"
#include "draws.hpp"

namespace xgrad::data {

namespace {

using detail::uniform;

/// f(images (1, N, H, W)), where N counts channels and the axes before them; computed in float32 where the elements are
/// uint8.
template <class F>
Tensor on_images(const char* op, const Tensor& image, const F& f) {
  check(image.dim() >= 3, op, ": an image has shape (C, H, W), not ", image.shape());
  check(is_floating(image.dtype()) || image.dtype() == uint8, op, ": the image is ", image.dtype(),
        "; convert it with ToFloat");
  Shape shape = image.shape();
  const std::int64_t planes = Shape(shape.begin(), shape.size() - 2).numel();
  const Tensor floats = is_floating(image.dtype()) ? image : image.to(float32),
               y = f(reshape(floats, {1, planes, image.size(-2), image.size(-1)}));
  shape[shape.size() - 2] = y.size(-2);
  shape[shape.size() - 1] = y.size(-1);
  const Tensor changed = reshape(y, shape);
  return image.dtype() == uint8 ? floor(clamp(changed, 0.0, 255.0) + 0.5).to(uint8) : changed;
}

void check_range(const char* op, const char* what, double low, double high) {
  check(std::isfinite(low) && std::isfinite(high) && low <= high, op, ": ", what, " is ", low, " to ", high,
        "; a range is finite, and does not end before it begins");
}

/// What the image is put through, in units of pixels, the centre being (0, 0): scaled, sheared, turned clockwise,
/// moved.
struct Motion {
  double degrees = 0, right = 0, down = 0, scale = 1, shear_x = 0, shear_y = 0;
};

Tensor moved(const Tensor& images, const Motion& by, GridSampleMode mode, double fill) {
  const auto radians = [](double degrees) { return degrees * std::numbers::pi / 180; };
  const double turn = radians(by.degrees), sx = radians(by.shear_x), sy = radians(by.shear_y),
               a = std::cos(turn - sy) / std::cos(sy), b = -a * std::tan(sx) - std::sin(turn),
               c = std::sin(turn - sy) / std::cos(sy), d = -c * std::tan(sx) + std::cos(turn);
  // The inverse says where a pixel of the result comes from.
  const double matrix[] = {d / by.scale, -b / by.scale, -c / by.scale, a / by.scale};
  const auto height = static_cast<double>(images.size(2)), width = static_cast<double>(images.size(3));
  const double x = -matrix[0] * by.right - matrix[1] * by.down, y = -matrix[2] * by.right - matrix[3] * by.down;
  const Tensor theta = tensor({{{matrix[0], matrix[1] * height / width, 2 * x / width},
                                {matrix[2] * width / height, matrix[3], 2 * y / height}}},
                              {.dtype = images.dtype()});
  const Tensor grid = affine_grid(theta, images.shape());
  if (fill == 0) return grid_sample(images, grid, {.mode = mode});
  return grid_sample(images - fill, grid, {.mode = mode}) + fill;
}

}  // namespace

Resize::Resize(const Shape& size, const ResizeOptions& options) : size_(size), options_(options) {
  check(size.size() == 1 || size.size() == 2, "Resize: size ", size, " is neither (H, W) nor one number");
  for (const std::int64_t side : size)
    check(side > 0 && side <= 2147483647, "Resize: size ", size, " must be positive, and below 2^31");
}
Tensor Resize::operator()(const Tensor& image) const {
  return on_images("Resize", image, [&](const Tensor& images) {
    Shape size = size_;
    if (size.size() == 1) {
      const std::int64_t height = images.size(2), width = images.size(3), side = size_[0];
      const auto longer = [&](std::int64_t a, std::int64_t b) {
        return static_cast<std::int64_t>(static_cast<double>(side) * static_cast<double>(a) / static_cast<double>(b));
      };
      check(height > 0 && width > 0, "Resize: an image of shape ", image.shape(), " has no pixels");
      size = height <= width ? Shape{side, longer(width, height)} : Shape{longer(height, width), side};
    }
    const bool smooth = options_.mode == InterpolateMode::bilinear || options_.mode == InterpolateMode::bicubic;
    return interpolate(images, {.size = size, .mode = options_.mode, .antialias = smooth && options_.antialias});
  });
}

RandomRotation::RandomRotation(const Range& degrees, const RandomRotationOptions& options)
    : degrees_(degrees), options_(options) {
  check_range("RandomRotation", "degrees", degrees.low, degrees.high);
}
Tensor RandomRotation::operator()(const Tensor& image, Generator& generator) const {
  const Motion by{.degrees = -uniform(generator, degrees_.low, degrees_.high)};
  return on_images("RandomRotation", image,
                   [&](const Tensor& images) { return moved(images, by, options_.mode, options_.fill); });
}

RandomAffine::RandomAffine(const RandomAffineOptions& options) : options_(options) {
  check_range("RandomAffine", "degrees", options.degrees.low, options.degrees.high);
  check_range("RandomAffine", "scale", options.scale[0], options.scale[1]);
  for (const Range& shear : {options.shear_x, options.shear_y}) {
    check_range("RandomAffine", "shear", shear.low, shear.high);
    check(shear.low > -90 && shear.high < 90, "RandomAffine: shear is ", shear.low, " to ", shear.high,
          " degrees; it must lie between -90 and 90");
  }
  check(options.scale[0] > 0, "RandomAffine: scale is ", options.scale[0], " to ", options.scale[1],
        "; it must be positive");
  for (const double part : options.translate)
    check(part >= 0 && part <= 1, "RandomAffine: translate is ", part, "; it must lie between 0 and 1");
}
Tensor RandomAffine::operator()(const Tensor& image, Generator& generator) const {
  return on_images("RandomAffine", image, [&](const Tensor& images) {
    const auto pixels = [&](double part, std::int64_t size) {
      const double most = part * static_cast<double>(size);
      return std::round(uniform(generator, -most, most));
    };
    Motion by{.degrees = uniform(generator, options_.degrees.low, options_.degrees.high)};
    by.right = pixels(options_.translate[0], images.size(3));
    by.down = pixels(options_.translate[1], images.size(2));
    by.scale = uniform(generator, options_.scale[0], options_.scale[1]);
    by.shear_x = uniform(generator, options_.shear_x.low, options_.shear_x.high);
    by.shear_y = uniform(generator, options_.shear_y.low, options_.shear_y.high);
    return moved(images, by, options_.mode, options_.fill);
  });
}

}  // namespace xgrad::data
