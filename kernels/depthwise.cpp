#include "depthwise.hpp"

#include <algorithm>

#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "vectors.hpp"

namespace xgrad::detail {
namespace {

std::int64_t most_outputs(std::int64_t channels) { return std::clamp<std::int64_t>(32768 / channels, 16, 512); }

/// Where each tap has its weights in those of a channel.
std::vector<std::int64_t> tap_indices(const DepthwiseSize& size) {
  std::vector<std::int64_t> indices;
  size.window.for_each_tap([&](const auto& d, const auto& h, const auto& w) {
    indices.push_back((d.index * size.kernel[1] + h.index) * size.kernel[2] + w.index);
  });
  return indices;
}

/// Up to four outputs, of `vectors` vectors of channels; those beyond the last are computed again from it.
template <int bytes, int vectors, class T>
[[gnu::always_inline]] inline void four_outputs(std::int64_t taps, const std::int64_t* tap_offsets,
                                                std::int64_t channels, const T* x, const std::int64_t* from,
                                                const T* weight, const T* bias, T* y, const std::int64_t* to,
                                                std::int64_t count) {
  using V = Vectors<T, bytes>;
  typename V::Vector sums[4][vectors];
  const T* at[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    at[i] = x + from[std::min<std::int64_t>(i, count - 1)];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      sums[i][v] = typename V::Vector{};
      if (bias) V::load(sums[i][v], bias + v * V::width);
    }
  }
  for (std::int64_t tap = 0; tap < taps; ++tap, weight += channels) {
    const std::int64_t offset = tap_offsets[tap];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      typename V::Vector w, in;
      V::load(w, weight + v * V::width);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        V::load(in, at[i] + offset + v * V::width);
        sums[i][v] += in * w;
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i)
    if (i < count) {
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) V::store(y + to[i] + v * V::width, sums[i][v]);
    }
}

/// Adds to `sums`, (taps, channels), what `count` outputs give to the gradients of `n` taps of a vector of channels.
template <int bytes, int n, class T>
[[gnu::always_inline]] inline void add_gradients(const std::int64_t* tap_offsets, std::int64_t channels, const T* x,
                                                 const std::int64_t* from, const T* grad, const std::int64_t* of_grad,
                                                 std::int64_t count, T* sums) {
  using V = Vectors<T, bytes>;
  typename V::Vector part[n] = {};
  for (std::int64_t i = 0; i < count; ++i) {
    typename V::Vector g, in;
    V::load(g, grad + of_grad[i]);
    const T* const at = x + from[i];
#pragma GCC unroll 9
    for (int tap = 0; tap < n; ++tap) {
      V::load(in, at + tap_offsets[tap]);
      part[tap] += in * g;
    }
  }
#pragma GCC unroll 9
  for (int tap = 0; tap < n; ++tap) {
    T* const to = sums + tap * channels;
    typename V::Vector sum;
    V::load(sum, to);
    sum += part[tap];
    V::store(to, sum);
  }
}

/// The same of all taps, nine at a time, or three, or one.
template <int bytes, class T>
[[gnu::always_inline]] inline void add_all_gradients(std::int64_t taps, const std::int64_t* tap_offsets,
                                                     std::int64_t channels, const T* x, const std::int64_t* from,
                                                     const T* grad, const std::int64_t* of_grad, std::int64_t count,
                                                     T* sums) {
  std::int64_t tap = 0;
  const auto add = [&](auto number) {
    constexpr int n = decltype(number)::value;
    for (; tap + n <= taps; tap += n)
      add_gradients<bytes, n>(tap_offsets + tap, channels, x, from, grad, of_grad, count, sums + tap * channels);
  };
  add(std::integral_constant<int, 9>());
  add(std::integral_constant<int, 3>());
  add(std::integral_constant<int, 1>());
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
      run_with_vectors(
          [=, count = box.outputs(), from = from.data(), to = to.data(), offsets = tap_offsets.data()](auto bytes) {
            constexpr int whole = decltype(bytes)::value, one = sizeof(T);
            constexpr std::int64_t width = whole / one;
            for (std::int64_t i = 0; i < count; i += 4) {
              std::int64_t c = 0;
              const auto give = [&](auto how_wide, auto vectors) {
                four_outputs<decltype(how_wide)::value, decltype(vectors)::value>(
                    taps, offsets, channels, patch + c, from + i, weights + c, bias ? bias + c : bias, y + c, to + i,
                    std::min<std::int64_t>(4, count - i));
              };
              using One = std::integral_constant<int, 1>;
              for (; c + 2 * width <= channels; c += 2 * width) give(bytes, std::integral_constant<int, 2>());
              for (; c + width <= channels; c += width) give(bytes, One());
              for (; c < channels; ++c) give(std::integral_constant<int, one>(), One());
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
        run_with_vectors([=, count = box.outputs(), from = from.data(), of_grad = of_grad.data(),
                          offsets = tap_offsets.data()](auto bytes) {
          constexpr int whole = decltype(bytes)::value, one = sizeof(T);
          constexpr std::int64_t width = whole / one;
          std::int64_t c = 0;
          for (; c + width <= channels; c += width)
            add_all_gradients<whole>(taps, offsets, channels, patch + c, from, grad + c, of_grad, count, sums + c);
          for (; c < channels; ++c)
            add_all_gradients<one>(taps, offsets, channels, patch + c, from, grad + c, of_grad, count, sums + c);
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
