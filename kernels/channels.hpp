#pragma once
// Loops over a batch, channel by channel, and sums over each channel: of memory in which channels lie in planes, and of
// memory in which they are neighbours.

#include <algorithm>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "batch_norm.hpp"
#include "reduce.hpp"
#include "sums.hpp"

namespace xgrad::detail::channels {

inline constexpr std::int64_t tile = 128;        // columns a kernel takes at a time
inline constexpr std::int64_t rows = 64;         // rows summed in T before they are added up in double
inline constexpr std::int64_t elements = 16384;  // worth a thread's attention

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

  std::int64_t period, length, rows_in_one;
  std::int64_t count, width;  // of rows, and elements in each
  std::int64_t tail;          // elements after the last row, less than a row
};

/// Whether channels are seen as columns; else each lies in planes.
inline bool in_columns(const BatchNormSize& size) { return size.n > 1 ? size.length < 16 : size.length == 1; }

/// Numbers of each channel are wanted once a channel where it lies in planes, and once a column.
class PerChannel {
 public:
  explicit PerChannel(const BatchNormSize& size)
      : channels_(size.channels),
        length_(in_columns(size) ? size.length : 1),
        count_(in_columns(size) ? Columns(size).width : size.channels) {}

  std::int64_t count() const { return count_; }

  /// Calls f(i, the channel that it belongs to) for each.
  template <class F>
  [[gnu::always_inline]] void for_each(const F& f) const {
    for (std::int64_t i = 0; i < count_; i += channels_ * length_)
      if (length_ == 1)  // what the compiler vectorizes
        for (std::int64_t c = 0; c < channels_; ++c) f(i + c, c);
      else
        for (std::int64_t c = 0; c < channels_; ++c)
          for (std::int64_t k = 0; k < length_; ++k) f(i + c * length_ + k, c);
  }

 private:
  std::int64_t channels_, length_, count_;
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
/// `i` is where numbers of the channel are, of which there are as many as PerChannel says.
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

}  // namespace xgrad::detail::channels
