#include <algorithm>

#include "../array/transpose.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "convolution.hpp"
#include "depthwise.hpp"
#include "gemm.hpp"
#include "indirect_gemm.hpp"
#include "winograd.hpp"

namespace xgrad::detail {
namespace {

std::int64_t divided_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// Into how many pieces the work is cut: slices of the outputs, whose sums are added up at the end, times parts of the
/// panels. Parts read the input once more each, slices write the whole gradient once more.
struct Pieces {
  std::int64_t slices, parts;
};
Pieces pieces_of(double work, std::int64_t boxes, std::int64_t panels, std::int64_t gradient) {
  const auto wanted = static_cast<std::int64_t>(std::clamp(work / (1 << 21), 1.0, 32.0));
  const std::int64_t parts = gradient > (1 << 15) ? std::min(panels, wanted) : 1;
  return {std::min(boxes, divided_up(wanted, parts)), parts};
}

/// Sums of all slices into (out, in, tap), from panels of (tap, in) by columns.
template <class T>
void add_slices(const ConvolutionSize& size, std::int64_t slices, std::int64_t units, const T* sums, T* weight_grad) {
  const std::int64_t taps = size.taps(), depth = taps * size.in, width = most_columns<T>(), panel = depth * width,
                     panels = units / size.groups;
  parallel_for(units, divided_up(32768, panel * slices), [&](std::int64_t begin, std::int64_t end) {
    const Reference<Storage> memory = Storage::make(static_cast<std::size_t>(2 * panel) * sizeof(T));
    T *const sum = reinterpret_cast<T*>(memory->data()), *const turned = sum + panel;
    for (std::int64_t unit = begin; unit < end; ++unit) {
      std::copy_n(sums + unit * panel, panel, sum);
      for (std::int64_t slice = 1; slice < slices; ++slice) {
        const T* const more = sums + (slice * units + unit) * panel;
        for (std::int64_t i = 0; i < panel; ++i) sum[i] += more[i];
      }
      const std::int64_t group = unit / panels, first = unit % panels * width, n = std::min(width, size.out - first);
      transpose_copy(sizeof(T), depth, n, reinterpret_cast<const std::byte*>(sum), width,
                     reinterpret_cast<std::byte*>(turned), depth);
      for (std::int64_t j = 0; j < n; ++j) {
        T* const to = weight_grad + (group * size.out + first + j) * depth;
        for (std::int64_t channel = 0; channel < size.in; ++channel)
          for (std::int64_t tap = 0; tap < taps; ++tap)
            to[channel * taps + tap] = turned[j * depth + tap * size.in + channel];
      }
    }
  });
}

/// Of any convolution: the product of the patches, transposed, by the gradient.
template <class T>
void patches_by_grad(const ConvolutionSize& size, const T* x, const T* grad, T* weight_grad) {
  const Window window = forward_window(size);
  const std::int64_t channels = size.groups * size.in, grad_channels = size.groups * size.out;
  const Boxes boxes(size.batch, window, 256);
  const Patches patches(window, size.input, channels, boxes.largest());

  const std::int64_t depth = size.taps() * size.in, most = most_columns<T>(), panels = divided_up(size.out, most),
                     units = size.groups * panels, gradient = size.groups * size.out * depth;
  std::vector<std::int64_t> taps, rows;
  for (const std::int64_t tap : patches.tap_offsets())
    for (std::int64_t channel = 0; channel < size.in; ++channel) taps.push_back(tap + channel);
  for (std::int64_t k = 0; k < depth; ++k) rows.push_back(k * most);

  const auto [slices, parts] = pieces_of(
      static_cast<double>(size.batch * size.outputs()) * static_cast<double>(gradient), boxes.count(), units, gradient);
  const Reference<Storage> memory = Storage::make(static_cast<std::size_t>(slices * units * depth * most) * sizeof(T));
  T* const sums = reinterpret_cast<T*>(memory->data());
  parallel_for(slices * parts, 1, [&, slices = slices, parts = parts](std::int64_t begin, std::int64_t end) {
    const std::int64_t outputs = boxes.largest().outputs();
    std::vector<std::int64_t> from(static_cast<std::size_t>(outputs)), of_grad(static_cast<std::size_t>(outputs));
    const Reference<Storage> work =
        Storage::make(static_cast<std::size_t>(outputs * most + patches.stage_size()) * sizeof(T));
    T *const panel = reinterpret_cast<T*>(work->data()), *const stage = panel + outputs * most;
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t slice = piece / parts, part = piece % parts, first_box = boxes.count() * slice / slices;
      for (std::int64_t number = first_box; number < boxes.count() * (slice + 1) / slices; ++number) {
        const Box box = boxes[number];
        const T* const patch = patches.locate(x, box, stage);
        patches.output_offsets(box, from.data());
        written_offsets(window, box, size.output, grad_channels, of_grad.data());
        for (std::int64_t unit = units * part / parts; unit < units * (part + 1) / parts; ++unit) {
          const std::int64_t group = unit / panels, column = unit % panels * most,
                             n = std::min(size.out - column, most), width = panel_width<T>(n);
          for (std::int64_t i = 0; i < box.outputs(); ++i) {
            const T* const row = grad + of_grad[static_cast<std::size_t>(i)] + group * size.out + column;
            std::fill(std::copy_n(row, n, panel + i * width), panel + (i + 1) * width, T(0));
          }
          indirect_gemm<T>({.m = depth,
                            .n = n,
                            .k = box.outputs(),
                            .a = patch + group * size.in,
                            .a_rows = taps.data(),
                            .a_columns = from.data(),
                            .b = panel,
                            .c = sums + (slice * units + unit) * depth * most,
                            .c_rows = rows.data(),
                            .adds = number > first_box});
        }
      }
    }
  });
  add_slices(size, slices, units, sums, weight_grad);
}

}  // namespace

template <class T>
void convolution_weight_grad(const ConvolutionSize& size, const T* x, const T* grad, T* weight_grad) {
  if constexpr (std::is_same_v<T, float>)
    if (suits_winograd_weight_grad(size)) return winograd_weight_grad(size, x, grad, weight_grad);
  if (size.is_pointwise())
    gemm<T>(true, false, size.out, size.in, size.batch * size.outputs(), 1, grad, size.out, x, size.in, 0, weight_grad,
            size.in);
  else if (size.is_depthwise())
    depthwise_weight_grad<T>({size.batch, size.groups, size.input, size.output, size.kernel, forward_window(size)}, x,
                             grad, weight_grad);
  else
    patches_by_grad(size, x, grad, weight_grad);
}

template void convolution_weight_grad(const ConvolutionSize&, const float*, const float*, float*);
template void convolution_weight_grad(const ConvolutionSize&, const double*, const double*, double*);

}  // namespace xgrad::detail
