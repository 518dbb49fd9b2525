#include "batch_norm.hpp"

#include <algorithm>

#include "../../core/parallel.hpp"
#include "../../core/vectorize.hpp"
#include "lane_sums.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t tile = 128;        // channels a kernel takes at a time when these are neighbours in memory
constexpr std::int64_t rows = 64;         // rows summed in T before they are added up in double
constexpr std::int64_t elements = 16384;  // worth a thread's attention

/// Calls f(first channel, last channel) for tiles of channels, in parallel.
template <class F>
void for_tiles(const BatchNormSize& size, F&& f) {
  const std::int64_t width = size.length == 1 ? tile : 1;
  const std::int64_t tiles = (size.channels + width - 1) / width;
  const std::int64_t grain = std::max<std::int64_t>(1, elements / std::max<std::int64_t>(size.values() * width, 1));
  parallel_for(tiles, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) f(i * width, std::min(size.channels, (i + 1) * width));
  });
}

/// Sums term(channel, index in memory) over each channel from c0 to c1, `Sums` of them at once, into totals[k][c - c0].
template <int Sums, class T, class Term>
[[gnu::always_inline]] inline void sum_channels(const BatchNormSize& size, std::int64_t c0, std::int64_t c1,
                                                double (&totals)[Sums][tile], const Term& term) {
  const std::int64_t width = c1 - c0;
  for (auto& total : totals)
    for (std::int64_t c = 0; c < width; ++c) total[c] = 0;
  if (size.length == 1) {
    for (std::int64_t begin = 0; begin < size.n; begin += rows) {
      T partial[Sums][tile] = {};
      const std::int64_t end = std::min(size.n, begin + rows);
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t at = row * size.channels + c0;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t c = 0; c < width; ++c) {
          T values[Sums];
          term(c0 + c, at + c, values);
          for (int k = 0; k < Sums; ++k) partial[k][c] += values[k];
        }
      }
      for (int k = 0; k < Sums; ++k)
        for (std::int64_t c = 0; c < width; ++c) totals[k][c] += static_cast<double>(partial[k][c]);
    }
    return;
  }
  double sums[Sums] = {};
  for (std::int64_t i = 0; i < size.n; ++i) {
    const std::int64_t from = (i * size.channels + c0) * size.length;
    add_terms<Sums, T>(from, from + size.length, sums,
                       [=](std::int64_t at, T(&values)[Sums]) { term(c0, at, values); });
  }
  for (int k = 0; k < Sums; ++k) totals[k][0] = sums[k];
}

/// out[at] = value(channel, at) for every element of the batch.
template <class T, class Value>
void fill_batch(const BatchNormSize& size, T* out, const Value& value) {
  if (size.length == 1) {
    parallel_for(size.n, std::max<std::int64_t>(1, elements / std::max<std::int64_t>(size.channels, 1)),
                 [=](std::int64_t begin, std::int64_t end) {
                   vectorized([=] {
                     for (std::int64_t row = begin; row < end; ++row) {
                       const std::int64_t at = row * size.channels;
                       XGRAD_INDEPENDENT_ITERATIONS
                       for (std::int64_t c = 0; c < size.channels; ++c) out[at + c] = value(c, at + c);
                     }
                   });
                 });
    return;
  }
  parallel_for(size.n * size.channels, std::max<std::int64_t>(1, elements / size.length),
               [=](std::int64_t begin, std::int64_t end) {
                 vectorized([=] {
                   for (std::int64_t plane = begin; plane < end; ++plane) {
                     const std::int64_t c = plane % size.channels, from = plane * size.length;
                     XGRAD_INDEPENDENT_ITERATIONS
                     for (std::int64_t i = 0; i < size.length; ++i) out[from + i] = value(c, from + i);
                   }
                 });
               });
}

}  // namespace

template <class T>
void batch_statistics(const BatchNormSize& size, const T* x, T* mean, T* variance) {
  for_tiles(size, [=](std::int64_t c0, std::int64_t c1) {
    vectorized([=] {
      const auto count = static_cast<double>(size.values());
      double totals[1][tile];
      sum_channels<1, T>(size, c0, c1, totals, [=](std::int64_t, std::int64_t at, T(&value)[1]) { value[0] = x[at]; });
      for (std::int64_t c = c0; c < c1; ++c) mean[c] = static_cast<T>(totals[0][c - c0] / count);
      sum_channels<1, T>(size, c0, c1, totals, [=](std::int64_t c, std::int64_t at, T(&value)[1]) {
        const T centred = x[at] - mean[c];
        value[0] = centred * centred;
      });
      for (std::int64_t c = c0; c < c1; ++c) variance[c] = static_cast<T>(totals[0][c - c0] / count);
    });
  });
}

template <class T>
void normalize_batch(const BatchNormSize& size, const T* x, const T* mean, const T* scale, const T* weight,
                     const T* bias, T* y) {
  if (weight && bias)
    fill_batch(size, y,
               [=](std::int64_t c, std::int64_t at) { return (x[at] - mean[c]) * scale[c] * weight[c] + bias[c]; });
  else if (weight)
    fill_batch(size, y, [=](std::int64_t c, std::int64_t at) { return (x[at] - mean[c]) * scale[c] * weight[c]; });
  else if (bias)
    fill_batch(size, y, [=](std::int64_t c, std::int64_t at) { return (x[at] - mean[c]) * scale[c] + bias[c]; });
  else
    fill_batch(size, y, [=](std::int64_t c, std::int64_t at) { return (x[at] - mean[c]) * scale[c]; });
}

template <class T>
void batch_norm_sums(const BatchNormSize& size, const T* grad, const T* x, const T* mean, const T* scale, T* bias_grad,
                     T* weight_grad) {
  for_tiles(size, [=](std::int64_t c0, std::int64_t c1) {
    vectorized([=] {
      double totals[2][tile];
      sum_channels<2, T>(size, c0, c1, totals, [=](std::int64_t c, std::int64_t at, T(&values)[2]) {
        values[0] = grad[at];
        values[1] = grad[at] * (x[at] - mean[c]);
      });
      for (std::int64_t c = c0; c < c1; ++c) {
        bias_grad[c] = static_cast<T>(totals[0][c - c0]);
        weight_grad[c] = static_cast<T>(totals[1][c - c0] * static_cast<double>(scale[c]));
      }
    });
  });
}

template <class T>
void batch_norm_input_grad(const BatchNormSize& size, const T* grad, const T* x, const T* mean, const T* scale,
                           const T* weight, const T* bias_grad, const T* weight_grad, T* x_grad) {
  const T inverse_count = T(1) / static_cast<T>(size.values());
  const auto value = [=](std::int64_t c, std::int64_t at) {
    return scale[c] * (grad[at] - (bias_grad[c] + (x[at] - mean[c]) * scale[c] * weight_grad[c]) * inverse_count);
  };
  if (weight)
    fill_batch(size, x_grad, [=](std::int64_t c, std::int64_t at) { return weight[c] * value(c, at); });
  else
    fill_batch(size, x_grad, value);
}

#define XGRAD_INSTANTIATE(T)                                                                                  \
  template void batch_statistics(const BatchNormSize&, const T*, T*, T*);                                     \
  template void normalize_batch(const BatchNormSize&, const T*, const T*, const T*, const T*, const T*, T*);  \
  template void batch_norm_sums(const BatchNormSize&, const T*, const T*, const T*, const T*, T*, T*);        \
  template void batch_norm_input_grad(const BatchNormSize&, const T*, const T*, const T*, const T*, const T*, \
                                      const T*, const T*, T*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
