#include "winograd.hpp"

#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "winograd_tiles.hpp"

namespace xgrad::detail {
namespace {

using namespace winograd_tiles;

std::int64_t divided_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

// One axis of weights and of outputs.

template <class Vector>
[[gnu::always_inline]] inline void transform_weight(const Vector (&g)[3], Vector (&to)[reach]) {
  const Vector even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];
  to[0] = g[0];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = g[2];
}

template <class Vector>
[[gnu::always_inline]] inline void transform_output(const Vector (&m)[reach], Vector (&to)[side]) {
  to[0] = m[0] + m[1] + m[2];
  to[1] = m[1] - m[2] - m[3];
}

/// Outputs of a tile, `rows` x `columns` of which are inside the image, from products a `stride` apart.
template <class Bytes>
[[gnu::always_inline]] inline void outputs_of_tile(const Plane& plane, const float* products, std::int64_t stride,
                                                   const float* bias, float* y, std::int64_t rows, std::int64_t columns,
                                                   Bytes bytes) {
  for_each_vector<float>(plane.channels, bytes, [&](std::int64_t c, auto some) {
    using V = Vectors<float, decltype(some)::value>;
    typename V::Vector column[reach], half[reach][side], line[side], added{};
    if (bias) V::load(added, bias + c);
#pragma GCC unroll 6
    for (int j = 0; j < reach; ++j) {
#pragma GCC unroll 6
      for (int i = 0; i < reach; ++i) V::load(column[i], products + (i * reach + j) * stride + c);
      transform_output(column, half[j]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < side; ++i) {
      if (i >= rows) break;
#pragma GCC unroll 6
      for (int j = 0; j < reach; ++j) column[j] = half[j][i];
      transform_output(column, line);
#pragma GCC unroll 4
      for (int j = 0; j < side; ++j)
        if (j < columns) V::store(y + (i * plane.width + j) * plane.channels + c, line[j] + added);
    }
  });
}

/// Transformed weights as indirect_gemm takes them: for each product, for each panel (inner channel, column).
void transform_weights(const Correlation<float>& of, float* to) {
  const std::int64_t of_point = of.inner * of.padded_columns(), most = most_columns<float>();
  parallel_for(of.panels(), divided_up(1024, of.inner), [&](std::int64_t begin, std::int64_t end) {
    std::int64_t indices[9], *index = indices;
    of.window.for_each_tap([&](const auto&, const auto& h, const auto& w) { *index++ = h.index * 3 + w.index; });
    for (std::int64_t panel = begin; panel < end; ++panel) {
      const std::int64_t width = panel_width<float>(of.columns_of(panel));
      float* const first = to + panel * most * of.inner;
      of.for_each_channel(0, panel, [&](std::int64_t channel, const float* weights) {
        run_with_vectors([=, out = first + channel * width, tap = &indices[0]](auto bytes) {
          for_each_vector<float>(width, bytes, [&](std::int64_t c, auto some) {
            using V = Vectors<float, decltype(some)::value>;
            typename V::Vector column[3], half[3][reach], line[reach];
            for (int j = 0; j < 3; ++j) {
              for (int i = 0; i < 3; ++i) V::load(column[i], weights + tap[i * 3 + j] * width + c);
              transform_weight(column, half[j]);
            }
            for (int i = 0; i < reach; ++i) {
              for (int j = 0; j < 3; ++j) column[j] = half[j][i];
              transform_weight(column, line);
              for (int j = 0; j < reach; ++j) V::store(out + (i * reach + j) * of_point + c, line[j]);
            }
          });
        });
      });
    }
  });
}

/// Whether its taps along an axis are three in a row.
bool is_of_three(const AxisTaps& axis) {
  const auto& taps = axis.taps;
  return axis.step == 1 && axis.first == 0 && axis.spacing == 1 && taps.size() == 3 &&
         taps[1].offset == taps[0].offset + 1 && taps[2].offset == taps[0].offset + 2;
}

/// So many tiles that what is transformed stays in the second-level cache, unless the weights do not either.
std::int64_t tiles_of_a_block(std::int64_t inner, std::int64_t columns) {
  return inner + columns <= 64 || inner + columns >= 512 ? 96 : 48;
}

}  // namespace

bool suits_winograd(const Correlation<float>& of) {
  const auto& axes = of.window.axes;
  if (of.groups != 1 || of.inner < 16 || of.columns < 16 || !is_of_three(axes[1]) || !is_of_three(axes[2]) ||
      axes[0].taps.size() != 1 || axes[0].taps[0].offset != 0 || of.kernel[0] != 1 || of.read[0] != of.written[0] ||
      axes[0].step != 1)
    return false;
  const std::int64_t height = axes[1].outputs, width = axes[2].outputs,
                     tiles = of.batch * of.read[0] * divided_up(height, side) * divided_up(width, side);
  return tiles >= 48 && of.batch * of.read[0] * height * width * 18 >= 3 * points * tiles;
}

void winograd(const Correlation<float>& of, const float* x, const float* bias, float* y) {
  const auto& axes = of.window.axes;
  const Plane in{of.read[1], of.read[2], of.inner}, out{of.written[1], of.written[2], of.columns};
  const Tiles tiles(of.batch * of.read[0], out);
  const std::int64_t most = most_columns<float>(), panels = of.panels(), of_point = of.inner * of.padded_columns();
  const Reference<Storage> transformed = Storage::make(static_cast<std::size_t>(points * of_point) * sizeof(float));
  const float* const weights = reinterpret_cast<const float*>(transformed->data());
  transform_weights(of, reinterpret_cast<float*>(transformed->data()));

  // Distances that are no multiple of a page, at which all would be in few sets of the first-level cache.
  const std::int64_t block = tiles_of_a_block(of.inner, of.columns), in_stride = block * of.inner + 16,
                     out_stride = block * of.columns + 16;
  std::vector<std::int64_t> in_rows, out_rows, channels;
  for (std::int64_t t = 0; t < block; ++t) in_rows.push_back(t * of.inner), out_rows.push_back(t * of.columns);
  for (std::int64_t c = 0; c < of.inner; ++c) channels.push_back(c);

  parallel_for(divided_up(tiles.count(), block), 1, [&](std::int64_t begin, std::int64_t end) {
    const Reference<Storage> memory = Storage::make(
        static_cast<std::size_t>(points * (in_stride + out_stride) + std::max(of.inner, of.columns)) * sizeof(float));
    float *const inputs = reinterpret_cast<float*>(memory->data()), *const products = inputs + points * in_stride,
                 *const zeros = products + points * out_stride;
    std::fill_n(zeros, of.inner, 0.0f);
    const std::int64_t above = axes[1].taps[0].offset, before = axes[2].taps[0].offset;
    for (std::int64_t number = begin; number < end; ++number) {
      const std::int64_t first = number * block, count = std::min(block, tiles.count() - first);
      run_with_vectors([=](auto bytes) {
        for (std::int64_t t = 0; t < count; ++t)
          tiles.at(first + t, [&](std::int64_t image, std::int64_t row, std::int64_t column) {
            float* const to = inputs + t * in.channels;
            inputs_of_tile(in, x + image * in.height * in.width * in.channels, row + above, column + before, zeros,
                           bytes, [=](std::int64_t c, int point, auto some, const auto& vector) {
                             Vectors<float, decltype(some)::value>::store(to + point * in_stride + c, vector);
                           });
          });
      });
      constexpr std::int64_t stretch = 256;  // a panel that fills half of the first-level cache
      for (std::int64_t point = 0; point < points; ++point)
        for (std::int64_t k = 0; k < of.inner; k += stretch)
          for (std::int64_t panel = 0; panel < panels; ++panel) {
            const std::int64_t n = of.columns_of(panel);
            indirect_gemm<float>({.m = count,
                                  .n = n,
                                  .k = std::min(stretch, of.inner - k),
                                  .a = inputs + point * in_stride,
                                  .a_rows = in_rows.data(),
                                  .a_columns = channels.data() + k,
                                  .b = weights + point * of_point + panel * most * of.inner + k * panel_width<float>(n),
                                  .c = products + point * out_stride + panel * most,
                                  .c_rows = out_rows.data(),
                                  .adds = k > 0});
          }
      run_with_vectors([=](auto bytes) {
        for (std::int64_t t = 0; t < count; ++t)
          tiles.at(first + t, [&](std::int64_t image, std::int64_t row, std::int64_t column) {
            outputs_of_tile(out, products + t * out.channels, out_stride, bias,
                            y + ((image * out.height + row) * out.width + column) * out.channels,
                            std::min<std::int64_t>(side, out.height - row),
                            std::min<std::int64_t>(side, out.width - column), bytes);
          });
      });
    }
  });
}

}  // namespace xgrad::detail
