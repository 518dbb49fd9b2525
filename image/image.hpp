#pragma once
// Pictures: PNG and JPEG files as tensors, and tensors as files.

#include <cstdint>
#include <string>
#include <string_view>

#include "../autograd/tensor.hpp"

namespace xgrad::image {

/// Which channels a picture is read with.
enum class Mode {
  unchanged,  // gray (1), gray and alpha (2), RGB (3) or RGB and alpha (4), as the file has it; a palette's colours as
              // RGB
  gray,       // 1; of colours 0.299 R + 0.587 G + 0.114 B
  rgb,        // 3; gray thrice
};

struct ReadOptions {
  Mode mode = Mode::unchanged;
  std::int64_t max_pixels = 100'000'000;  // what a file says to have more of is refused before memory is taken
};

/// The picture in a PNG or JPEG file, which of the two its first bytes tell: uint8 of shape (C, H, W), 0 to 255, with
/// the channels innermost in memory. 16-bit channels are scaled to 8; alpha is dropped where the mode has none; a
/// JPEG's CMYK becomes RGB. Throws Error, naming the file, for other formats, damaged or truncated data, and too many
/// pixels.
Tensor read(const std::string& path, const ReadOptions& options = {});
/// The same of the bytes of a file.
Tensor decode(std::string_view bytes, const ReadOptions& options = {});

struct SaveOptions {
  int quality = 90;          // of a JPEG, from 1 to 100
  std::int64_t columns = 8;  // of a grid
};

/// Writes a picture (C, H, W) or (H, W) to a file that ends in .png, .jpg or .jpeg: of 1 or 3 channels, for PNG also 2
/// or 4, with alpha. Elements are uint8, bool, or floats from 0 (black) to 1, beyond which they are cut off; NaN is
/// black. Of (N, C, H, W) the grid() is written. The file is replaced as a whole (see io::AtomicFile). Throws Error for
/// other shapes, dtypes and endings, with the old file intact.
void save(const Tensor& picture, const std::string& path, const SaveOptions& options = {});

struct GridOptions {
  std::int64_t columns = 8;
  std::int64_t padding = 2;  // pixels between pictures and around them
  double value = 0;          // of the padding
};

/// Pictures (N, C, H, W) side by side in rows, as one (C, H', W').
Tensor grid(const Tensor& pictures, const GridOptions& options = {});

}  // namespace xgrad::image
