#pragma once
// How large a picture may be.

#include <cstdint>

#include "../core/error.hpp"

namespace xgrad::image::detail {

/// Throws Error for a picture without pixels, or with more than allowed.
inline void check_pixels(std::int64_t height, std::int64_t width, std::int64_t most) {
  check(height > 0 && width > 0, "a picture of ", height, " x ", width, " pixels has none");
  check(height <= most / width, "a picture of ", height, " x ", width, " pixels has more than the ", most,
        " that are allowed; set max_pixels to read it");
}

}  // namespace xgrad::image::detail
