#pragma once
// JPEG, by libjpeg-turbo.

#include "image.hpp"

namespace xgrad::image::detail {

bool is_jpeg(std::string_view bytes);
/// (H, W, 1) or (H, W, 3). Throws Error without the name of a file.
Tensor decode_jpeg(std::string_view bytes, std::int64_t max_pixels);
/// The bytes of a file, of a dense uint8 (H, W, 1) or (H, W, 3).
std::string encode_jpeg(const Tensor& picture, int quality);

}  // namespace xgrad::image::detail
