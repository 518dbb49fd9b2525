#pragma once

#include <string>

#include "../autograd/tensor.hpp"

namespace xgrad::train::detail {

/// A picture as the bytes of a PNG file.
struct Png {
  std::int64_t height, width, channels;
  std::string bytes;
};

/// Of a picture (C, H, W) or (H, W), with 1 or 3 channels: uint8, bool, or floats from 0 (black) to 1, beyond which
/// they are cut off; NaN is black. Pictures (N, C, H, W) are put in rows, `columns` side by side. This writes what logs
/// need without libpng, which the library does without; files of every kind are image::save()'s. Throws Error in the
/// name of `op` for other shapes and dtypes.
Png to_png(const char* op, const Tensor& picture, std::int64_t columns = 8);

}  // namespace xgrad::train::detail
