#include "hue.hpp"

#include <cmath>

#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/division.hpp"
#include "../ops/extrema.hpp"
#include "../ops/joining.hpp"
#include "../ops/slicing.hpp"

namespace xgrad::data {

Tensor adjust_hue(const Tensor& image, double shift) {
  check(image.dim() >= 3 && image.size(-3) == 3, "adjust_hue: an RGB image has shape (3, H, W), not ", image.shape());
  check(is_floating(image.dtype()), "adjust_hue: the image is ", image.dtype(), "; convert it with ToFloat");
  check(std::isfinite(shift), "adjust_hue: shift is ", shift, "; it must be finite");
  if (image.numel() == 0) return image;
  const auto channel = [&](std::int64_t index) { return narrow(image, -3, index, 1); };
  const Tensor red = channel(0), green = channel(1), blue = channel(2), value = amax(image, -3, {.keepdim = true}),
               chroma = value - amin(image, -3, {.keepdim = true}), divisor = where(chroma == 0.0, 1.0, chroma);
  // The hue in sixths of a turn, from red by green and blue.
  const Tensor hue = where(value == red, (green - blue) / divisor,
                           where(value == green, (blue - red) / divisor + 2.0, (red - green) / divisor + 4.0)) +
                     6 * shift;
  const auto component = [&](double offset) {
    const Tensor k = remainder(hue + offset, 6.0);
    return value - chroma * clamp(minimum(k, 4.0 - k), 0.0, 1.0);
  };
  return concat({component(5), component(3), component(1)}, -3);
}

RandomHue::RandomHue(double hue) : hue_(hue) {
  check(hue >= 0 && hue <= 0.5, "RandomHue: hue is ", hue, "; it must lie between 0 and 0.5, half a turn");
}
Tensor RandomHue::operator()(const Tensor& image, Generator& generator) const {
  double shift = 0;
  generator.uniform(&shift, 1, -hue_, hue_);
  return adjust_hue(image, shift);
}

}  // namespace xgrad::data
