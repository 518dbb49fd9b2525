#include "png.hpp"

#include <zlib.h>

#include <algorithm>
#include <string_view>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/joining.hpp"
#include "../ops/math.hpp"
#include "../ops/pad.hpp"
#include "../ops/shape.hpp"

namespace xgrad::train::detail {

namespace {

constexpr std::int64_t most_pixels = 100'000'000;

/// (N, C, H, W) side by side, as (C, H', W'), with a line of black between them.
Tensor rows_of(const Tensor& pictures, std::int64_t columns) {
  columns = std::clamp<std::int64_t>(pictures.size(0), 1, columns);
  const std::int64_t rows = (pictures.size(0) + columns - 1) / columns;
  const Tensor missing =
      zeros({rows * columns - pictures.size(0), pictures.size(1), pictures.size(2), pictures.size(3)},
            {.dtype = pictures.dtype()});
  const Tensor framed = pad(cat({pictures, missing}, 0), {0, 1, 0, 1});
  const Tensor placed = reshape(framed, {rows, columns, framed.size(1), framed.size(2), framed.size(3)});
  return reshape(permute(placed, {2, 0, 3, 1, 4}), {framed.size(1), rows * framed.size(2), columns * framed.size(3)});
}

std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
  return out;
}

std::string chunk(std::string_view type, std::string_view data) {
  const std::string body = std::string(type) += data;
  const auto crc = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(crc));
}

}  // namespace

Png to_png(const char* op, const Tensor& picture, std::int64_t columns) {
  const NoGrad no_grad;
  Tensor shown = picture.detach();
  const Shape& shape = picture.shape();
  check(shape.size() >= 2 && shape.size() <= 4 &&
            (shape.size() == 2 || shape[shape.size() - 3] == 1 || shape[shape.size() - 3] == 3),
        op, ": a picture has the shape (H, W), (C, H, W) or (N, C, H, W) with 1 or 3 channels, not ", shape);
  check(picture.numel() > 0, op, ": a picture of shape ", shape, " has no pixels");
  check(picture.numel() <= most_pixels, op, ": pictures of shape ", shape, " have more than ", most_pixels,
        " elements");
  check(is_floating(picture.dtype()) || picture.dtype() == uint8 || picture.dtype() == bool_, op,
        ": elements of a picture are uint8, bool or floats from 0 to 1, not ", picture.dtype());
  if (picture.dtype() != uint8) {
    const Tensor fraction = shown.to(float32);
    shown = (clamp(where(fraction == fraction, fraction, 0), 0, 1) * 255 + 0.5).to(uint8);
  }
  if (shape.size() == 2) shown = unsqueeze(shown, 0);
  if (shape.size() == 4) shown = rows_of(shown, columns);

  Png out{shown.size(1), shown.size(2), shown.size(0), {}};
  const Tensor dense = permute(shown, {1, 2, 0}).contiguous();
  const auto row = static_cast<std::size_t>(out.width * out.channels);
  std::string pixels;  // each row begins with the number of its filter: 0, none
  for (std::int64_t i = 0; i < out.height; ++i) {
    pixels += '\0';
    pixels.append(reinterpret_cast<const char*>(dense.data<std::uint8_t>()) + static_cast<std::size_t>(i) * row, row);
  }
  uLongf size = ::compressBound(pixels.size());
  std::string packed(size, '\0');
  check(::compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(pixels.data()),
                   pixels.size()) == Z_OK,
        op, ": out of memory in zlib");
  packed.resize(size);
  const std::string header = big_endian(static_cast<std::uint32_t>(out.width)) +
                             big_endian(static_cast<std::uint32_t>(out.height)) +
                             std::string({8, static_cast<char>(out.channels == 3 ? 2 : 0), 0, 0, 0});
  out.bytes = std::string("\x89PNG\r\n\x1a\n") + chunk("IHDR", header) + chunk("IDAT", packed) + chunk("IEND", "");
  return out;
}

}  // namespace xgrad::train::detail
