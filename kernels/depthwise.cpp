#include "depthwise.hpp"

#include <algorithm>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"

namespace xgrad::detail {
namespace {

constexpr std::int64_t block = 16;     // channels at a time
constexpr std::int64_t together = 4;   // outputs that share what is read of the weights
constexpr std::int64_t some_taps = 6;  // whose gradients stay in registers

std::int64_t most_outputs(std::int64_t channels) { return std::clamp<std::int64_t>(32768 / channels, 16, 512); }

/// Where each tap has its weights in those of a channel.
std::vector<std::int64_t> tap_indices(const DepthwiseSize& size) {
  std::vector<std::int64_t> indices;
  size.window.for_each_tap([&](const auto& d, const auto& h, const auto& w) {
    indices.push_back((d.index * size.kernel[1] + h.index) * size.kernel[2] + w.index);
  });
  return indices;
}

/// `count` outputs of `width` channels; those beyond the last are computed again from it.
template <std::int64_t width, class T>
[[gnu::always_inline]] inline void outputs(std::int64_t taps, const std::int64_t* tap_offsets, std::int64_t channels,
                                           const T* x, const std::int64_t* from, const T* weight, const T* bias, T* y,
                                           const std::int64_t* to, std::int64_t count) {
  T sums[together][width];
  const T* at[together];
  for (std::int64_t i = 0; i < together; ++i) {
    at[i] = x + from[std::min(i, count - 1)];
    for (std::int64_t c = 0; c < width; ++c) sums[i][c] = bias ? bias[c] : T(0);
  }
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const T* const w = weight + tap * channels;
    const std::int64_t offset = tap_offsets[tap];
    for (std::int64_t i = 0; i < together; ++i)
      for (std::int64_t c = 0; c < width; ++c) sums[i][c] += at[i][offset + c] * w[c];
  }
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t c = 0; c < width; ++c) y[to[i] + c] = sums[i][c];
}

/// Adds to `sums`, (taps, channels), what `count` outputs give to the gradients of `n` taps of `width` channels.
template <std::int64_t width, std::int64_t n, class T>
[[gnu::always_inline]] inline void gradients(const std::int64_t* tap_offsets, std::int64_t channels, const T* x,
                                             const std::int64_t* from, const T* grad, const std::int64_t* of_grad,
                                             std::int64_t count, T* sums) {
  T part[n][width] = {};
  for (std::int64_t i = 0; i < count; ++i) {
    const T *const g = grad + of_grad[i], *const at = x + from[i];
    for (std::int64_t tap = 0; tap < n; ++tap)
      for (std::int64_t c = 0; c < width; ++c) part[tap][c] += at[tap_offsets[tap] + c] * g[c];
  }
  for (std::int64_t tap = 0; tap < n; ++tap)
    for (std::int64_t c = 0; c < width; ++c) sums[tap * channels + c] += part[tap][c];
}

}  // namespace

template <class T>
void depthwise(const DepthwiseSize& size, const T* x, const T* weight, const T* bias, T* y) {
  const std::int64_t channels = size.channels, taps = size.window.taps(),
                     elements = size.kernel[0] * size.kernel[1] * size.kernel[2];
  const Boxes boxes(size.batch, size.window, most_outputs(channels));
  const Patches patches(size.window, size.read, channels, boxes.largest());
  const std::vector<std::int64_t> tap_offsets = patches.tap_offsets(), indices = tap_indices(size);
  const Reference<Storage> memory = Storage::make(static_cast<std::size_t>(taps * channels) * sizeof(T));
  T* const weights = reinterpret_cast<T*>(memory->data());  // (taps, channels)
  for (std::int64_t tap = 0; tap < taps; ++tap)
    for (std::int64_t c = 0; c < channels; ++c)
      weights[tap * channels + c] = weight[c * elements + indices[static_cast<std::size_t>(tap)]];

  const std::int64_t work = boxes.largest().outputs() * channels * (taps + 1);
  parallel_for(boxes.count(), (1 << 16) / work + 1, [&](std::int64_t begin, std::int64_t end) {
    const auto most = static_cast<std::size_t>(boxes.largest().outputs());
    std::vector<std::int64_t> from(most), to(most);
    const Reference<Storage> stage = Storage::make(static_cast<std::size_t>(patches.stage_size()) * sizeof(T));
    for (std::int64_t number = begin; number < end; ++number) {
      const Box box = boxes[number];
      const T* const patch = patches.locate(x, box, reinterpret_cast<T*>(stage->data()));
      patches.output_offsets(box, from.data());
      written_offsets(size.window, box, size.written, channels, to.data());
      vectorized([=, count = box.outputs(), from = from.data(), to = to.data(), offsets = tap_offsets.data()] {
        for (std::int64_t i = 0; i < count; i += together) {
          const std::int64_t some = std::min(together, count - i);
          std::int64_t c = 0;
          for (; c + block <= channels; c += block)
            outputs<block>(taps, offsets, channels, patch + c, from + i, weights + c, bias ? bias + c : bias, y + c,
                           to + i, some);
          for (; c < channels; ++c)
            outputs<1>(taps, offsets, channels, patch + c, from + i, weights + c, bias ? bias + c : bias, y + c, to + i,
                       some);
        }
      });
    }
  });
}

template <class T>
void depthwise_weight_grad(const DepthwiseSize& size, const T* x, const T* grad, T* weight_grad) {
  const std::int64_t channels = size.channels, taps = size.window.taps();
  const Boxes boxes(size.batch, size.window, most_outputs(channels));
  const Patches patches(size.window, size.read, channels, boxes.largest());
  const std::vector<std::int64_t> tap_offsets = patches.tap_offsets();
  // Slices of the boxes, whose sums are added up at the end.
  const std::int64_t slices = std::min<std::int64_t>(boxes.count(), 32), elements = taps * channels;
  const Reference<Storage> memory = Storage::make(static_cast<std::size_t>(slices * elements) * sizeof(T));
  T* const all = reinterpret_cast<T*>(memory->data());
  const std::int64_t work = boxes.largest().outputs() * elements * (boxes.count() / slices);
  parallel_for(slices, (1 << 16) / (work + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    const auto most = static_cast<std::size_t>(boxes.largest().outputs());
    std::vector<std::int64_t> from(most), of_grad(most);
    const Reference<Storage> stage = Storage::make(static_cast<std::size_t>(patches.stage_size()) * sizeof(T));
    for (std::int64_t slice = begin; slice < end; ++slice) {
      T* const sums = all + slice * elements;
      std::fill_n(sums, elements, T(0));
      for (std::int64_t number = boxes.count() * slice / slices; number < boxes.count() * (slice + 1) / slices;
           ++number) {
        const Box box = boxes[number];
        const T* const patch = patches.locate(x, box, reinterpret_cast<T*>(stage->data()));
        patches.output_offsets(box, from.data());
        written_offsets(size.window, box, size.written, channels, of_grad.data());
        vectorized(
            [=, count = box.outputs(), from = from.data(), of_grad = of_grad.data(), offsets = tap_offsets.data()] {
              std::int64_t c = 0;
              const auto add = [&](auto width) {
                constexpr std::int64_t w = decltype(width)::value;
                std::int64_t tap = 0;
                for (; tap + some_taps <= taps; tap += some_taps)
                  gradients<w, some_taps>(offsets + tap, channels, patch + c, from, grad + c, of_grad, count,
                                          sums + tap * channels + c);
                for (; tap < taps; ++tap)
                  gradients<w, 1>(offsets + tap, channels, patch + c, from, grad + c, of_grad, count,
                                  sums + tap * channels + c);
              };
              for (; c + block <= channels; c += block) add(std::integral_constant<std::int64_t, block>());
              for (; c < channels; ++c) add(std::integral_constant<std::int64_t, 1>());
            });
      }
    }
  });
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      T sum = 0;
      for (std::int64_t slice = 0; slice < slices; ++slice) sum += all[slice * elements + tap * channels + c];
      weight_grad[c * taps + tap] = sum;
    }
}

template void depthwise(const DepthwiseSize&, const float*, const float*, const float*, float*);
template void depthwise(const DepthwiseSize&, const double*, const double*, const double*, double*);
template void depthwise_weight_grad(const DepthwiseSize&, const float*, const float*, float*);
template void depthwise_weight_grad(const DepthwiseSize&, const double*, const double*, double*);

}  // namespace xgrad::detail
