#include "weighted_points.hpp"

#include <algorithm>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"

namespace xgrad::detail {
namespace {

/// How many channels are worked on together: those that lie side by side, or one.
std::int64_t channels_at_once(const PointSize& size, const ImageStrides& strides) {
  return strides.channel == 1 ? std::min<std::int64_t>(size.channels, 64) : 1;
}

}  // namespace

template <class T>
void sum_points(const PointSize& size, const std::int64_t* places, const T* weights, const T* x,
                const ImageStrides& x_strides, T* y, const ImageStrides& y_strides) {
  constexpr std::int64_t points_at_once = 256;
  const std::int64_t block = channels_at_once(size, x_strides), blocks = (size.channels + block - 1) / block,
                     parts = (size.points + points_at_once - 1) / points_at_once, taps = size.taps,
                     work = std::min(size.points, points_at_once) * block * taps;
  parallel_for(size.batch * blocks * parts, 32768 / work + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t image = i / parts / blocks, channel = i / parts % blocks * block,
                         channels = std::min(block, size.channels - channel), first = i % parts * points_at_once,
                         last = std::min(first + points_at_once, size.points), listed = image * size.points * taps;
      const T* const from = x + image * x_strides.image + channel * x_strides.channel;
      T* const to = y + image * y_strides.image + channel * y_strides.channel;
      vectorized([=, x_place = x_strides.place, y_place = y_strides.place, y_step = y_strides.channel] {
        for (std::int64_t l = first; l < last; ++l) {
          T* const sums = to + l * y_place;
          const std::int64_t begin_tap = listed + l * taps, end_tap = begin_tap + taps;
          if (channels == 1) {
            T sum = 0;
            for (std::int64_t k = begin_tap; k < end_tap; ++k)
              if (places[k] >= 0) sum += weights[k] * from[places[k] * x_place];
            *sums = sum;
            continue;
          }
          for (std::int64_t c = 0; c < channels; ++c) sums[c * y_step] = 0;
          for (std::int64_t k = begin_tap; k < end_tap; ++k) {
            if (places[k] < 0) continue;
            const T* const at = from + places[k] * x_place;
            const T w = weights[k];
            XGRAD_INDEPENDENT_ITERATIONS
            for (std::int64_t c = 0; c < channels; ++c) sums[c * y_step] += w * at[c];
          }
        }
      });
    }
  });
}

template <class T>
void scatter_points(const PointSize& size, const std::int64_t* places, const T* weights, const T* g,
                    const ImageStrides& g_strides, T* x_grad, const ImageStrides& x_strides) {
  const std::int64_t block = channels_at_once(size, x_strides), blocks = (size.channels + block - 1) / block,
                     taps = size.taps, work = (size.places + size.points * taps) * block;
  parallel_for(size.batch * blocks, 32768 / work + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t image = i / blocks, channel = i % blocks * block,
                         channels = std::min(block, size.channels - channel), listed = image * size.points * taps;
      const T* const from = g + image * g_strides.image + channel * g_strides.channel;
      T* const to = x_grad + image * x_strides.image + channel * x_strides.channel;
      vectorized([=, all = size.places, points = size.points, x_place = x_strides.place, g_place = g_strides.place,
                  g_step = g_strides.channel] {
        for (std::int64_t p = 0; p < all; ++p)
          for (std::int64_t c = 0; c < channels; ++c) to[p * x_place + c] = 0;
        for (std::int64_t l = 0; l < points; ++l) {
          const T* const upstream = from + l * g_place;
          const std::int64_t begin_tap = listed + l * taps, end_tap = begin_tap + taps;
          for (std::int64_t k = begin_tap; k < end_tap; ++k) {
            if (places[k] < 0) continue;
            T* const at = to + places[k] * x_place;
            const T w = weights[k];
            if (channels == 1) {
              *at += w * *upstream;
              continue;
            }
            XGRAD_INDEPENDENT_ITERATIONS
            for (std::int64_t c = 0; c < channels; ++c) at[c] += w * upstream[c * g_step];
          }
        }
      });
    }
  });
}

template <class T>
void dot_points(const PointSize& size, const std::int64_t* places, const T* g, const ImageStrides& g_strides,
                const T* x, const ImageStrides& x_strides, T* w_grad) {
  parallel_for(size.batch * size.points, 32768 / (size.channels * size.taps) + 1,
               [=](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const T* const upstream = g + i / size.points * g_strides.image + i % size.points * g_strides.place;
                   const T* const image = x + i / size.points * x_strides.image;
                   for (std::int64_t k = i * size.taps; k < (i + 1) * size.taps; ++k) {
                     T sum = 0;
                     if (places[k] >= 0) {
                       const T* const at = image + places[k] * x_strides.place;
                       for (std::int64_t c = 0; c < size.channels; ++c)
                         sum += upstream[c * g_strides.channel] * at[c * x_strides.channel];
                     }
                     w_grad[k] = sum;
                   }
                 }
               });
}

#define XGRAD_POINTS(T)                                                                                            \
  template void sum_points(const PointSize&, const std::int64_t*, const T*, const T*, const ImageStrides&, T*,     \
                           const ImageStrides&);                                                                   \
  template void scatter_points(const PointSize&, const std::int64_t*, const T*, const T*, const ImageStrides&, T*, \
                               const ImageStrides&);                                                               \
  template void dot_points(const PointSize&, const std::int64_t*, const T*, const ImageStrides&, const T*,         \
                           const ImageStrides&, T*);
XGRAD_POINTS(float)
XGRAD_POINTS(double)
#undef XGRAD_POINTS

}  // namespace xgrad::detail
