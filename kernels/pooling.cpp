#include "pooling.hpp"

#include <algorithm>
#include <limits>

#include "../core/parallel.hpp"
#include "vectors.hpp"

namespace xgrad::detail {
namespace {

/// The windows of all outputs, as run_with_vectors() takes them.
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

  /// f(output, window, first) for outputs of all images in [begin, end), where window(g) calls g(place) for each place
  /// in it, counted within the image; `first` is the first of them, or -1.
  template <class F>
  [[gnu::always_inline]] void for_each(std::int64_t begin, std::int64_t end, const F& f) const {
    for (std::int64_t output = begin; output < end; ++output) {
      const std::int64_t row = output / width_count;
      const PoolRange &w = widths[output % width_count], &h = heights[row % height_count],
                      &d = depths[row / height_count % depth_count];
      const bool empty = d.begin >= d.end || h.begin >= h.end || w.begin >= w.end;
      f(
          output,
          [&](const auto& g) {
            for (std::int64_t i = d.begin; i < d.end; i += d.step)
              for (std::int64_t j = h.begin; j < h.end; j += h.step)
                for (std::int64_t k = w.begin; k < w.end; k += w.step) g((i * height + j) * width + k);
          },
          empty ? -1 : (d.begin * height + h.begin) * width + w.begin);
    }
  }

  std::int64_t height, width;  // of the input
  const PoolRange *depths, *heights, *widths;
  std::int64_t depth_count, height_count, width_count;
};

/// f(output, window, first, bytes) for all outputs, in parallel; each gives what belongs to it alone.
template <class F>
void over_outputs(const PoolSize& size, const F& f) {
  parallel_for(size.batch * size.outputs(), 16384 / size.channels + 1,
               [f, windows = Windows(size)](std::int64_t begin, std::int64_t end) {
                 run_with_vectors<32>([=](auto bytes) {
                   windows.for_each(begin, end, [&](std::int64_t output, const auto& window, std::int64_t first) {
                     f(output, window, first, bytes);
                   });
                 });
               });
}

/// Whether every place is in one window, and in no other.
bool cover_once(const PoolSize& size) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::int64_t end = 0;
    for (const PoolRange& range : size.ranges[axis]) {
      if (range.begin != end || (range.step != 1 && range.end - range.begin > 1)) return false;
      end = range.end;
    }
    if (end != size.input[axis]) return false;
  }
  return true;
}

constexpr std::int64_t channel_block = 64;  // channels at a time where the work is cut there

std::int64_t places_of(const PoolSize& size) { return size.input[0] * size.input[1] * size.input[2]; }

/// f(output, window, image, channel, channels, add, bytes) for all outputs, in parallel over images and blocks of
/// channels, so that what is added to an element of x_grad is added in order. `image` is the block's part of x_grad,
/// and add(to, value) adds a vector there; where each element is given once, it only writes it.
template <class T, class F>
void over_inputs(const PoolSize& size, T* x_grad, const F& f) {
  const std::int64_t channels = size.channels, blocks = (channels + channel_block - 1) / channel_block,
                     places = places_of(size), outputs = size.outputs(),
                     work = places * std::min(channels, channel_block);
  const bool once = cover_once(size);
  parallel_for(size.batch * blocks, 32768 / work + 1,
               [=, windows = Windows(size)](std::int64_t begin, std::int64_t end) {
                 const auto run = [=](auto adds) {
                   run_with_vectors<32>([=](auto bytes) {
                     for (std::int64_t i = begin; i < end; ++i) {
                       const std::int64_t image = i / blocks, channel = i % blocks * channel_block,
                                          count = std::min(channel_block, channels - channel);
                       T* const to = x_grad + image * places * channels + channel;
                       for (std::int64_t place = 0; adds && place < places; ++place)
                         for (std::int64_t c = 0; c < count; ++c) to[place * channels + c] = 0;
                       windows.for_each(image * outputs, (image + 1) * outputs,
                                        [&](std::int64_t output, const auto& window, std::int64_t) {
                                          f(output, window, to, channel, count, adds, bytes);
                                        });
                     }
                   });
                 };
                 if (once)
                   run(std::false_type());
                 else
                   run(std::true_type());
               });
}

/// Writes a vector, or adds it to what is there.
template <bool adds, class V, class T>
[[gnu::always_inline]] inline void give(T* to, const typename V::Vector& value) {
  typename V::Vector sum = value;
  if constexpr (adds) {
    typename V::Vector before;
    V::load(before, to);
    sum += before;
  }
  V::store(to, sum);
}

}  // namespace

std::int64_t PoolSize::outputs() const {
  return static_cast<std::int64_t>(ranges[0].size() * ranges[1].size() * ranges[2].size());
}

template <class T>
void max_pool(const PoolSize& size, const T* x, T* y, PoolPlace<T>* places) {
  const std::int64_t channels = size.channels, image = places_of(size) * channels, outputs = size.outputs();
  over_outputs(size, [=](std::int64_t output, const auto& window, std::int64_t first, auto bytes) {
    const T* const from = x + output / outputs * image;
    for_each_vector<T>(channels, bytes, [&](std::int64_t c, auto how_wide) {
      using V = Vectors<T, decltype(how_wide)::value>;
      using P = Vectors<PoolPlace<T>, decltype(how_wide)::value>;
      typename V::Vector best = typename V::Vector{} - std::numeric_limits<T>::infinity(), value;
      typename P::Vector where = typename P::Vector{} + static_cast<PoolPlace<T>>(first);
      window([&](std::int64_t place) {
        V::load(value, from + place * channels + c);
        const typename P::Vector number = typename P::Vector{} + static_cast<PoolPlace<T>>(place);
        const typename P::Vector better = ~(value <= best) & (best == best);
        best = better ? value : best;
        where = better ? number : where;
      });
      V::store(y + output * channels + c, best);
      P::store(places + output * channels + c, where);
    });
  });
}

template <class T>
void scatter_pooled(const PoolSize& size, const T* grad, const PoolPlace<T>* places, T* x_grad) {
  const std::int64_t channels = size.channels;
  over_inputs(size, x_grad,
              [=](std::int64_t output, const auto& window, T* image, std::int64_t channel, std::int64_t count,
                  auto adds, auto bytes) {
                for_each_vector<T>(count, bytes, [&](std::int64_t c, auto how_wide) {
                  using V = Vectors<T, decltype(how_wide)::value>;
                  using P = Vectors<PoolPlace<T>, decltype(how_wide)::value>;
                  typename V::Vector g;
                  typename P::Vector where;
                  V::load(g, grad + output * channels + channel + c);
                  P::load(where, places + output * channels + channel + c);
                  window([&](std::int64_t place) {
                    const typename P::Vector number = typename P::Vector{} + static_cast<PoolPlace<T>>(place);
                    const typename V::Vector part = where == number ? g : typename V::Vector{};
                    give<decltype(adds)::value, V>(image + place * channels + c, part);
                  });
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
  over_outputs(size, [=](std::int64_t output, const auto& window, std::int64_t, auto bytes) {
    const T* const from = x + output / outputs * image;
    for_each_vector<T>(channels, bytes, [&](std::int64_t c, auto how_wide) {
      using V = Vectors<T, decltype(how_wide)::value>;
      typename V::Vector sum = {}, value;
      window([&](std::int64_t place) {
        V::load(value, from + place * channels + c);
        sum += value;
      });
      sum /= typename V::Vector{} + divisors[output % outputs];
      V::store(y + output * channels + c, sum);
    });
  });
}

template <class T>
void avg_pool_backward(const PoolSize& size, const T* grad, const T* divisors, T* x_grad) {
  const std::int64_t channels = size.channels, outputs = size.outputs();
  over_inputs(size, x_grad,
              [=](std::int64_t output, const auto& window, T* image, std::int64_t channel, std::int64_t count,
                  auto adds, auto bytes) {
                for_each_vector<T>(count, bytes, [&](std::int64_t c, auto how_wide) {
                  using V = Vectors<T, decltype(how_wide)::value>;
                  typename V::Vector g;
                  V::load(g, grad + output * channels + channel + c);
                  g /= typename V::Vector{} + divisors[output % outputs];
                  window([&](std::int64_t place) { give<decltype(adds)::value, V>(image + place * channels + c, g); });
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
