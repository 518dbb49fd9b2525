#include "convolution.hpp"

#include <algorithm>

#include "../array/transpose.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "depthwise.hpp"
#include "gemm.hpp"
#include "indirect_gemm.hpp"

namespace xgrad::detail {
namespace {

constexpr std::int64_t stretch = 256;  // of the sum: a panel of weights that fills half of the first-level cache

std::int64_t divided_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// At each output, for each of `columns` channels, the sum of x * weight over taps and `inner` channels.
template <class T>
struct Correlation {
  std::int64_t batch, groups, inner, columns;
  Extents read, written, kernel;
  const Window& window;
  const T* weight;
  std::int64_t inner_step, column_step;  // from the weights of a channel to those of the next

  std::int64_t depth() const { return window.taps() * inner; }
  std::int64_t panels() const { return divided_up(columns, most_columns<T>()); }
  std::int64_t panels_size() const {  // of a group
    const std::int64_t most = most_columns<T>(), whole = (panels() - 1) * most;
    return depth() * (whole + panel_width<T>(columns - whole));
  }
};

/// The weights of a panel's columns as indirect_gemm takes them, (tap, inner channel) by column.
template <class T>
void pack(const Correlation<T>& of, std::int64_t group, std::int64_t panel, T* to) {
  const std::int64_t first = panel * most_columns<T>(), n = std::min(of.columns - first, most_columns<T>()),
                     width = panel_width<T>(n), elements = of.kernel[0] * of.kernel[1] * of.kernel[2];
  std::vector<std::int64_t> index;
  of.window.for_each_tap([&](const auto& d, const auto& h, const auto& w) {
    index.push_back((d.index * of.kernel[1] + h.index) * of.kernel[2] + w.index);
  });
  const T* const from = of.weight + group * of.columns * of.inner * elements + first * of.column_step;
  // So many inner channels at a time as are read in one piece: (columns, elements), transposed by way of `turned`.
  const std::int64_t some = of.inner_step == elements ? 16 : 1;
  std::vector<T> turned(static_cast<std::size_t>(some * elements * width));
  for (std::int64_t i = 0; i < of.inner; i += some) {
    const std::int64_t now = std::min(some, of.inner - i);
    transpose_copy(sizeof(T), n, now * elements, reinterpret_cast<const std::byte*>(from + i * of.inner_step),
                   of.column_step, reinterpret_cast<std::byte*>(turned.data()), width);
    for (std::size_t tap = 0; tap < index.size(); ++tap)
      for (std::int64_t one = 0; one < now; ++one)
        std::copy_n(turned.data() + (one * elements + index[tap]) * width, width,
                    to + (static_cast<std::int64_t>(tap) * of.inner + i + one) * width);
  }
}

/// How many outputs a box has at most: enough to use a panel often, so few that what they read stays in the
/// second-level cache.
std::int64_t most_outputs(std::int64_t channels) { return std::clamp<std::int64_t>(65536 / channels, 256, 512); }

template <class T>
void correlate(const Correlation<T>& of, const T* x, const T* bias, T* y) {
  const std::int64_t channels = of.groups * of.inner, written_channels = of.groups * of.columns;
  const Boxes boxes(of.batch, of.window, most_outputs(channels));
  const Patches patches(of.window, of.read, channels, boxes.largest());

  const std::int64_t depth = of.depth(), panels = of.panels(), units = of.groups * panels;
  const Reference<Storage> packed = Storage::make(static_cast<std::size_t>(of.groups * of.panels_size()) * sizeof(T));
  T* const weights = reinterpret_cast<T*>(packed->data());
  const auto panel_of = [&](std::int64_t unit) {
    return weights + unit / panels * of.panels_size() + unit % panels * most_columns<T>() * depth;
  };
  parallel_for(units, divided_up(32768, most_columns<T>() * std::max<std::int64_t>(depth, 1)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t unit = begin; unit < end; ++unit)
                   pack(of, unit / panels, unit % panels, panel_of(unit));
               });
  std::vector<std::int64_t> columns;
  for (const std::int64_t tap : patches.tap_offsets())
    for (std::int64_t channel = 0; channel < of.inner; ++channel) columns.push_back(tap + channel);

  // A box is a piece of work, or several where there are few.
  constexpr std::int64_t enough = 32, worth_a_thread = 1 << 18;
  const std::int64_t parts = std::min(units, divided_up(enough, boxes.count())),
                     work = boxes.largest().outputs() * depth * of.columns * of.groups / parts;
  parallel_for(boxes.count() * parts, worth_a_thread / (work + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    const auto most = static_cast<std::size_t>(boxes.largest().outputs());
    std::vector<std::int64_t> from(most), to(most);
    const Reference<Storage> stage = Storage::make(static_cast<std::size_t>(patches.stage_size()) * sizeof(T));
    std::int64_t located = -1;
    const T* patch = nullptr;
    for (std::int64_t task = begin; task < end; ++task) {
      const Box box = boxes[task / parts];
      if (task / parts != located) {
        located = task / parts;
        patch = patches.locate(x, box, reinterpret_cast<T*>(stage->data()));
        patches.output_offsets(box, from.data());
        written_offsets(of.window, box, of.written, written_channels, to.data());
      }
      const std::int64_t first = units * (task % parts) / parts, last = units * (task % parts + 1) / parts;
      for (std::int64_t k = 0; k == 0 || k < depth; k += stretch)
        for (std::int64_t unit = first; unit < last; ++unit) {
          const std::int64_t group = unit / panels, column = unit % panels * most_columns<T>(),
                             n = std::min(of.columns - column, most_columns<T>()), at = group * of.columns + column;
          indirect_gemm<T>({.m = box.outputs(),
                            .n = n,
                            .k = std::min(stretch, depth - k),
                            .a = patch + group * of.inner,
                            .a_rows = from.data(),
                            .a_columns = columns.data() + k,
                            .b = panel_of(unit) + k * panel_width<T>(n),
                            .c = y + at,
                            .c_rows = to.data(),
                            .bias = bias && k == 0 ? bias + at : nullptr,
                            .adds = k > 0});
        }
    }
  });
}

/// Along one axis, the taps that inputs at first + i * stride have in the gradient of the output.
AxisTaps transposed_taps(const ConvolutionSize& size, std::size_t axis, std::int64_t first) {
  const std::int64_t stride = size.stride[axis];
  AxisTaps taps{divided_up(size.input[axis] - first, stride), 1, first, stride, {}};
  for (std::int64_t k = size.kernel[axis]; k-- > 0;) {
    const std::int64_t distance = first + size.padding[axis] - k * size.dilation[axis];
    if (distance % stride == 0) taps.taps.push_back({distance / stride, k});
  }
  return taps;
}

}  // namespace

bool ConvolutionSize::is_pointwise() const {
  constexpr Extents ones{1, 1, 1}, zeros{0, 0, 0};
  return groups == 1 && kernel == ones && stride == ones && padding == zeros && input == output &&
         batch * outputs() <= gemm_limit && std::max(in, out) <= gemm_limit;
}

Window forward_window(const ConvolutionSize& size) {
  Window window;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    window.axes[axis] = {size.output[axis], size.stride[axis], 0, 1, {}};
    for (std::int64_t k = 0; k < size.kernel[axis]; ++k)
      window.axes[axis].taps.push_back({k * size.dilation[axis] - size.padding[axis], k});
  }
  return window;
}

template <class T>
void convolution(const ConvolutionSize& size, const T* x, const T* weight, const T* bias, T* y) {
  if (size.is_pointwise())
    return gemm<T>(false, true, size.batch * size.outputs(), size.out, size.in, 1, x, size.in, weight, size.in, 0, y,
                   size.out, bias);
  const Window window = forward_window(size);
  if (size.is_depthwise())
    return depthwise<T>({size.batch, size.groups, size.input, size.output, size.kernel, window}, x, weight, bias, y);
  correlate<T>({size.batch, size.groups, size.in, size.out, size.input, size.output, size.kernel, window, weight,
                size.taps(), size.in * size.taps()},
               x, bias, y);
}

template <class T>
void convolution_input_grad(const ConvolutionSize& size, const T* grad, const T* weight, const T* bias, T* x_grad) {
  if (size.is_pointwise())
    return gemm<T>(false, false, size.batch * size.outputs(), size.in, size.out, 1, grad, size.out, weight, size.in, 0,
                   x_grad, size.in, bias);
  // Inputs whose places have the same rest by the stride have the same taps: a convolution without stride for each.
  for (std::int64_t d = 0; d < std::min(size.stride[0], size.input[0]); ++d)
    for (std::int64_t h = 0; h < std::min(size.stride[1], size.input[1]); ++h)
      for (std::int64_t w = 0; w < std::min(size.stride[2], size.input[2]); ++w) {
        const Window window{{transposed_taps(size, 0, d), transposed_taps(size, 1, h), transposed_taps(size, 2, w)}};
        if (size.is_depthwise())
          depthwise<T>({size.batch, size.groups, size.output, size.input, size.kernel, window}, grad, weight, bias,
                       x_grad);
        else
          correlate<T>({size.batch, size.groups, size.out, size.in, size.output, size.input, size.kernel, window,
                        weight, size.in * size.taps(), size.taps()},
                       grad, bias, x_grad);
      }
}

template void convolution(const ConvolutionSize&, const float*, const float*, const float*, float*);
template void convolution(const ConvolutionSize&, const double*, const double*, const double*, double*);
template void convolution_input_grad(const ConvolutionSize&, const float*, const float*, const float*, float*);
template void convolution_input_grad(const ConvolutionSize&, const double*, const double*, const double*, double*);

}  // namespace xgrad::detail
