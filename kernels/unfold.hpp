#pragma once
// The elements under a window that slides over images, as columns (im2col), and columns added up to images.

#include <array>
#include <cstdint>

namespace xgrad::detail {

/// Along height and width.
using Plane = std::array<std::int64_t, 2>;

/// Images of `channels` and `size`, and the windows on them: position o reads the place o * stride - padding + k *
/// dilation for each k below `kernel`.
struct UnfoldSize {
  std::int64_t batch, channels;
  Plane size, kernel, stride, padding, dilation, positions;
};

/// columns (batch, channels, kernel..., positions...), dense: the element of the image that each tap reads, 0 outside.
/// `steps` lead from one image, channel, row and element of a row of `images` to the next.
template <class T>
void unfold(const UnfoldSize& size, const T* images, const std::array<std::int64_t, 4>& steps, T* columns);

/// images (batch, channels, size...), dense: at each place the sum of what unfold puts it to.
template <class T>
void fold(const UnfoldSize& size, const T* columns, T* images);

}  // namespace xgrad::detail
