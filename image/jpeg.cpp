#include "jpeg.hpp"

#include <turbojpeg.h>

#include <limits>
#include <memory>

#include "../autograd/create.hpp"
#include "size.hpp"

namespace xgrad::image::detail {

namespace {

struct Closes {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Handle = std::unique_ptr<void, Closes>;

Handle opened(tjhandle handle) {
  check(handle != nullptr, "JPEG: libjpeg-turbo cannot start");
  return Handle(handle);
}

/// Of the CMYK of a JPEG, which is stored inverted, as Adobe has it.
Tensor from_cmyk(const Tensor& picture) {
  const std::int64_t pixels = picture.numel() / 4;
  const Tensor rgb = empty({picture.size(0), picture.size(1), 3}, {.dtype = uint8});
  const std::uint8_t* from = picture.data<std::uint8_t>();
  std::uint8_t* to = rgb.data<std::uint8_t>();
  for (std::int64_t i = 0; i < pixels; ++i, from += 4, to += 3)
    for (int c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>((from[c] * from[3] + 127) / 255);
  return rgb;
}

}  // namespace

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8\xff"); }

Tensor decode_jpeg(std::string_view bytes, std::int64_t max_pixels) {
  const Handle handle = opened(tjInitDecompress());
  const auto* const from = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto size = static_cast<unsigned long>(bytes.size());
  int width = 0, height = 0, sampling = 0, space = 0;
  check(tjDecompressHeader3(handle.get(), from, size, &width, &height, &sampling, &space) == 0,
        "damaged JPEG: ", tjGetErrorStr2(handle.get()));
  check_pixels(height, width, max_pixels);
  const bool is_cmyk = space == TJCS_CMYK || space == TJCS_YCCK;
  const int format = space == TJCS_GRAY ? TJPF_GRAY : is_cmyk ? TJPF_CMYK : TJPF_RGB;
  const Tensor picture = empty({height, width, tjPixelSize[format]}, {.dtype = uint8});
  check(tjDecompress2(handle.get(), from, size, picture.data<std::uint8_t>(), width, 0, height, format,
                      TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS) == 0,
        "damaged JPEG: ", tjGetErrorStr2(handle.get()));
  return is_cmyk ? from_cmyk(picture) : picture;
}

std::string encode_jpeg(const Tensor& picture, int quality) {
  const Handle handle = opened(tjInitCompress());
  const int height = static_cast<int>(picture.size(0)), width = static_cast<int>(picture.size(1));
  const bool is_gray = picture.size(2) == 1;
  const int sampling = is_gray ? TJSAMP_GRAY : TJSAMP_420;
  std::string bytes(tjBufSize(width, height, sampling), '\0');
  auto* to = reinterpret_cast<unsigned char*>(bytes.data());
  auto size = static_cast<unsigned long>(bytes.size());
  check(tjCompress2(handle.get(), picture.data<std::uint8_t>(), width, 0, height, is_gray ? TJPF_GRAY : TJPF_RGB, &to,
                    &size, sampling, quality, TJFLAG_NOREALLOC) == 0,
        "JPEG: ", tjGetErrorStr2(handle.get()));
  bytes.resize(size);
  return bytes;
}

}  // namespace xgrad::image::detail
