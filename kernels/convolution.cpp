#include "convolution.hpp"

#include <algorithm>

#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "correlation.hpp"
#include "depthwise.hpp"
#include "gemm.hpp"
#include "winograd.hpp"

namespace xgrad::detail {
namespace {

constexpr std::int64_t stretch = 256;  // of the sum: a panel of weights that fills half of the first-level cache

std::int64_t divided_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// The weights of a panel's columns as indirect_gemm takes them, (tap, inner channel) by column.
template <class T>
void pack(const Correlation<T>& of, std::int64_t group, std::int64_t panel, T* to) {
  const std::int64_t width = panel_width<T>(of.columns_of(panel));
  std::vector<std::int64_t> index;
  of.window.for_each_tap([&](const auto& d, const auto& h, const auto& w) {
    index.push_back((d.index * of.kernel[1] + h.index) * of.kernel[2] + w.index);
  });
  of.for_each_channel(group, panel, [&](std::int64_t channel, const T* weights) {
    for (std::size_t tap = 0; tap < index.size(); ++tap)
      std::copy_n(weights + index[tap] * width, width,
                  to + (static_cast<std::int64_t>(tap) * of.inner + channel) * width);
  });
}

/// How many outputs a box has at most: enough to use a panel often, so few that what they read stays in the
/// second-level cache.
std::int64_t most_outputs(std::int64_t channels) { return std::clamp<std::int64_t>(65536 / channels, 256, 512); }

template <class T>
void correlate(const Correlation<T>& of, const T* x, const T* bias, T* y) {
  if constexpr (std::is_same_v<T, float>)
    if (suits_winograd(of)) return winograd(of, x, bias, y);
  const std::int64_t channels = of.groups * of.inner, written_channels = of.groups * of.columns;
  const Boxes boxes(of.batch, of.window, most_outputs(channels));
  const Patches patches(of.window, of.read, channels, boxes.largest());

  const std::int64_t depth = of.depth(), panels = of.panels(), units = of.groups * panels,
                     panels_size = depth * of.padded_columns();  // of a group
  const Reference<Storage> packed = Storage::make(static_cast<std::size_t>(of.groups * panels_size) * sizeof(T));
  T* const weights = reinterpret_cast<T*>(packed->data());
  const auto panel_of = [&](std::int64_t unit) {
    return weights + unit / panels * panels_size + unit % panels * most_columns<T>() * depth;
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
          const std::int64_t group = unit / panels, n = of.columns_of(unit % panels),
                             at = group * of.columns + unit % panels * most_columns<T>();
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

}  // namespace

bool ConvolutionSize::is_pointwise() const {
  constexpr Extents ones{1, 1, 1}, zeros{0, 0, 0};
  return groups == 1 && kernel == ones && stride == ones && padding == zeros && input == output &&
         batch * outputs() <= gemm_limit && std::max(in, out) <= gemm_limit;
}

AxisTaps transposed_taps(const ConvolutionSize& size, std::size_t axis, std::int64_t first) {
  const std::int64_t stride = size.stride[axis];
  AxisTaps taps{divided_up(size.input[axis] - first, stride), 1, first, stride, {}};
  for (std::int64_t k = size.kernel[axis]; k-- > 0;) {
    const std::int64_t distance = first + size.padding[axis] - k * size.dilation[axis];
    if (distance % stride == 0) taps.taps.push_back({distance / stride, k});
  }
  return taps;
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
  for_each_rest(size, [&](const Window& window) {
    if (size.is_depthwise())
      depthwise<T>({size.batch, size.groups, size.output, size.input, size.kernel, window}, grad, weight, bias, x_grad);
    else
      correlate<T>({size.batch, size.groups, size.out, size.in, size.output, size.input, size.kernel, window, weight,
                    size.in * size.taps(), size.taps()},
                   grad, bias, x_grad);
  });
}

template void convolution(const ConvolutionSize&, const float*, const float*, const float*, float*);
template void convolution(const ConvolutionSize&, const double*, const double*, const double*, double*);
template void convolution_input_grad(const ConvolutionSize&, const float*, const float*, const float*, float*);
template void convolution_input_grad(const ConvolutionSize&, const double*, const double*, const double*, double*);

}  // namespace xgrad::detail
