#include <algorithm>
#include <vector>

#include "../array/transpose.hpp"
#include "../core/error.hpp"
#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "convolution.hpp"
#include "correlation.hpp"
#include "half_gemm.hpp"
#include "reduce.hpp"
#include "tile_gemm.hpp"

namespace xgrad::detail {
namespace {

std::int64_t divided_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// How many outputs a box has at most, so that what they read stays near.
std::int64_t most_outputs(std::int64_t channels) { return std::clamp<std::int64_t>((1 << 19) / channels, 512, 8192); }

/// Weights as (column, element of the kernel, inner channel), of all groups.
void put_channels_innermost(const Correlation<BFloat16>& of, BFloat16* turned) {
  const std::int64_t each = of.elements(), group = of.columns * of.inner * each;
  const auto transpose = [&](std::int64_t rows, std::int64_t columns, const BFloat16* from, std::int64_t ld,
                             BFloat16* to) {
    transpose_copy(sizeof(BFloat16), rows, columns, reinterpret_cast<const std::byte*>(from), ld,
                   reinterpret_cast<std::byte*>(to), rows);
  };
  for (std::int64_t g = 0; g < of.groups; ++g) {
    const BFloat16* const from = of.weight + g * group;
    BFloat16* const to = turned + g * group;
    if (of.inner_step == each)
      parallel_for(of.columns, divided_up(32768, of.inner * each), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c)
          transpose(of.inner, each, from + c * of.column_step, each, to + c * each * of.inner);
      });
    else  // columns and the kernel's elements lie together
      parallel_for(of.columns * each, divided_up(32768, of.inner), [&](std::int64_t begin, std::int64_t end) {
        transpose(of.inner, end - begin, from + begin, of.inner_step, to + begin * of.inner);
      });
  }
}

/// Where rows of sums go.
struct Written {
  BFloat16* y;
  const std::int64_t* rows;
  const BFloat16* bias;
};

void correlate(const Correlation<BFloat16>& of, const BFloat16* x, const BFloat16* bias, BFloat16* y) {
  const std::int64_t channels = of.groups * of.inner, written_channels = of.groups * of.columns, each = of.elements();
  const std::int64_t all = of.batch * of.window.axes[0].outputs * of.window.axes[1].outputs * of.window.axes[2].outputs;
  const Boxes boxes(of.batch, of.window, std::min(most_outputs(channels), divided_up(all, num_threads())));
  const Patches patches(of.window, of.read, channels, boxes.largest());
  const Scratch<BFloat16> weights(written_channels * each * of.inner);
  put_channels_innermost(of, weights.data());
  const std::vector<std::int64_t> taps = patches.tap_offsets();
  std::vector<std::int64_t> elements;
  of.window.for_each_tap([&](const auto& d, const auto& h, const auto& w) {
    elements.push_back(((d.index * of.kernel[1] + h.index) * of.kernel[2] + w.index) * of.inner);
  });

  // A box is a piece of work, or several where there are few.
  const std::int64_t parts = std::clamp<std::int64_t>(num_threads() / boxes.count(), 1, divided_up(of.columns, 32));
  const std::int64_t columns = divided_up(divided_up(of.columns, parts), 32) * 32,
                     work = boxes.largest().outputs() * of.depth() * columns * of.groups;
  parallel_for(boxes.count() * parts, (1 << 22) / (work + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    const auto most = static_cast<std::size_t>(boxes.largest().outputs());
    std::vector<std::int64_t> from(most), to(most);
    const Scratch<BFloat16> stage(patches.stage_size());
    std::int64_t located = -1;
    const BFloat16* patch = nullptr;
    for (std::int64_t task = begin; task < end; ++task) {
      const Box box = boxes[task / parts];
      if (task / parts != located) {
        located = task / parts;
        patch = patches.locate(x, box, stage.data());
        patches.output_offsets(box, from.data());
        written_offsets(of.window, box, of.written, written_channels, to.data());
      }
      const std::int64_t first = task % parts * columns, some = std::min(columns, of.columns - first);
      for (std::int64_t group = 0; some > 0 && group < of.groups; ++group) {
        const std::int64_t at = group * of.columns + first;
        const Written written{y + at, to.data(), bias ? bias + at : nullptr};
        if (taps.empty()) {
          for (std::int64_t i = 0; i < box.outputs(); ++i)
            for (std::int64_t c = 0; c < some; ++c)
              written.y[written.rows[i] + c] = bias ? written.bias[c] : BFloat16(0.0f);
          continue;
        }
        const auto take = [](const void* context, std::int64_t row, std::int64_t column, std::int64_t rows,
                             std::int64_t wide, const float* sums) {
          const auto& place = *static_cast<const Written*>(context);
          round_tiles(rows, wide, sums, place.bias ? place.bias + column : nullptr, place.y + column, place.rows + row);
        };
        tile_gemm<BFloat16>(box.outputs(), some, of.depth(),
                            {.data = patch + group * of.inner,
                             .along = true,
                             .places = from.data(),
                             .runs = taps.data(),
                             .run_length = of.inner},
                            {.data = weights.data() + at * each * of.inner,
                             .along = true,
                             .ld = each * of.inner,
                             .runs = elements.data(),
                             .run_length = of.inner},
                            {take, &written});
      }
    }
  });
}

/// Sums of a part of the gradient, in rows of `ld`.
struct Sums {
  float* sums;
  std::int64_t ld;
  bool adds;
};

void add_tile(const void* context, std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
              const float* tile) {
  const Sums& of = *static_cast<const Sums*>(context);
  float* const to = of.sums + row * of.ld + column;
  const std::int64_t ld = of.ld;
  const bool adds = of.adds;
  vectorized([=] {
    for (std::int64_t i = 0; i < rows; ++i) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t j = 0; j < columns; ++j)
        to[i * ld + j] = adds ? to[i * ld + j] + tile[i * 32 + j] : tile[i * 32 + j];
    }
  });
}

/// The transposed gradient by the patches. Boxes are summed up one after the other in each of a few slices, which are
/// added up at the end: in an order that depends on sizes alone.
void grad_by_patches(const ConvolutionSize& size, const BFloat16* x, const BFloat16* grad, BFloat16* weight_grad) {
  const Window window = forward_window(size);
  const std::int64_t channels = size.groups * size.in, grad_channels = size.groups * size.out, taps = size.taps(),
                     depth = taps * size.in, gradient = grad_channels * depth;
  const Boxes boxes(size.batch, window, most_outputs(channels));
  const Patches patches(window, size.input, channels, boxes.largest());
  const std::vector<std::int64_t> tap_offsets = patches.tap_offsets();
  const std::int64_t slices = std::min<std::int64_t>(boxes.count(), gradient > 1 << 18 ? 2 : 8),
                     parts = std::clamp<std::int64_t>(8 / slices, 1, divided_up(size.out, 64)),
                     lines = divided_up(divided_up(size.out, parts), 32) * 32;
  const Scratch<float> memory(slices * gradient);
  float* const sums = memory.data();
  parallel_for(slices * parts, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto most = static_cast<std::size_t>(boxes.largest().outputs());
    std::vector<std::int64_t> from(most), of_grad(most);
    const Scratch<BFloat16> stage(patches.stage_size());
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t slice = task / parts, first = task % parts * lines, some = std::min(lines, size.out - first),
                         first_box = boxes.count() * slice / slices;
      for (std::int64_t number = first_box; some > 0 && number < boxes.count() * (slice + 1) / slices; ++number) {
        const Box box = boxes[number];
        const BFloat16* const patch = patches.locate(x, box, stage.data());
        patches.output_offsets(box, from.data());
        written_offsets(window, box, size.output, grad_channels, of_grad.data());
        for (std::int64_t group = 0; group < size.groups; ++group) {
          const std::int64_t row = group * size.out + first;
          const Sums to{sums + slice * gradient + row * depth, depth, number > first_box};
          tile_gemm<BFloat16>(some, depth, box.outputs(),
                              {.data = grad + row, .along = false, .places = of_grad.data()},
                              {.data = patch + group * size.in,
                               .along = false,
                               .places = from.data(),
                               .runs = tap_offsets.data(),
                               .run_length = size.in},
                              {add_tile, &to});
        }
      }
    }
  });
  parallel_for(grad_channels, divided_up(16384, depth * slices), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      float* const sum = sums + row * depth;
      for (std::int64_t slice = 1; slice < slices; ++slice)
        for (std::int64_t i = 0; i < depth; ++i) sum[i] += sum[slice * gradient + i];
      for (std::int64_t tap = 0; tap < taps; ++tap)
        for (std::int64_t channel = 0; channel < size.in; ++channel)
          weight_grad[row * depth + channel * taps + tap] = BFloat16(sum[tap * size.in + channel]);
    }
  });
}

}  // namespace

bool convolves_bfloat16(std::int64_t groups, std::int64_t in, std::int64_t out) {
  return has_tile_gemm<BFloat16>() && !(groups > 1 && in == 1 && out == 1);
}

template <>
void convolution(const ConvolutionSize& size, const BFloat16* x, const BFloat16* weight, const BFloat16* bias,
                 BFloat16* y) {
  if (size.is_pointwise())
    return half_gemm(false, true, size.batch * size.outputs(), size.out, size.in, x, size.in, weight, size.in, y,
                     size.out, bias);
  correlate({size.batch, size.groups, size.in, size.out, size.input, size.output, size.kernel, forward_window(size),
             weight, size.taps(), size.in * size.taps()},
            x, bias, y);
}

template <>
void convolution_input_grad(const ConvolutionSize& size, const BFloat16* grad, const BFloat16* weight,
                            const BFloat16* bias, BFloat16* x_grad) {
  if (size.is_pointwise())
    return half_gemm(false, false, size.batch * size.outputs(), size.in, size.out, grad, size.out, weight, size.in,
                     x_grad, size.in, bias);
  for_each_rest(size, [&](const Window& window) {
    correlate({size.batch, size.groups, size.out, size.in, size.output, size.input, size.kernel, window, weight,
               size.in * size.taps(), size.taps()},
              grad, bias, x_grad);
  });
}

template <>
void convolution_weight_grad(const ConvolutionSize& size, const BFloat16* x, const BFloat16* grad,
                             BFloat16* weight_grad) {
  if (size.is_pointwise())
    return half_gemm(true, false, size.out, size.in, size.batch * size.outputs(), grad, size.out, x, size.in,
                     weight_grad, size.in);
  grad_by_patches(size, x, grad, weight_grad);
}

}  // namespace xgrad::detail
