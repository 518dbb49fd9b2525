#include "png.hpp"

#include <png.h>

#include "../autograd/create.hpp"
#include "size.hpp"

namespace xgrad::image::detail {

namespace {

/// libpng's own form of an image, freed at the end.
struct Png : png_image {
  Png() : png_image{} { version = PNG_IMAGE_VERSION; }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;
  ~Png() { png_image_free(this); }
};

}  // namespace

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

Tensor decode_png(std::string_view bytes, std::int64_t max_pixels) {
  Png png;
  check(png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) != 0, "damaged PNG: ", png.message);
  check_pixels(png.height, png.width, max_pixels);
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  png.format &= PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA;
  const Tensor picture =
      empty({png.height, png.width, static_cast<std::int64_t>(PNG_IMAGE_PIXEL_CHANNELS(png.format))}, {.dtype = uint8});
  check(png_image_finish_read(&png, nullptr, picture.data<std::uint8_t>(), 0, nullptr) != 0,
        "damaged PNG: ", png.message);
  return picture;
}

std::string encode_png(const Tensor& picture) {
  constexpr png_uint_32 formats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
  Png png;
  png.height = static_cast<png_uint_32>(picture.size(0));
  png.width = static_cast<png_uint_32>(picture.size(1));
  png.format = formats[picture.size(2) - 1];
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(png), '\0');
  png_alloc_size_t size = bytes.size();
  check(png_image_write_to_memory(&png, bytes.data(), &size, 0, picture.data<std::uint8_t>(), 0, nullptr) != 0,
        "PNG: ", png.message);
  bytes.resize(size);
  return bytes;
}

}  // namespace xgrad::image::detail
