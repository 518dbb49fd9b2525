#include <algorithm>
#include <vector>

#include "../array/transpose.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "convolution.hpp"
#include "indirect_gemm.hpp"
#include "winograd.hpp"
#include "winograd_tiles.hpp"

namespace xgrad::detail {
namespace {

using namespace winograd_tiles;

// One axis of the gradient of outputs and of the sums.

template <class Vector>
[[gnu::always_inline]] inline void transform_grad(const Vector (&g)[side], Vector (&to)[reach]) {
  to[0] = g[0];
  to[1] = g[0] + g[1];
  to[2] = g[0] - g[1];
  to[3] = -g[1];
}

template <class Vector>
[[gnu::always_inline]] inline void transform_sums(const Vector (&u)[reach], Vector (&to)[3]) {
  const Vector sum = 0.5f * (u[1] + u[2]);
  to[0] = u[0] + sum;
  to[1] = 0.5f * (u[1] - u[2]);
  to[2] = sum + u[3];
}

/// The transformed gradient of a tile's outputs, whose first is at (row, column), to places a `stride` apart.
template <class Bytes>
[[gnu::always_inline]] inline void grad_of_tile(const Plane& plane, const float* image, std::int64_t row,
                                                std::int64_t column, const float* zeros, float* to, std::int64_t stride,
                                                Bytes bytes) {
  const float* at[side][side];
  for (int i = 0; i < side; ++i)
    for (int j = 0; j < side; ++j) {
      const bool inside = row + i < plane.height && column + j < plane.width;
      at[i][j] = inside ? image + ((row + i) * plane.width + column + j) * plane.channels : zeros;
    }
  for_each_vector<float>(plane.channels, bytes, [&](std::int64_t c, auto some) {
    using V = Vectors<float, decltype(some)::value>;
    typename V::Vector given[side], half[side][reach], line[reach];
#pragma GCC unroll 4
    for (int j = 0; j < side; ++j) {
#pragma GCC unroll 4
      for (int i = 0; i < side; ++i) V::load(given[i], at[i][j] + c);
      transform_grad(given, half[j]);
    }
#pragma GCC unroll 6
    for (int i = 0; i < reach; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < side; ++j) given[j] = half[j][i];
      transform_grad(given, line);
#pragma GCC unroll 6
      for (int j = 0; j < reach; ++j) V::store(to + (i * reach + j) * stride + c, line[j]);
    }
  });
}

/// Sums of all products, (out, in) each, into (out, in, 3, 3).
void transform_all_sums(const ConvolutionSize& size, const float* sums, float* weight_grad) {
  parallel_for(size.out, 4096 / size.in + 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> turned(static_cast<std::size_t>(9 * size.in));
    for (std::int64_t k = begin; k < end; ++k) {
      run_with_vectors(
          [in = size.in, stride = size.in * size.out, from = sums + k * size.in, to = turned.data()](auto bytes) {
            for_each_vector<float>(in, bytes, [&](std::int64_t c, auto some) {
              using V = Vectors<float, decltype(some)::value>;
              typename V::Vector column[reach], half[reach][3], line[3];
              for (int j = 0; j < reach; ++j) {
                for (int i = 0; i < reach; ++i) V::load(column[i], from + (i * reach + j) * stride + c);
                transform_sums(column, half[j]);
              }
              for (int i = 0; i < 3; ++i) {
                for (int j = 0; j < reach; ++j) column[j] = half[j][i];
                transform_sums(column, line);
                for (int j = 0; j < 3; ++j) V::store(to + (i * 3 + j) * in + c, line[j]);
              }
            });
          });
      transpose_copy(sizeof(float), 9, size.in, reinterpret_cast<const std::byte*>(turned.data()), size.in,
                     reinterpret_cast<std::byte*>(weight_grad + k * size.in * 9), 9);
    }
  });
}

}  // namespace

bool suits_winograd_weight_grad(const ConvolutionSize& size) {
  constexpr Extents ones{1, 1, 1}, kernel{1, 3, 3};
  const std::int64_t images = size.batch * size.output[0];
  const Tiles tiles(images, {size.output[1], size.output[2], size.out});
  return size.groups == 1 && size.kernel == kernel && size.stride == ones && size.dilation == ones &&
         size.padding[0] == 0 && size.in >= 16 && size.out >= 16 && size.in + size.out > 32 &&
         size.in % (vector_bytes() / static_cast<std::int64_t>(sizeof(float))) == 0 && tiles.count() >= 48 &&
         images * size.output[1] * size.output[2] * 18 >= 3 * points * tiles.count();
}

void winograd_weight_grad(const ConvolutionSize& size, const float* x, const float* grad, float* weight_grad) {
  const Plane in{size.input[1], size.input[2], size.in}, out{size.output[1], size.output[2], size.out};
  const Tiles tiles(size.batch * size.output[0], out);
  // So many tiles at a time that what is transformed stays in a cache, and that sums are read and written seldom.
  const std::int64_t block = std::min(tiles.count(), std::clamp<std::int64_t>(16384 / (size.in + size.out), 256, 512)),
                     in_stride = block * in.channels + 16, out_stride = block * out.channels + 16,
                     of_point = size.in * size.out, most = most_columns<float>(), panels = (size.in + most - 1) / most;
  const Reference<Storage> memory = Storage::make(
      static_cast<std::size_t>(points * (in_stride + out_stride + of_point) + std::max(size.in, size.out)) *
      sizeof(float));
  float *const inputs = reinterpret_cast<float*>(memory->data()), *const grads = inputs + points * in_stride,
               *const sums = grads + points * out_stride, *const zeros = sums + points * of_point;
  std::fill_n(zeros, std::max(size.in, size.out), 0.0f);
  std::vector<std::int64_t> rows, columns, sum_rows;
  for (std::int64_t k = 0; k < size.out; ++k) rows.push_back(k), sum_rows.push_back(k * size.in);
  for (std::int64_t t = 0; t < block; ++t) columns.push_back(t * size.out);

  for (std::int64_t first = 0; first < tiles.count(); first += block) {
    const std::int64_t count = std::min(block, tiles.count() - first);
    parallel_for(count, 8192 / (size.in + size.out) / points + 1, [&](std::int64_t begin, std::int64_t end) {
      run_with_vectors([=, above = size.padding[1], before = size.padding[2]](auto bytes) {
        for (std::int64_t t = begin; t < end; ++t)
          tiles.at(first + t, [&](std::int64_t image, std::int64_t row, std::int64_t column) {
            inputs_of_tile(in, x + image * in.height * in.width * in.channels, row - above, column - before, zeros,
                           bytes, [=](std::int64_t c, int point, auto some, const auto& vector) {
                             const std::int64_t panel = c / most * most, width = std::min(most, in.channels - panel);
                             Vectors<float, decltype(some)::value>::store(
                                 inputs + point * in_stride + panel * block + t * width + c - panel, vector);
                           });
            grad_of_tile(out, grad + image * out.height * out.width * out.channels, row, column, zeros,
                         grads + t * out.channels, out_stride, bytes);
          });
      });
    });
    parallel_for(points * panels, (1 << 18) / (count * size.out * std::min(most, size.in)) + 1,
                 [&](std::int64_t begin, std::int64_t end) {
                   constexpr std::int64_t stretch = 256;
                   for (std::int64_t unit = begin; unit < end; ++unit) {
                     const std::int64_t point = unit / panels, panel = unit % panels * most,
                                        n = std::min(most, size.in - panel);
                     for (std::int64_t t = 0; t < count; t += stretch)
                       indirect_gemm<float>({.m = size.out,
                                             .n = n,
                                             .k = std::min(stretch, count - t),
                                             .a = grads + point * out_stride,
                                             .a_rows = rows.data(),
                                             .a_columns = columns.data() + t,
                                             .b = inputs + point * in_stride + panel * block + t * n,
                                             .c = sums + point * of_point + panel,
                                             .c_rows = sum_rows.data(),
                                             .adds = first + t > 0});
                   }
                 });
  }
  transform_all_sums(size, sums, weight_grad);
}

}  // namespace xgrad::detail
