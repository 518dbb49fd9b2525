#include "batch_norm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "moments.hpp"
#include "sums.hpp"

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
      std::int64_t row = begin;
      for (; row + 4 <= end; row += 4) {
        const std::int64_t at = row * size.channels + c0;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t c = 0; c < width; ++c) {
          T values[4][Sums];
          for (int j = 0; j < 4; ++j) term(c0 + c, at + j * size.channels + c, values[j]);
          for (int k = 0; k < Sums; ++k) partial[k][c] += (values[0][k] + values[1][k]) + (values[2][k] + values[3][k]);
        }
      }
      for (; row < end; ++row) {
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

/// The deviations of `width` channels that are neighbours in memory, from centres that are found.
template <class T>
[[gnu::always_inline]] inline void find_columns(const BatchNormSize& size, const T* x, std::int64_t width, T* centres,
                                                double* sums, double* squares) {
  centres_of_columns(x, size.channels, size.n, width, centres);
  for (int pass = 0; pass < 2; ++pass) {
    column_deviations<tile>(x, size.channels, size.n, width, centres, sums, squares);
    if (pass == 1 || !improve_centres(centres, width, static_cast<double>(size.n), sums, squares)) return;
  }
}

/// The same for one channel, whose values lie in planes.
template <int lanes, class T>
[[gnu::always_inline]] inline void find_planes(const BatchNormSize& size, const T* x, T* centres, double* sums,
                                               double* squares) {
  constexpr std::int64_t piece = 8192;
  const std::int64_t step = size.channels * size.length, samples = size.values() < 32 ? size.values() : 32,
                     apart = size.values() / samples, planes = apart / size.length, rest = apart % size.length;
  T off = 0;
  for (std::int64_t k = 0, plane = 0, at = 0; k < samples; ++k) {
    off += x[plane * step + at] - x[0];
    plane += planes;
    at += rest;
    if (at >= size.length) at -= size.length, ++plane;
  }
  centres[0] = x[0] + off / static_cast<T>(samples);
  for (int pass = 0; pass < 2; ++pass) {
    sums[0] = squares[0] = 0;
    for (std::int64_t plane = 0; plane < size.n;) {
      WideDeviationSums<T, lanes> wide;
      for (std::int64_t seen = 0; plane < size.n && seen < piece; ++plane, seen += size.length)
        wide.add(x + plane * step, size.length, centres[0], Ahead<T>{nullptr});
      const DeviationSums total = wide.total();
      sums[0] += total.sum;
      squares[0] += total.squares;
    }
    if (pass == 1 || !improve_centres(centres, 1, static_cast<double>(size.values()), sums, squares)) return;
  }
}

/// Whether products with some scale would be short of digits.
template <class T>
bool any_tiny(const BatchNormSize& size, const T* scale) {
  const T least = std::sqrt(std::numeric_limits<T>::min());
  return std::any_of(scale, scale + size.channels, [least](T value) { return value < least; });
}

}  // namespace

template <class T>
void batch_statistics(const BatchNormSize& size, const T* x, double eps, T* centre, T* scale, T* offset, T* variance) {
  const auto count = static_cast<double>(size.values());
  for_tiles(size, [=](std::int64_t c0, std::int64_t c1) {
    double found[tile];
    double* const all_squares = found;
    std::int64_t beyond = 0;
    vectorized_in_lanes([ =, &beyond ](auto lanes) __attribute__((always_inline)) {
      const std::int64_t width = c1 - c0;
      T centres[tile];
      double sums[tile], squares[tile];
      if (size.length == 1)
        find_columns(size, x + c0, width, centres, sums, squares);
      else
        find_planes<lanes.value>(size, x + c0 * size.length, centres, sums, squares);
      std::int64_t far = 0;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        const Moments<T> moments = moments_around(centres[i], count, {sums[i], squares[i]});
        const Standard<T> by = standard(moments, count, eps);
        centre[c0 + i] = by.centre;
        scale[c0 + i] = by.scale;
        offset[c0 + i] = by.offset;
        variance[c0 + i] = static_cast<T>(moments.squares * (1 / count));
        all_squares[i] = moments.squares;
        far += is_beyond(moments, count, eps) ? 1 : 0;
      }
      beyond = far;
    });
    if (beyond == 0) [[likely]]
      return;
    for (std::int64_t c = c0; c < c1; ++c) {
      if (!is_beyond(Moments<T>{centre[c], 0, found[c - c0]}, count, eps)) continue;
      const auto for_each = [=](const auto& f) {
        for (std::int64_t i = 0; i < size.n; ++i)
          for (std::int64_t k = 0; k < size.length; ++k) f(x[(i * size.channels + c) * size.length + k]);
      };
      const ExactMoments moments = exact_moments(size.values(), for_each);
      const Standard<T> by = exact_standard<T>(moments, size.values(), eps, for_each);
      centre[c] = by.centre;
      scale[c] = by.scale;
      offset[c] = by.offset;
      variance[c] = static_cast<T>(moments.squares / static_cast<long double>(count));
    }
  });
}

template <class T>
void normalize_batch(const BatchNormSize& size, const T* x, const T* centre, const T* scale, const T* offset,
                     const T* weight, const T* bias, T* y) {
  const Scratch<T> memory(2 * size.channels);
  T *const factor = memory.data(), *const term = factor + size.channels;
  for (std::int64_t c = 0; c < size.channels; ++c) {
    const T w = weight ? weight[c] : T(1);
    factor[c] = scale[c] * w;
    term[c] = (offset ? offset[c] * w : T(0)) + (bias ? bias[c] : T(0));
  }
  if (weight && any_tiny(size, scale))  // the factors would be short of digits
    return fill_batch(
        size, y, [=](std::int64_t c, std::int64_t at) { return (x[at] - centre[c]) * scale[c] * weight[c] + term[c]; });
  fill_batch(size, y, [=](std::int64_t c, std::int64_t at) { return (x[at] - centre[c]) * factor[c] + term[c]; });
}

template <class T>
void batch_norm_sums(const BatchNormSize& size, const T* grad, const T* x, const T* centre, const T* scale,
                     const T* offset, T* bias_grad, T* weight_grad) {
  for_tiles(size, [=](std::int64_t c0, std::int64_t c1) {
    vectorized([=] {
      double totals[2][tile];
      sum_channels<2, T>(size, c0, c1, totals, [=](std::int64_t c, std::int64_t at, T(&values)[2]) {
        values[0] = grad[at];
        values[1] = grad[at] * ((x[at] - centre[c]) * scale[c]);
      });
      for (std::int64_t c = c0; c < c1; ++c) {
        bias_grad[c] = static_cast<T>(totals[0][c - c0]);
        weight_grad[c] =
            static_cast<T>(totals[1][c - c0] + (offset ? totals[0][c - c0] * static_cast<double>(offset[c]) : 0.0));
      }
    });
  });
}

template <class T>
void batch_norm_input_grad(const BatchNormSize& size, const T* grad, const T* x, const T* centre, const T* scale,
                           const T* offset, const T* weight, const T* bias_grad, const T* weight_grad, T* x_grad) {
  const Scratch<T> memory(4 * size.channels);
  T *const factor = memory.data(), *const level = factor + size.channels, *const by_value = level + size.channels,
           *const slope = by_value + size.channels;
  const auto count = static_cast<T>(size.values());
  for (std::int64_t c = 0; c < size.channels; ++c) {
    factor[c] = weight ? weight[c] * scale[c] : scale[c];
    by_value[c] = weight_grad[c] / count;
    level[c] = bias_grad[c] / count + offset[c] * by_value[c];
    slope[c] = by_value[c] * scale[c];
  }
  if (any_tiny(size, scale))
    return fill_batch(size, x_grad, [=](std::int64_t c, std::int64_t at) {
      return (grad[at] - level[c] - (x[at] - centre[c]) * scale[c] * by_value[c]) * (weight ? weight[c] : T(1)) *
             scale[c];
    });
  fill_batch(size, x_grad, [=](std::int64_t c, std::int64_t at) {
    return factor[c] * (grad[at] - level[c] - (x[at] - centre[c]) * slope[c]);
  });
}

#define XGRAD_INSTANTIATE(T)                                                                                           \
  template void batch_statistics(const BatchNormSize&, const T*, double, T*, T*, T*, T*);                              \
  template void normalize_batch(const BatchNormSize&, const T*, const T*, const T*, const T*, const T*, const T*, T*); \
  template void batch_norm_sums(const BatchNormSize&, const T*, const T*, const T*, const T*, const T*, T*, T*);       \
  template void batch_norm_input_grad(const BatchNormSize&, const T*, const T*, const T*, const T*, const T*,          \
                                      const T*, const T*, const T*, T*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
