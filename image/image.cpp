#include "image.hpp"

#include <algorithm>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../autograd/primitives.hpp"
#include "../io/file.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/math.hpp"
#include "../ops/shape.hpp"
#include "../ops/slicing.hpp"
#include "jpeg.hpp"
#include "png.hpp"

namespace xgrad::image {

namespace {

/// The channels that a mode has, of (H, W, C).
Tensor with_channels(const Tensor& picture, Mode mode) {
  const std::int64_t channels = picture.size(2);
  const bool has_color = channels >= 3;
  if (mode == Mode::rgb && !has_color) return expand(slice(picture, 2, 0, 1), {picture.size(0), picture.size(1), 3});
  if (mode == Mode::rgb) return slice(picture, 2, 0, 3);
  if (mode == Mode::gray && !has_color) return slice(picture, 2, 0, 1);
  if (mode == Mode::unchanged) return picture;
  Tensor gray = empty({picture.size(0), picture.size(1), 1}, {.dtype = uint8});
  const std::uint8_t* from = picture.data<std::uint8_t>();
  std::uint8_t* to = gray.data<std::uint8_t>();
  for (std::int64_t i = 0; i < gray.numel(); ++i, from += channels)  // in units of 2^-16
    to[i] = static_cast<std::uint8_t>((19595 * from[0] + 38470 * from[1] + 7471 * from[2] + 32768) >> 16);
  return gray;
}

Tensor decode_bytes(std::string_view bytes, const ReadOptions& options) {
  check(options.max_pixels >= 0, "max_pixels is ", options.max_pixels, "; it must not be negative");
  check(detail::is_png(bytes) || detail::is_jpeg(bytes), "neither PNG nor JPEG, by its first bytes");
  const Tensor picture = detail::is_png(bytes) ? detail::decode_png(bytes, options.max_pixels)
                                               : detail::decode_jpeg(bytes, options.max_pixels);
  return permute(with_channels(picture, options.mode), {2, 0, 1});
}

/// f(), where errors begin with `where`.
template <class F>
auto named(const std::string& where, const F& f) {
  try {
    return f();
  } catch (const Error& error) {
    throw Error(where + error.what());
  }
}

/// A dense uint8 (H, W, C).
Tensor as_bytes(const Tensor& picture) {
  Tensor p = picture.detach();
  if (p.dtype() == bool_) p = p.to(uint8) * 255;
  if (is_floating(p.dtype())) p = (clamp(where(p == p, p, 0.0), 0.0, 1.0) * 255.0 + 0.5).to(uint8);
  return permute(p.dim() == 2 ? unsqueeze(p, 0) : p, {1, 2, 0}).contiguous();
}

bool ends_with(const std::string& path, std::string_view ending) {
  return path.size() >= ending.size() && std::equal(ending.rbegin(), ending.rend(), path.rbegin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
         });
}

}  // namespace

Tensor decode(std::string_view bytes, const ReadOptions& options) {
  return named("image::decode: ", [&] { return decode_bytes(bytes, options); });
}

Tensor read(const std::string& path, const ReadOptions& options) {
  const std::string bytes = io::read_file(path);
  return named("image::read: " + path + ": ", [&] { return decode_bytes(bytes, options); });
}

void save(const Tensor& picture, const std::string& path, const SaveOptions& options) {
  const bool is_png = ends_with(path, ".png"), is_jpeg = ends_with(path, ".jpg") || ends_with(path, ".jpeg");
  check(is_png || is_jpeg, "image::save: ", path, ": the name must end in .png, .jpg or .jpeg");
  check(options.quality >= 1 && options.quality <= 100, "image::save: quality is ", options.quality,
        "; it must lie between 1 and 100");
  if (picture.dim() == 4) return save(grid(picture, {.columns = options.columns}), path, options);
  check(picture.dim() == 2 || picture.dim() == 3, "image::save: a picture has shape (C, H, W) or (H, W), not ",
        picture.shape());
  const DType dtype = picture.dtype();
  check(dtype == uint8 || dtype == bool_ || is_floating(dtype),
        "image::save: a picture is uint8, bool or floating, not ", dtype);
  const std::int64_t channels = picture.dim() == 2 ? 1 : picture.size(0);
  check(channels == 1 || channels == 3 || (is_png && (channels == 2 || channels == 4)), "image::save: ", path, ": ",
        channels, " channels; a PNG has 1 to 4, a JPEG 1 or 3");
  constexpr std::int64_t most = 65'000;  // of a side, which JPEG allows
  check(picture.size(-2) > 0 && picture.size(-1) > 0 && picture.size(-2) <= most && picture.size(-1) <= most,
        "image::save: ", path, ": sides of shape ", picture.shape(), " must lie between 1 and ", most);
  const NoGrad no_grad;
  const Tensor bytes = as_bytes(picture);
  io::atomic_write(path, named("image::save: " + path + ": ", [&] {
                     return is_png ? detail::encode_png(bytes) : detail::encode_jpeg(bytes, options.quality);
                   }));
}

Tensor grid(const Tensor& pictures, const GridOptions& options) {
  check(pictures.dim() == 4 && pictures.size(0) > 0, "image::grid: pictures have shape (N, C, H, W), not ",
        pictures.shape());
  check(options.columns > 0 && options.padding >= 0, "image::grid: ", options.columns, " columns and padding ",
        options.padding, "; columns must be positive, padding not negative");
  const NoGrad no_grad;
  const std::int64_t n = pictures.size(0), columns = std::min(n, options.columns), rows = (n + columns - 1) / columns,
                     high = pictures.size(2) + options.padding, wide = pictures.size(3) + options.padding;
  Tensor all = full({pictures.size(1), rows * high + options.padding, columns * wide + options.padding}, options.value,
                    {.dtype = pictures.dtype()});
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t top = i / columns * high + options.padding, left = i % columns * wide + options.padding;
    slice(slice(all, 1, top, top + pictures.size(2)), 2, left, left + pictures.size(3))
        .copy_(select(pictures, 0, i).detach());
  }
  return all;
}

}  // namespace xgrad::image
