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

constexpr std::int64_t tile = 128;        // columns a kernel takes at a time
constexpr std::int64_t rows = 64;         // rows summed in T before they are added up in double
constexpr std::int64_t elements = 16384;  // worth a thread's attention

/// Calls f(channel), in parallel.
template <class F>
void for_channels(const BatchNormSize& size, F&& f) {
  parallel_for(size.channels, std::max<std::int64_t>(1, elements / std::max<std::int64_t>(size.values(), 1)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t c = begin; c < end; ++c) f(c);
               });
}

/// Channels that are neighbours in memory, or nearly so, as columns of a matrix. Where the rows are short, several
/// count as one, so that loops along a row are long.
struct Columns {
  explicit Columns(const BatchNormSize& size)
      : period(size.channels * size.length),
        length(size.length),
        rows_in_one(std::clamp<std::int64_t>(tile / 2 / std::max<std::int64_t>(period, 1), 1, size.n)),
        count(size.n / rows_in_one),
        width(period * rows_in_one),
        tail(size.n % rows_in_one * period) {}

  std::int64_t channel(std::int64_t column) const { return column % period / length; }

  std::int64_t period, length, rows_in_one;
  std::int64_t count, width;  // of rows, and elements in each
  std::int64_t tail;          // elements after the last row, less than a row
};

/// Whether channels are seen as columns; else each lies in planes.
bool in_columns(const BatchNormSize& size) { return size.n > 1 ? size.length < 16 : size.length == 1; }

/// Numbers of each channel are wanted once a channel where it lies in planes, and once a column.
class Numbers {
 public:
  explicit Numbers(const BatchNormSize& size) : of_(size), columns_(in_columns(size)), channels_(size.channels) {}
  std::int64_t count() const { return columns_ ? of_.width : channels_; }
  std::int64_t channel(std::int64_t i) const { return columns_ ? of_.channel(i) : i; }

 private:
  Columns of_;
  bool columns_;
  std::int64_t channels_;
};

/// totals[k * channels + c] = the sums of `Sums` kinds over a channel whose values lie in columns. sum(row, rows,
/// column, width, sums) finds those of some rows of at most `tile` columns, into sums[k * (all columns)] and on. Rows
/// are cut into parts that depend on the size alone.
template <int Sums, class Sum>
void sum_columns(const BatchNormSize& size, double* totals, const Sum& sum) {
  const Columns of(size);
  const std::int64_t tiles = (of.width + tile - 1) / tile,
                     most = std::min(of.count * of.width / (4 * elements), of.count / rows),
                     parts = std::clamp<std::int64_t>(most, 1, 64), strips = parts + (of.tail > 0 ? 1 : 0);
  const Scratch<double> memory(strips * Sums * of.width);
  double* const partial = memory.data();
  const std::int64_t one = std::max<std::int64_t>(1, of.count / parts * std::min(of.width, tile));
  parallel_for(strips * tiles, std::max<std::int64_t>(1, elements / one), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t strip = i / tiles, column = i % tiles * tile;
      const bool is_tail = strip == parts;
      const std::int64_t first = is_tail ? of.count : of.count * strip / parts,
                         last = is_tail ? of.count + 1 : of.count * (strip + 1) / parts,
                         width = std::min(tile, of.width - column);
      double* const sums = partial + strip * Sums * of.width + column;
      for (int k = 0; k < Sums; ++k) std::fill_n(sums + k * of.width, width, 0.0);
      sum(first, last - first, column, is_tail ? of.tail : width, sums);
    }
  });
  std::fill_n(totals, Sums * size.channels, 0.0);
  for (std::int64_t from = 0; from < strips * Sums * of.rows_in_one; ++from) {
    const double* const sums = partial + from * of.period;
    double* const to = totals + from / of.rows_in_one % Sums * size.channels;
    for (std::int64_t c = 0; c < size.channels; ++c)
      for (std::int64_t k = 0; k < of.length; ++k) to[c] += sums[c * of.length + k];
  }
}

/// Sums term(i, index in memory, values) over rows of columns i, `Sums` values at once.
template <int Sums, class T, class Term>
[[gnu::always_inline]] inline void sum_terms(std::int64_t from, std::int64_t stride, std::int64_t count,
                                             std::int64_t column, std::int64_t width, double* sums, const Term& term) {
  for (std::int64_t begin = 0; begin < count; begin += rows) {
    T partial[Sums][tile] = {};
    const std::int64_t end = std::min(count, begin + rows);
    std::int64_t row = begin;
    for (; row + 4 <= end; row += 4) {
      const std::int64_t at = from + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        T values[4][Sums];
        for (int j = 0; j < 4; ++j) term(column + i, at + j * stride + i, values[j]);
        for (int k = 0; k < Sums; ++k) partial[k][i] += (values[0][k] + values[1][k]) + (values[2][k] + values[3][k]);
      }
    }
    for (; row < end; ++row) {
      const std::int64_t at = from + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        T values[Sums];
        term(column + i, at + i, values);
        for (int k = 0; k < Sums; ++k) partial[k][i] += values[k];
      }
    }
    for (int k = 0; k < Sums; ++k)
      for (std::int64_t i = 0; i < width; ++i) sums[k * stride + i] += static_cast<double>(partial[k][i]);
  }
}

/// totals[k * channels + c] = the sums of term(i, index in memory, values), which sets `Sums` values, over a channel.
/// `i` is where numbers of the channel are, of which there are as many as Numbers says.
template <int Sums, class T, class Term>
void sum_batch(const BatchNormSize& size, double* totals, const Term& term) {
  if (in_columns(size)) {
    const std::int64_t stride = Columns(size).width;
    return sum_columns<Sums>(
        size, totals, [=](std::int64_t row, std::int64_t count, std::int64_t column, std::int64_t width, double* sums) {
          vectorized([=] { sum_terms<Sums, T>(row * stride + column, stride, count, column, width, sums, term); });
        });
  }
  for_channels(size, [=](std::int64_t c) {
    vectorized([=] {
      double sums[Sums] = {};
      for (std::int64_t i = 0; i < size.n; ++i) {
        const std::int64_t from = (i * size.channels + c) * size.length;
        add_terms<Sums, T>(from, from + size.length, sums,
                           [=](std::int64_t at, T(&values)[Sums]) { term(c, at, values); });
      }
      for (int k = 0; k < Sums; ++k) totals[k * size.channels + c] = sums[k];
    });
  });
}

/// out[at] = value(i, at) for every element of the batch, where `i` is as for sum_batch.
template <class T, class Value>
void fill_batch(const BatchNormSize& size, T* out, const Value& value) {
  if (in_columns(size)) {
    const Columns of(size);
    parallel_for(of.count + (of.tail > 0 ? 1 : 0), std::max<std::int64_t>(1, elements / of.width),
                 [=](std::int64_t begin, std::int64_t end) {
                   vectorized([=] {
                     for (std::int64_t row = begin; row < end; ++row) {
                       const std::int64_t at = row * of.width, width = row < of.count ? of.width : of.tail;
                       XGRAD_INDEPENDENT_ITERATIONS
                       for (std::int64_t i = 0; i < width; ++i) out[at + i] = value(i, at + i);
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
    for (std::int64_t i = 0; i < of.width; ++i) each[i] = centres[of.channel(i) / size.group];
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
      WideDeviationSums<T, lanes> wide;
      for (std::int64_t seen = 0; plane < size.n && seen < piece; ++plane, seen += size.length)
        wide.add(x + plane * step, size.length, centre, Ahead<T>{nullptr});
      const DeviationSums total = wide.total();
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

template <class T>
void normalize_batch(const BatchNormSize& size, const T* x, const T* centre, const T* scale, const T* offset,
                     const T* weight, const T* bias, T* y) {
  const Numbers numbers(size);
  const std::int64_t count = numbers.count();
  const Scratch<T> memory(4 * count);
  T *const from = memory.data(), *const factor = from + count, *const more = factor + count, *const term = more + count;
  const bool apart = weight && any_tiny(size, scale);  // their product would be short of digits
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t c = numbers.channel(i);
    const T w = weight ? weight[c] : T(1);
    from[i] = centre[c];
    factor[i] = apart ? scale[c] : scale[c] * w;
    more[i] = w;
    term[i] = (offset ? offset[c] * w : T(0)) + (bias ? bias[c] : T(0));
  }
  if (apart)
    return fill_batch(
        size, y, [=](std::int64_t i, std::int64_t at) { return (x[at] - from[i]) * factor[i] * more[i] + term[i]; });
  fill_batch(size, y, [=](std::int64_t i, std::int64_t at) { return (x[at] - from[i]) * factor[i] + term[i]; });
}

template <class T>
void batch_norm_sums(const BatchNormSize& size, const T* grad, const T* x, const T* centre, const T* scale,
                     const T* offset, T* bias_grad, T* weight_grad) {
  const Numbers numbers(size);
  const std::int64_t count = numbers.count();
  const Scratch<T> memory(2 * count);
  T *const from = memory.data(), *const factor = from + count;
  for (std::int64_t i = 0; i < count; ++i) from[i] = centre[numbers.channel(i)], factor[i] = scale[numbers.channel(i)];
  const Scratch<double> found(2 * size.channels);
  const double *const sums = found.data(), *const products = sums + size.channels;
  sum_batch<2, T>(size, found.data(), [=](std::int64_t i, std::int64_t at, T(&values)[2]) {
    values[0] = grad[at];
    values[1] = grad[at] * ((x[at] - from[i]) * factor[i]);
  });
  for (std::int64_t c = 0; c < size.channels; ++c) {
    bias_grad[c] = static_cast<T>(sums[c]);
    weight_grad[c] = static_cast<T>(products[c] + (offset ? sums[c] * static_cast<double>(offset[c]) : 0.0));
  }
}

template <class T>
void batch_norm_input_grad(const BatchNormSize& size, const T* grad, const T* x, const T* centre, const T* scale,
                           const T* offset, const T* weight, const T* bias_grad, const T* weight_grad, T* x_grad) {
  const Numbers numbers(size);
  const std::int64_t count = numbers.count(), groups = size.channels / size.group;
  const Scratch<double> shared(2 * groups);
  double *const levels = shared.data(), *const slopes = levels + groups;
  for (std::int64_t g = 0; g < groups; ++g) {
    long double level = 0, slope = 0;  // there may be as many channels as values
    for (std::int64_t c = g * size.group; c < (g + 1) * size.group; ++c) {
      const long double w = weight ? static_cast<long double>(weight[c]) : 1;
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
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t c = numbers.channel(i), g = c / size.group;
    const double by_value = slopes[g] / values;
    from[i] = centre[c];
    level[i] = static_cast<T>(levels[g] / values + static_cast<double>(offset[c]) * by_value);
    slope[i] = static_cast<T>(apart ? by_value : by_value * static_cast<double>(scale[c]));
    factor[i] = weight ? weight[c] : T(1);
    last[i] = scale[c];
  }
  if (apart)
    return fill_batch(size, x_grad, [=](std::int64_t i, std::int64_t at) {
      return last[i] * (factor[i] * grad[at] - level[i] - (x[at] - from[i]) * last[i] * slope[i]);
    });
  fill_batch(size, x_grad, [=](std::int64_t i, std::int64_t at) {
    return last[i] * (factor[i] * grad[at] - level[i] - (x[at] - from[i]) * slope[i]);
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
