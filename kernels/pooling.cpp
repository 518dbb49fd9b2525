#include "pooling.hpp"

#include <algorithm>
#include <limits>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"

namespace xgrad::detail {
namespace {

/// The windows of all outputs, as vectorized() takes them.
struct Windows {
  explicit Windows(const PoolSize& size)
      : height(size.input[1]),
        width(size.input[2]),
        depths(size.ranges[0].data()),
        heights(size.ranges[1].data()),
        widths(size.ranges[2].data()),
        depth_count(static_cast<std::int64_t>(size.ranges[0].size())),
        height_count(static_cast<std::int64_t>(size.ranges[1].size())),
        width_count(static_cast<std::int64_t>(size.ranges[2].size())) {}

  /// f(output, window) for outputs of all images in [begin, end), where window(g) calls g(place) for each place in it,
  /// counted within the image.
  template <class F>
  [[gnu::always_inline]] void for_each(std::int64_t begin, std::int64_t end, const F& f) const {
    for (std::int64_t output = begin; output < end; ++output) {
      const std::int64_t row = output / width_count;
      const PoolRange &w = widths[output % width_count], &h = heights[row % height_count],
                      &d = depths[row / height_count % depth_count];
      f(output, [&](const auto& g) {
        for (std::int64_t i = d.begin; i < d.end; i += d.step)
          for (std::int64_t j = h.begin; j < h.end; j += h.step)
            for (std::int64_t k = w.begin; k < w.end; k += w.step) g((i * height + j) * width + k);
      });
    }
  }

  std::int64_t height, width;  // of the input
  const PoolRange *depths, *heights, *widths;
  std::int64_t depth_count, height_count, width_count;
};

/// f(output, window) for all outputs, in parallel; each gives what belongs to it alone.
template <class F>
void over_outputs(const PoolSize& size, const F& f) {
  parallel_for(size.batch * size.outputs(), 16384 / size.channels + 1,
               [f, windows = Windows(size)](std::int64_t begin, std::int64_t end) {
                 vectorized([=] { windows.for_each(begin, end, f); });
               });
}

constexpr std::int64_t channel_block = 64;  // channels at a time where the work is cut there

std::int64_t places_of(const PoolSize& size) { return size.input[0] * size.input[1] * size.input[2]; }

/// f(output, window, image, first channel, channels) for all outputs, in parallel over images and blocks of channels,
/// so that what is added to an element of `x_grad`, 0 before, is added in order. image is the block's part of x_grad.
template <class T, class F>
void over_inputs(const PoolSize& size, T* x_grad, const F& f) {
  const std::int64_t channels = size.channels, blocks = (channels + channel_block - 1) / channel_block,
                     places = places_of(size), outputs = size.outputs(),
                     work = places * std::min(channels, channel_block);
  parallel_for(
      size.batch * blocks, 32768 / work + 1, [=, windows = Windows(size)](std::int64_t begin, std::int64_t end) {
        vectorized([=] {
          for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t image = i / blocks, first = i % blocks * channel_block,
                               count = std::min(channel_block, channels - first);
            T* const to = x_grad + image * places * channels + first;
            for (std::int64_t place = 0; place < places; ++place)
              for (std::int64_t c = 0; c < count; ++c) to[place * channels + c] = 0;
            windows.for_each(image * outputs, (image + 1) * outputs,
                             [&](std::int64_t output, const auto& window) { f(output, window, to, first, count); });
          }
        });
      });
}

}  // namespace

std::int64_t PoolSize::outputs() const {
  return static_cast<std::int64_t>(ranges[0].size() * ranges[1].size() * ranges[2].size());
}

template <class T>
void max_pool(const PoolSize& size, const T* x, T* y, PoolPlace<T>* places) {
  const std::int64_t channels = size.channels, image = places_of(size) * channels, outputs = size.outputs();
  over_outputs(size, [=](std::int64_t output, const auto& window) {
    const T* const from = x + output / outputs * image;
    T* const best = y + output * channels;
    PoolPlace<T>* const where = places + output * channels;
    bool first = true;
    window([&](std::int64_t place) {
      const T* const at = from + place * channels;
      const auto number = static_cast<PoolPlace<T>>(place);
      if (first) {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t c = 0; c < channels; ++c) best[c] = at[c], where[c] = number;
        first = false;
        return;
      }
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t c = 0; c < channels; ++c) {
        const T value = at[c], before = best[c];
        const bool better = !(value <= before) & (before == before);
        best[c] = better ? value : before;
        where[c] = better ? number : where[c];
      }
    });
    if (first)
      for (std::int64_t c = 0; c < channels; ++c) best[c] = -std::numeric_limits<T>::infinity(), where[c] = -1;
  });
}

template <class T>
void scatter_pooled(const PoolSize& size, const T* grad, const PoolPlace<T>* places, T* x_grad) {
  const std::int64_t channels = size.channels;
  over_inputs(size, x_grad,
              [=](std::int64_t output, const auto& window, T* image, std::int64_t first, std::int64_t count) {
                const T* const g = grad + output * channels + first;
                const PoolPlace<T>* const where = places + output * channels + first;
                window([&](std::int64_t place) {
                  T* const at = image + place * channels;
                  const auto number = static_cast<PoolPlace<T>>(place);
                  XGRAD_INDEPENDENT_ITERATIONS
                  for (std::int64_t c = 0; c < count; ++c) at[c] += where[c] == number ? g[c] : T(0);
                });
              });
}

template <class T>
void gather_pooled(const PoolSize& size, const T* x, const PoolPlace<T>* places, T* y) {
  const std::int64_t channels = size.channels, image = places_of(size) * channels, outputs = size.outputs();
  parallel_for(size.batch * outputs, 16384 / channels + 1, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t output = begin; output < end; ++output)
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t place = places[output * channels + c];
        y[output * channels + c] = place < 0 ? T(0) : x[output / outputs * image + place * channels + c];
      }
  });
}

template <class T>
void avg_pool(const PoolSize& size, const T* x, const T* divisors, T* y) {
  const std::int64_t channels = size.channels, image = places_of(size) * channels, outputs = size.outputs();
  over_outputs(size, [=](std::int64_t output, const auto& window) {
    const T* const from = x + output / outputs * image;
    T* const sum = y + output * channels;
    for (std::int64_t c = 0; c < channels; ++c) sum[c] = 0;
    window([&](std::int64_t place) {
      const T* const at = from + place * channels;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t c = 0; c < channels; ++c) sum[c] += at[c];
    });
    const T divisor = divisors[output % outputs];
    for (std::int64_t c = 0; c < channels; ++c) sum[c] /= divisor;
  });
}

template <class T>
void avg_pool_backward(const PoolSize& size, const T* grad, const T* divisors, T* x_grad) {
  const std::int64_t channels = size.channels, outputs = size.outputs();
  over_inputs(size, x_grad,
              [=](std::int64_t output, const auto& window, T* image, std::int64_t first, std::int64_t count) {
                const T* const g = grad + output * channels + first;
                const T factor = 1 / divisors[output % outputs];
                window([&](std::int64_t place) {
                  T* const at = image + place * channels;
                  XGRAD_INDEPENDENT_ITERATIONS
                  for (std::int64_t c = 0; c < count; ++c) at[c] += factor * g[c];
                });
              });
}

template void max_pool(const PoolSize&, const float*, float*, PoolPlace<float>*);
template void max_pool(const PoolSize&, const double*, double*, PoolPlace<double>*);
template void scatter_pooled(const PoolSize&, const float*, const PoolPlace<float>*, float*);
template void scatter_pooled(const PoolSize&, const double*, const PoolPlace<double>*, double*);
template void gather_pooled(const PoolSize&, const float*, const PoolPlace<float>*, float*);
template void gather_pooled(const PoolSize&, const double*, const PoolPlace<double>*, double*);
template void avg_pool(const PoolSize&, const float*, const float*, float*);
template void avg_pool(const PoolSize&, const double*, const double*, double*);
template void avg_pool_backward(const PoolSize&, const float*, const float*, float*);
template void avg_pool_backward(const PoolSize&, const double*, const double*, double*);

}  // namespace xgrad::detail
