#include "batch_norm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "channels.hpp"
#include "moments.hpp"

namespace xgrad::detail {

namespace {
using namespace channels;

/// The deviations of the values behind each moment, where channels are neighbours in memory, from centres that are
/// found: totals[g] are their sums, those of their squares follow.
template <class T>
void find_columns(const BatchNormSize& size, const T* x, T* centres, double* totals) {
  const Columns of(size);
  const std::int64_t groups = size.channels / size.group, run = size.group * size.length;
  const Scratch<T> memory(of.width);
  const Scratch<double> sums_of_channels(2 * size.channels);
  T* const each = memory.data();
  for (std::int64_t column = 0; column < of.period; column += tile) {
    const std::int64_t width = std::min(tile, of.period - column);
    vectorized([=] { centres_of_columns(x + column, of.width, of.count, width, each + column); });
  }
  for (std::int64_t g = 0; g < groups; ++g) {
    const T* const some = each + g * run;
    T off = 0;
    for (std::int64_t i = 1; i < run; ++i) off += some[i] - some[0];
    centres[g] = some[0] + off / static_cast<T>(run);
  }
  for (int pass = 0; pass < 2; ++pass) {
    for (std::int64_t i = 0; i < of.width;)
      for (std::int64_t g = 0; g < groups; ++g)
        for (std::int64_t k = 0; k < run; ++k) each[i++] = centres[g];
    double* const sums = size.group == 1 ? totals : sums_of_channels.data();
    sum_columns<2>(size, sums,
                   [=](std::int64_t row, std::int64_t count, std::int64_t column, std::int64_t width, double* to) {
                     vectorized([=] {
                       column_deviations<tile>(x + row * of.width + column, of.width, count, width, each + column, to,
                                               to + of.width);
                     });
                   });
    if (size.group != 1) {
      std::fill_n(totals, 2 * groups, 0.0);
      for (std::int64_t c = 0; c < 2 * size.channels; ++c) totals[c / size.group] += sums[c];
    }
    if (pass == 1 || !improve_centres(centres, groups, static_cast<double>(size.values()), totals, totals + groups))
      return;
  }
}

/// Those of one channel, whose values lie in planes.
template <int lanes, class T>
[[gnu::always_inline]] inline void find_planes(const BatchNormSize& size, const T* x, T& centre, DeviationSums& sums) {
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
  centre = x[0] + off / static_cast<T>(samples);
  for (int pass = 0; pass < 2; ++pass) {
    sums = {};
    for (std::int64_t plane = 0; plane < size.n;) {
      DeviationSums total;
      if (size.length > piece) {
        total = row_deviations<lanes>(x + plane++ * step, size.length, centre, Ahead<T>{nullptr});
      } else {
        WideDeviationSums<T, lanes> wide;
        for (std::int64_t seen = 0; plane < size.n && seen < piece; ++plane, seen += size.length)
          wide.add(x + plane * step, size.length, centre, Ahead<T>{nullptr});
        total = wide.total();
      }
      sums.sum += total.sum;
      sums.squares += total.squares;
    }
    if (pass == 1 || !improve_centres(&centre, 1, static_cast<double>(size.values()), &sums.sum, &sums.squares)) return;
  }
}

/// Whether products with some scale would be short of digits.
template <class T>
bool any_tiny(const BatchNormSize& size, const T* scale) {
  const T least = std::sqrt(std::numeric_limits<T>::min());
  return std::any_of(scale, scale + size.channels, [least](T value) { return value < least; });
}

/// Of each group of channels.
template <class T>
void find_statistics(const BatchNormSize& size, const T* x, double eps, T* centre, T* scale, T* offset, T* variance) {
  const auto count = static_cast<double>(size.values());
  const std::int64_t groups = size.channels / size.group;
  const Scratch<double> memory(2 * groups);
  double *const sums = memory.data(), *const squares = sums + groups;
  if (in_columns(size))
    find_columns(size, x, centre, sums);
  else
    for_channels(size, [=](std::int64_t c) {
      vectorized_in_lanes([=](auto lanes) __attribute__((always_inline)) {
        DeviationSums found;
        find_planes<lanes.value>(size, x + c * size.length, centre[c], found);
        sums[c] = found.sum;
        squares[c] = found.squares;
      });
    });
  std::int64_t beyond = 0;
  vectorized([=, &beyond] {
    std::int64_t far = 0;
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t g = 0; g < groups; ++g) {
      const Moments<T> moments = moments_around(centre[g], count, {sums[g], squares[g]});
      const Standard<T> by = standard(moments, count, eps);
      centre[g] = by.centre;
      scale[g] = by.scale;
      offset[g] = by.offset;
      variance[g] = static_cast<T>(moments.squares * (1 / count));
      squares[g] = moments.squares;
      far += is_beyond(moments, count, eps) ? 1 : 0;
    }
    beyond = far;
  });
  if (beyond == 0) [[likely]]
    return;
  parallel_for(groups, 1, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t g = begin; g < end; ++g) {
      if (!is_beyond(Moments<T>{centre[g], 0, squares[g]}, count, eps)) continue;
      const auto for_each = [=](const auto& f) {
        const std::int64_t run = size.group * size.length;
        for (std::int64_t i = 0; i < size.n; ++i)
          for (std::int64_t k = 0; k < run; ++k) f(x[i * size.channels * size.length + g * run + k]);
      };
      const ExactMoments moments = exact_moments(size.values(), for_each);
      const Standard<T> by = exact_standard<T>(moments, size.values(), eps, for_each);
      centre[g] = by.centre;
      scale[g] = by.scale;
      offset[g] = by.offset;
      variance[g] = static_cast<T>(moments.squares / static_cast<long double>(count));
    }
  });
}

/// Finds the statistics of groups by find(centre, scale, offset, variance), and gives them to all of their channels.
template <class T, class Find>
void repeat_statistics(const BatchNormSize& size, T* centre, T* scale, T* offset, T* variance, const Find& find) {
  const std::int64_t groups = size.channels / size.group;
  const Scratch<T> memory(4 * groups);
  T* const found = memory.data();
  find(found, found + groups, found + 2 * groups, found + 3 * groups);
  for (std::int64_t c = 0; c < size.channels; ++c) {
    const std::int64_t g = c / size.group;
    centre[c] = found[g];
    scale[c] = found[groups + g];
    offset[c] = found[2 * groups + g];
    variance[c] = found[3 * groups + g];
  }
}

}  // namespace

template <class T>
void batch_statistics(const BatchNormSize& size, const T* x, double eps, T* centre, T* scale, T* offset, T* variance) {
  if (size.group == 1) return find_statistics(size, x, eps, centre, scale, offset, variance);
  // In a single row the channels of a group are one run of memory.
  const BatchNormSize of = size.n == 1 ? BatchNormSize{1, size.channels / size.group, size.length * size.group} : size;
  repeat_statistics(size, centre, scale, offset, variance,
                    [=](T* c, T* s, T* o, T* v) { find_statistics(of, x, eps, c, s, o, v); });
}

namespace {

/// f(value), where value(i, at) is the normalised value with weight and bias.
template <class T, class F>
void with_normalized(const BatchNormSize& size, const T* x, const T* centre, const T* scale, const T* offset,
                     const T* weight, const T* bias, const F& f) {
  const PerChannel numbers(size);
  const std::int64_t count = numbers.count();
  const Scratch<T> memory(4 * count);
  T *const from = memory.data(), *const factor = from + count, *const more = factor + count, *const term = more + count;
  const bool apart = weight && any_tiny(size, scale);  // their product would be short of digits
  numbers.for_each([=](std::int64_t i, std::int64_t c) {
    const T w = weight ? weight[c] : T(1);
    from[i] = centre[c];
    factor[i] = apart ? scale[c] : scale[c] * w;
    more[i] = w;
    term[i] = (offset ? offset[c] * w : T(0)) + (bias ? bias[c] : T(0));
  });
  if (apart)
    return f([=](std::int64_t i, std::int64_t at) { return (x[at] - from[i]) * factor[i] * more[i] + term[i]; });
  f([=](std::int64_t i, std::int64_t at) { return (x[at] - from[i]) * factor[i] + term[i]; });
}

template <class T>
[[gnu::always_inline]] inline T relu(T x) {
  return x <= 0 ? T(0) : x;  // NaN stays
}

/// f(gradient), where gradient(at) is that of what batch norm gave.
template <class T, class F>
void with_gradient(const T* grad, const T* y, const F& f) {
  if (!y) return f([=](std::int64_t at) { return grad[at]; });
  f([=](std::int64_t at) {
    const T g = grad[at];  // read whatever y is: a loop that reads sometimes is not vectorized
    return y[at] <= 0 ? T(0) : g;
  });
}

}  // namespace

template <class T>
void normalize_batch(const BatchNormSize& size, const T* x, const T* centre, const T* scale, const T* offset,
                     const T* weight, const T* bias, T* y) {
  with_normalized(size, x, centre, scale, offset, weight, bias, [&](const auto& value) { fill_batch(size, y, value); });
}

template <class T>
void normalize_batch_relu(const BatchNormSize& size, const T* x, const T* centre, const T* scale, const T* offset,
                          const T* weight, const T* bias, const T* residual, T* y) {
  with_normalized(size, x, centre, scale, offset, weight, bias, [&](const auto& value) {
    if (residual)
      fill_batch(size, y, [=](std::int64_t i, std::int64_t at) { return relu(value(i, at) + residual[at]); });
    else
      fill_batch(size, y, [=](std::int64_t i, std::int64_t at) { return relu(value(i, at)); });
  });
}

template <class T>
void relu_gradient(std::int64_t count, const T* grad, const T* y, T* out) {
  with_gradient(grad, y, [=](const auto& gradient) {
    parallel_for(count, elements, [=](std::int64_t begin, std::int64_t end) {
      vectorized([=] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = begin; i < end; ++i) out[i] = gradient(i);
      });
    });
  });
}

template <class T>
void batch_norm_sums(const BatchNormSize& size, const T* grad, const T* y, const T* x, const T* centre, const T* scale,
                     const T* offset, T* bias_grad, T* weight_grad) {
  const PerChannel numbers(size);
  const std::int64_t count = numbers.count();
  const Scratch<T> memory(2 * count);
  T *const from = memory.data(), *const factor = from + count;
  numbers.for_each([=](std::int64_t i, std::int64_t c) { from[i] = centre[c], factor[i] = scale[c]; });
  const Scratch<double> found(2 * size.channels);
  const double *const sums = found.data(), *const products = sums + size.channels;
  with_gradient(grad, y, [&](const auto& gradient) {
    sum_batch<2, T>(size, found.data(), [=](std::int64_t i, std::int64_t at, T(&values)[2]) {
      values[0] = gradient(at);
      values[1] = values[0] * ((x[at] - from[i]) * factor[i]);
    });
  });
  for (std::int64_t c = 0; c < size.channels; ++c) {
    bias_grad[c] = static_cast<T>(sums[c]);
    weight_grad[c] = static_cast<T>(products[c] + (offset ? sums[c] * static_cast<double>(offset[c]) : 0.0));
  }
}

template <class T>
void batch_norm_input_grad(const BatchNormSize& size, const T* grad, const T* y, const T* x, const T* centre,
                           const T* scale, const T* offset, const T* weight, const T* bias_grad, const T* weight_grad,
                           T* x_grad) {
  const PerChannel numbers(size);
  const std::int64_t count = numbers.count(), groups = size.channels / size.group;
  const Scratch<double> shared(2 * groups);
  double *const levels = shared.data(), *const slopes = levels + groups;
  const auto weight_of = [=](std::int64_t c) { return weight ? static_cast<double>(weight[c]) : 1; };
  for (std::int64_t g = 0; g < groups; ++g) {
    if (size.group == 1) {
      levels[g] = weight_of(g) * static_cast<double>(bias_grad[g]);
      slopes[g] = weight_of(g) * static_cast<double>(weight_grad[g]);
      continue;
    }
    long double level = 0, slope = 0;  // there may be as many channels as values
    for (std::int64_t c = g * size.group; c < (g + 1) * size.group; ++c) {
      const long double w = weight_of(c);
      level += w * static_cast<long double>(bias_grad[c]);
      slope += w * static_cast<long double>(weight_grad[c]);
    }
    levels[g] = static_cast<double>(level);
    slopes[g] = static_cast<double>(slope);
  }
  const Scratch<T> memory(5 * count);
  T *const from = memory.data(), *const level = from + count, *const slope = level + count,
           *const factor = slope + count, *const last = factor + count;
  const bool apart = any_tiny(size, scale);  // products with them would be short of digits
  const auto values = static_cast<double>(size.values());
  numbers.for_each([=, &size](std::int64_t i, std::int64_t c) {
    const std::int64_t g = size.group == 1 ? c : c / size.group;
    const double by_value = slopes[g] / values;
    from[i] = centre[c];
    level[i] = static_cast<T>(levels[g] / values + static_cast<double>(offset[c]) * by_value);
    slope[i] = static_cast<T>(apart ? by_value : by_value * static_cast<double>(scale[c]));
    factor[i] = weight ? weight[c] : T(1);
    last[i] = scale[c];
  });
  with_gradient(grad, y, [&](const auto& gradient) {
    if (apart)
      return fill_batch(size, x_grad, [=](std::int64_t i, std::int64_t at) {
        return last[i] * (factor[i] * gradient(at) - level[i] - (x[at] - from[i]) * last[i] * slope[i]);
      });
    fill_batch(size, x_grad, [=](std::int64_t i, std::int64_t at) {
      return last[i] * (factor[i] * gradient(at) - level[i] - (x[at] - from[i]) * slope[i]);
    });
  });
}

#define XGRAD_INSTANTIATE(T)                                                                                           \
  template void batch_statistics(const BatchNormSize&, const T*, double, T*, T*, T*, T*);                              \
  template void normalize_batch(const BatchNormSize&, const T*, const T*, const T*, const T*, const T*, const T*, T*); \
  template void normalize_batch_relu(const BatchNormSize&, const T*, const T*, const T*, const T*, const T*, const T*, \
                                     const T*, T*);                                                                    \
  template void relu_gradient(std::int64_t, const T*, const T*, T*);                                                   \
  template void batch_norm_sums(const BatchNormSize&, const T*, const T*, const T*, const T*, const T*, const T*, T*,  \
                                T*);                                                                                   \
  template void batch_norm_input_grad(const BatchNormSize&, const T*, const T*, const T*, const T*, const T*,          \
                                      const T*, const T*, const T*, const T*, T*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
