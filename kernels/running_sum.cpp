#include "running_sum.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "reduce.hpp"

namespace xgrad::detail {

namespace {

template <class T>
using Total = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

/// Totals along rows of n neighbours, each from its own start on; from their ends with `reverse`. Rows by turns, for
/// each addition waits for the one before it in its row.
template <int rows, class T>
void add_up_rows(const T* from, std::int64_t n, bool reverse, T* to, const Total<T>* starts = nullptr) {
  Total<T> total[rows] = {};
  if (starts) std::copy_n(starts, rows, total);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t at = reverse ? n - 1 - i : i;
    for (int row = 0; row < rows; ++row) {
      total[row] += static_cast<Total<T>>(from[row * n + at]);
      to[row * n + at] = static_cast<T>(total[row]);
    }
  }
}

/// Rows of n neighbours beside each other.
template <class T>
void add_up_all_rows(const T* from, std::int64_t rows, std::int64_t n, bool reverse, T* to,
                     const Total<T>* starts = nullptr) {
  std::int64_t row = 0;
  for (; row + 8 <= rows; row += 8)
    add_up_rows<8>(from + row * n, n, reverse, to + row * n, starts ? starts + row : nullptr);
  for (; row < rows; ++row) add_up_rows<1>(from + row * n, n, reverse, to + row * n, starts ? starts + row : nullptr);
}

/// One long row, as rows that each start from the total of those before.
template <class T>
void add_up_long_row(const T* from, std::int64_t n, bool reverse, T* to) {
  constexpr std::int64_t length = 2032;  // rows a power of two apart would all want the same places of the cache
  const std::int64_t parts = n / length, rest = n - parts * length;
  const Scratch<Total<T>> memory(parts + 1);
  Total<T>* const starts = memory.data();  // the totals of the parts at first; the rest is a part, too
  parallel_for(parts + 1, 8, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      for (std::int64_t part = begin; part < end; ++part) {
        constexpr std::int64_t lanes = 16;
        Total<T> sums[lanes] = {}, total = {};
        const T* const x = from + part * length;
        const std::int64_t size = part < parts ? length : rest;
        for (std::int64_t i = 0; i + lanes <= size; i += lanes)
          for (std::int64_t lane = 0; lane < lanes; ++lane) sums[lane] += static_cast<Total<T>>(x[i + lane]);
        for (std::int64_t i = size / lanes * lanes; i < size; ++i) total += static_cast<Total<T>>(x[i]);
        for (const Total<T> sum : sums) total += sum;
        starts[part] = total;
      }
    });
  });
  Total<T> total = {};
  for (std::int64_t i = 0; i <= parts; ++i) {
    Total<T>& start = starts[reverse ? parts - i : i];
    total += std::exchange(start, total);
  }
  parallel_for(parts, 8, [=](std::int64_t begin, std::int64_t end) {
    add_up_all_rows(from + begin * length, end - begin, length, reverse, to + begin * length, starts + begin);
  });
  if (rest > 0) add_up_rows<1>(from + parts * length, rest, reverse, to + parts * length, starts + parts);
}

}  // namespace

template <class T>
void running_sum(const ReducedSize& size, const T* from, bool reverse, T* to) {
  const std::int64_t n = size.reduced;
  if (size.inner == 1 && n >= 65536) {
    for (std::int64_t row = 0; row < size.outer; ++row) add_up_long_row(from + row * n, n, reverse, to + row * n);
    return;
  }
  if (size.inner == 1)
    return parallel_for(size.outer, 16384 / n + 1, [=](std::int64_t begin, std::int64_t end) {
      add_up_all_rows(from + begin * n, end - begin, n, reverse, to + begin * n);
    });
  constexpr std::int64_t together = 256;
  const std::int64_t groups = (size.inner + together - 1) / together,
                     grain = 16384 / std::max<std::int64_t>(size.reduced * std::min(size.inner, together), 1) + 1;
  parallel_for(size.outer * groups, grain, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      for (std::int64_t group = begin; group < end; ++group) {
        const std::int64_t column = group % groups * together,
                           first = group / groups * size.reduced * size.inner + column,
                           width = size.inner - column < together ? size.inner - column : together;
        Total<T> total[together] = {};
        for (std::int64_t row = 0; row < size.reduced; ++row) {
          const std::int64_t at = first + (reverse ? size.reduced - 1 - row : row) * size.inner;
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = 0; i < width; ++i) {
            total[i] += static_cast<Total<T>>(from[at + i]);
            to[at + i] = static_cast<T>(total[i]);
          }
        }
      }
    });
  });
}

template void running_sum(const ReducedSize&, const float*, bool, float*);
template void running_sum(const ReducedSize&, const double*, bool, double*);
template void running_sum(const ReducedSize&, const std::int64_t*, bool, std::int64_t*);

}  // namespace xgrad::detail
