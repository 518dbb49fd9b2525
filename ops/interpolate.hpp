#pragma once
// Images, lines and volumes in another size.

#include <array>
#include <initializer_list>

#include "../autograd/operand.hpp"

namespace xgrad {

/// How an element between others is made of them.
///   nearest: the one at floor(i in / out); nearest_exact: the one that it lies in, at floor((i + 1/2) in / out);
///   linear, bilinear, trilinear: of the two (four, eight) around it, for one (two, three) spatial axes;
///   bicubic: of the 4 x 4 around it, by cubic convolution (Keys, 1981) with a = -3/4, for two spatial axes;
///   area: the mean of those that it covers, as adaptive_avg_pool.
enum class InterpolateMode { nearest, nearest_exact, linear, bilinear, trilinear, bicubic, area };

/// A positive number for all spatial axes, or one for each: 2, 0.5, {2, 1.5}.
class ScaleFactor {
 public:
  ScaleFactor() = default;  // none
  ScaleFactor(double all) : factors_{all}, count_(1) {}
  /// Throws Error for more than three.
  ScaleFactor(std::initializer_list<double> each);

  std::size_t size() const { return count_; }
  double operator[](std::size_t axis) const { return factors_[axis]; }

 private:
  std::array<double, 3> factors_ = {};
  std::size_t count_ = 0;
};

/// One of size and scale_factor is given.
struct InterpolateOptions {
  Shape size = {};                // of the result's spatial axes, or one number for all
  ScaleFactor scale_factor = {};  // the size is then floor(in * factor)
  InterpolateMode mode = InterpolateMode::nearest;
  bool align_corners = false;           // whether the centres of the first and last elements stay where they are, and
                                        // not the edges of the image; for linear modes and bicubic
  bool recompute_scale_factor = false;  // go by out / in and not by scale_factor, where floor() makes them differ
  bool antialias = false;               // widen the filter where sizes shrink, as Pillow does (a = -1/2 then); for
                                        // bilinear and bicubic
};

/// x (N, C, L), (N, C, H, W) or (N, C, D, H, W) with spatial axes of other sizes. As torch.nn.functional.interpolate.
/// The result lies as x does: row-major, or with the channels innermost; other memory is copied first. Throws Error for
/// other shapes, integer tensors (uint8 images: .to(float32)), modes that the number of axes does not have, sizes or
/// factors that are not positive, both or neither of them, and empty spatial axes.
///
///     interpolate(x, {.size = {64, 48}, .mode = InterpolateMode::bilinear, .antialias = true})
///     interpolate(x, {.scale_factor = 2})
Tensor interpolate(Operand x, const InterpolateOptions& options);

}  // namespace xgrad
