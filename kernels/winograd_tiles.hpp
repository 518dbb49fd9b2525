#pragma once
// The tiles that Winograd's convolutions are computed in; see winograd.hpp.

#include "vectors.hpp"

namespace xgrad::detail::winograd_tiles {

inline constexpr int side = 2, reach = side + 2, points = reach * reach;  // of a tile: outputs, inputs, products

/// One axis of the inputs.
template <class Vector>
[[gnu::always_inline]] inline void transform_input(const Vector (&d)[reach], Vector (&to)[reach]) {
  to[0] = d[0] - d[2];
  to[1] = d[1] + d[2];
  to[2] = d[2] - d[1];
  to[3] = d[1] - d[3];
}

struct Plane {
  std::int64_t height, width, channels;
};

/// The tiles of a batch of images of outputs.
struct Tiles {
  std::int64_t images, rows, columns;

  Tiles(std::int64_t batch, const Plane& out)
      : images(batch), rows((out.height + side - 1) / side), columns((out.width + side - 1) / side) {}
  std::int64_t count() const { return images * rows * columns; }
  /// f(image, first row, first column) of a tile's outputs.
  template <class F>
  [[gnu::always_inline]] void at(std::int64_t tile, const F& f) const {
    f(tile / columns / rows, tile / columns % rows * side, tile % columns * side);
  }
};

/// The transformed inputs of a tile, whose first is at (top, left): f(channel, number, bytes, vector) for all.
template <class Bytes, class F>
[[gnu::always_inline]] inline void inputs_of_tile(const Plane& plane, const float* image, std::int64_t top,
                                                  std::int64_t left, const float* zeros, Bytes bytes, const F& f) {
  const float* at[reach][reach];
  for (int i = 0; i < reach; ++i)
    for (int j = 0; j < reach; ++j) {
      const std::int64_t h = top + i, w = left + j;
      const bool inside = h >= 0 && h < plane.height && w >= 0 && w < plane.width;
      at[i][j] = inside ? image + (h * plane.width + w) * plane.channels : zeros;
    }
  for_each_vector<float>(plane.channels, bytes, [&](std::int64_t c, auto some) {
    using V = Vectors<float, decltype(some)::value>;
    typename V::Vector column[reach], half[reach][reach], line[reach];
#pragma GCC unroll 6
    for (int j = 0; j < reach; ++j) {
#pragma GCC unroll 6
      for (int i = 0; i < reach; ++i) V::load(column[i], at[i][j] + c);
      transform_input(column, half[j]);
    }
#pragma GCC unroll 6
    for (int i = 0; i < reach; ++i) {
#pragma GCC unroll 6
      for (int j = 0; j < reach; ++j) column[j] = half[j][i];
      transform_input(column, line);
#pragma GCC unroll 6
      for (int j = 0; j < reach; ++j) f(c, i * reach + j, some, line[j]);
    }
  });
}

}  // namespace xgrad::detail::winograd_tiles
