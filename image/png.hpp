#pragma once
// PNG, by libpng.

#include "image.hpp"

namespace xgrad::image::detail {

bool is_png(std::string_view bytes);
/// (H, W, C) as the file has it. Throws Error without the name of a file.
Tensor decode_png(std::string_view bytes, std::int64_t max_pixels);
/// The bytes of a file, of a dense uint8 (H, W, C).
std::string encode_png(const Tensor& picture);

}  // namespace xgrad::image::detail
