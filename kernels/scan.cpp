#include "scan.hpp"

#include <cmath>
#include <limits>
#include <type_traits>

#include "../core/parallel.hpp"
#include "special.hpp"

namespace xgrad::detail {

namespace {

/// Calls f(first, step) for each column: its first element and the distance to the next.
template <class F>
void for_each_column(const ReducedSize& size, const F& f) {
  parallel_for(size.outer * size.inner, 4096 / size.reduced + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t column = begin; column < end; ++column)
      f(column / size.inner * size.reduced * size.inner + column % size.inner, size.inner);
  });
}

}  // namespace

template <class T>
void linear_recurrence(const ReducedSize& size, const T* a, const T* b, bool reverse, T* to) {
  using State = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
  for_each_column(size, [=](std::int64_t first, std::int64_t step) {
    if (reverse) first += (size.reduced - 1) * step, step = -step;
    State state = 0;
    for (std::int64_t i = 0, at = first; i < size.reduced; ++i, at += step) {
      // Nothing comes before the first, also where the factor is infinite.
      state = (i == 0 ? State(0) : static_cast<State>(a[at]) * state) + static_cast<State>(b[at]);
      to[at] = static_cast<T>(state);
    }
  });
}

template <class T>
void running_extremum(const ReducedSize& size, const T* from, bool largest, T* to, std::int64_t* places) {
  for_each_column(size, [=](std::int64_t first, std::int64_t step) {
    T best = from[first];
    std::int64_t place = 0;
    for (std::int64_t i = 0, at = first; i < size.reduced; ++i, at += step) {
      const T x = from[at];
      if (x != x || (best == best && (largest ? x >= best : x <= best))) best = x, place = i;
      to[at] = best, places[at] = place;
    }
  });
}

template <class T>
void running_logsumexp(const ReducedSize& size, const T* from, T* to) {
  for_each_column(size, [=](std::int64_t first, std::int64_t step) {
    double sum = -std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0, at = first; i < size.reduced; ++i, at += step) {
      sum = elementary::logaddexp(sum, static_cast<double>(from[at]));
      to[at] = static_cast<T>(sum);
    }
  });
}

#define XGRAD_SCANS(T)                                                               \
  template void linear_recurrence(const ReducedSize&, const T*, const T*, bool, T*); \
  template void running_extremum(const ReducedSize&, const T*, bool, T*, std::int64_t*);
XGRAD_SCANS(float)
XGRAD_SCANS(double)
XGRAD_SCANS(std::int64_t)
#undef XGRAD_SCANS
template void running_logsumexp(const ReducedSize&, const float*, float*);
template void running_logsumexp(const ReducedSize&, const double*, double*);

}  // namespace xgrad::detail
