#pragma once
// Means and squared deviations in one pass over memory, inside a vectorized loop.
//
// Deviations are taken from a centre near the mean, which some of the elements tell: they are small, and exact where
// the mean is large. Their sum tells how far the mean is from there. Where that is further than the elements are spread
// around it, a second pass goes around the right centre. So the result is right to a few units in the last place of T
// whatever the mean is, and for equal elements the squares are exactly 0.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "reduce.hpp"

namespace xgrad::detail {

template <class T>
struct Moments {
  T centre;        // the mean, rounded
  double shift;    // the mean less the centre
  double squares;  // the sum of (x - mean)^2; infinite or NaN also where squares or sums leave T: see exact_moments()
};

/// Sums of deviations from a centre, and of their squares.
struct DeviationSums {
  double sum = 0, squares = 0;

  /// Whether the centre is so far from the mean of n elements that half of the bits of `squares` do not count.
  [[gnu::always_inline]] bool is_off(double n) const { return sum * (sum * (1 / n)) > 0.5 * squares; }
};

template <class T>
[[gnu::always_inline]] inline Moments<T> moments_around(T centre, double n, const DeviationSums& of) {
  const double from = static_cast<double>(centre), shift = of.sum * (1 / n), squares = of.squares - of.sum * shift;
  const T rounded = static_cast<T>(from + shift);
  return {rounded, shift - (static_cast<double>(rounded) - from), squares < 0 ? 0 : squares};
}

/// Below this a sum of n squares may miss what was too small for T.
template <class T>
constexpr double least_squares(double n) {
  using Limits = std::numeric_limits<T>;
  return n * static_cast<double>(Limits::min()) / static_cast<double>(Limits::epsilon());
}

/// Runs f(lanes) as vectorized() would, `lanes` being a constant: the bytes of a vector of the processor. An f that is
/// always inlined may then keep vectors in registers.
template <class F>
void vectorized_in_lanes(const F& f) {
#if defined(__x86_64__) && !defined(XGRAD_SANITIZED)
  const auto wide = [f]() __attribute__((always_inline)) { f(std::integral_constant<int, 32>{}); };
  const SimdLevel level = simd_level();
  if (level >= SimdLevel::avx512) return run_avx512(wide);
  if (level == SimdLevel::avx2) return run_avx2(wide);
#endif
  run_baseline([f]() __attribute__((always_inline)) { f(std::integral_constant<int, 16>{}); });
}

/// Partial sums, in double, over memory read in vectors of `bytes`.
template <class T, int bytes>
struct WideDeviationSums {
  typedef T Lanes [[gnu::vector_size(bytes)]];
  static constexpr std::int64_t width = bytes / static_cast<int>(sizeof(T));
  double sums[width] = {}, squares[width] = {};

  /// Of n neighbours in memory, at most some thousands. `ahead.from` may be null, where nothing is to be asked for.
  [[gnu::always_inline]] void add(const T* x, std::int64_t n, T centre, const Ahead<T>& ahead) {
    constexpr std::int64_t row = 4 * width, deep = 16;  // rows that are summed in T
    const auto take = [=](std::int64_t at, Lanes & sum, Lanes & square) __attribute__((always_inline)) {
      Lanes d;
      __builtin_memcpy(&d, x + at, sizeof d);
      d -= centre;
      sum += d;
      square += d * d;
    };
    std::int64_t i = 0;
    while (i + width <= n) {
      Lanes s0 = {}, s1 = {}, s2 = {}, s3 = {}, q0 = {}, q1 = {}, q2 = {}, q3 = {};
      const std::int64_t end = n - i < row * deep ? n : i + row * deep;
      for (; i + row <= end; i += row) {
        if (ahead.from)
          for (std::int64_t lane = 0; lane < row / ahead.share; lane += stream_step)
            prefetch(ahead.from + i / ahead.share + lane);
        take(i, s0, q0);
        take(i + width, s1, q1);
        take(i + 2 * width, s2, q2);
        take(i + 3 * width, s3, q3);
      }
      for (; i + width <= end; i += width) take(i, s0, q0);
      s0 = (s0 + s1) + (s2 + s3);
      q0 = (q0 + q1) + (q2 + q3);
      T sum[width], square[width];
      __builtin_memcpy(sum, &s0, sizeof s0);
      __builtin_memcpy(square, &q0, sizeof q0);
      for (std::int64_t lane = 0; lane < width; ++lane) sums[lane] += static_cast<double>(sum[lane]);
      for (std::int64_t lane = 0; lane < width; ++lane) squares[lane] += static_cast<double>(square[lane]);
    }
    for (; i < n; ++i) {
      const T d = x[i] - centre;
      sums[0] += static_cast<double>(d);
      squares[0] += static_cast<double>(d) * static_cast<double>(d);
    }
  }
  [[gnu::always_inline]] DeviationSums total() const {
    DeviationSums all;
    for (std::int64_t i = 0; i < width; ++i) all.sum += sums[i], all.squares += squares[i];
    return all;
  }
};

/// A number near the mean of n neighbours in memory; that of equal ones.
template <class T>
[[gnu::always_inline]] inline T centre_of_row(const T* x, std::int64_t n) {
  constexpr std::int64_t lanes = 32, long_row = 4096;
  const T first = x[0];
  T sum[lanes] = {};
  std::int64_t count = lanes;
  if (n > long_row) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) sum[lane] = x[n / lanes * lane] - first;
  } else if (n >= 2 * lanes) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) sum[lane] = x[lane] - first;
  } else {
    for (std::int64_t i = 0; i < n; ++i) sum[0] += x[i] - first;
    return first + sum[0] / static_cast<T>(n);
  }
  for (std::int64_t half = lanes / 2; half > 0; half /= 2)
    for (std::int64_t lane = 0; lane < half; ++lane) sum[lane] += sum[lane + half];
  return first + sum[0] / static_cast<T>(count);
}

template <int lanes, class T>
[[gnu::always_inline]] inline DeviationSums row_deviations(const T* x, std::int64_t n, T centre,
                                                           const Ahead<T>& ahead) {
  constexpr std::int64_t piece = 8192;
  DeviationSums all;
  for (std::int64_t begin = 0; begin < n; begin += piece) {
    WideDeviationSums<T, lanes> sums;
    sums.add(x + begin, n - begin < piece ? n - begin : piece, centre,
             Ahead<T>{ahead.from ? ahead.from + begin / ahead.share : nullptr, ahead.share});
    const DeviationSums total = sums.total();
    all.sum += total.sum;
    all.squares += total.squares;
  }
  return all;
}

/// Of n neighbours in memory, inside vectorized_in_lanes().
template <int lanes, class T>
[[gnu::always_inline]] inline Moments<T> row_moments(const T* x, std::int64_t n, const Ahead<T>& ahead) {
  const auto count = static_cast<double>(n);
  T centre = centre_of_row(x, n);
  DeviationSums sums = row_deviations<lanes>(x, n, centre, ahead);
  if (sums.is_off(count)) [[unlikely]] {
    centre = static_cast<T>(static_cast<double>(centre) + sums.sum / count);
    sums = row_deviations<lanes>(x, n, centre, ahead);
  }
  return moments_around(centre, count, sums);
}

/// centres[i] = a number near the mean of x[i], x[i + stride], ... of `rows` rows, for i < width.
template <class T>
[[gnu::always_inline]] inline void centres_of_columns(const T* x, std::int64_t stride, std::int64_t rows,
                                                      std::int64_t width, T* centres) {
  const std::int64_t count = rows < 32 ? rows : 16, step = rows / count;
  const T* const second = x + step * stride;
  if (count == 1) {
    for (std::int64_t i = 0; i < width; ++i) centres[i] = x[i];
    return;
  }
  XGRAD_INDEPENDENT_ITERATIONS
  for (std::int64_t i = 0; i < width; ++i) centres[i] = second[i] - x[i];
  for (std::int64_t k = 2; k < count; ++k) {
    const T* const row = x + k * step * stride;
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < width; ++i) centres[i] += row[i] - x[i];
  }
  const T inverse = T(1) / static_cast<T>(count);
  XGRAD_INDEPENDENT_ITERATIONS
  for (std::int64_t i = 0; i < width; ++i) centres[i] = x[i] + centres[i] * inverse;
}

/// Sums over `rows` rows, at most some thousands, for each column i < width <= Most.
template <std::int64_t Most, class T>
[[gnu::always_inline]] inline void some_column_deviations(const T* x, std::int64_t stride, std::int64_t rows,
                                                          std::int64_t width, const T* centres, double* sums,
                                                          double* squares) {
  constexpr std::int64_t deep = 64;  // rows that are summed in T, four at a time
  for (std::int64_t i = 0; i < width; ++i) sums[i] = 0;
  for (std::int64_t i = 0; i < width; ++i) squares[i] = 0;
  for (std::int64_t begin = 0; begin < rows; begin += deep) {
    alignas(64) T sum[Most], square[Most];
    const std::int64_t end = rows - begin < deep ? rows : begin + deep;
    for (std::int64_t i = 0; i < width; ++i) sum[i] = 0;
    for (std::int64_t i = 0; i < width; ++i) square[i] = 0;
    std::int64_t row = begin;
    for (; row + 4 <= end; row += 4) {
      const T *const a = x + row * stride, *const b = a + stride, *const c = b + stride, *const d = c + stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        const T centre = centres[i], da = a[i] - centre, db = b[i] - centre, dc = c[i] - centre, dd = d[i] - centre;
        sum[i] += (da + db) + (dc + dd);
        square[i] += (da * da + db * db) + (dc * dc + dd * dd);
      }
    }
    for (; row < end; ++row) {
      const T* const a = x + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        const T d = a[i] - centres[i];
        sum[i] += d;
        square[i] += d * d;
      }
    }
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < width; ++i) sums[i] += static_cast<double>(sum[i]);
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < width; ++i) squares[i] += static_cast<double>(square[i]);
  }
}

/// The same for any number of rows.
template <std::int64_t Most, class T>
[[gnu::always_inline]] inline void column_deviations(const T* x, std::int64_t stride, std::int64_t rows,
                                                     std::int64_t width, const T* centres, double* sums,
                                                     double* squares) {
  constexpr std::int64_t some = 2048;
  double more_sums[Most], more_squares[Most];
  for (std::int64_t begin = 0; begin < rows; begin += some) {
    some_column_deviations<Most>(x + begin * stride, stride, rows - begin < some ? rows - begin : some, width, centres,
                                 begin == 0 ? sums : more_sums, begin == 0 ? squares : more_squares);
    if (begin == 0) continue;
    for (std::int64_t i = 0; i < width; ++i) sums[i] += more_sums[i];
    for (std::int64_t i = 0; i < width; ++i) squares[i] += more_squares[i];
  }
}

/// Whether any of `width` centres is off; then they are those to go around.
template <class T>
[[gnu::always_inline]] inline bool improve_centres(T* centres, std::int64_t width, double n, const double* sums,
                                                   const double* squares) {
  std::int64_t off = 0;
  for (std::int64_t i = 0; i < width; ++i) off += DeviationSums{sums[i], squares[i]}.is_off(n) ? 1 : 0;
  if (off == 0) [[likely]]
    return false;
  for (std::int64_t i = 0; i < width; ++i)
    centres[i] = static_cast<T>(static_cast<double>(centres[i]) + sums[i] * (1 / n));
  return true;
}

/// What exact_moments() finds; NaN where elements are not finite.
struct ExactMoments {
  long double mean = 0, squares = 0;
};

/// The moments of any n elements, also of those whose squares or sum T cannot hold; for_each(f) calls f with each
/// element, in any order. Slow.
template <class ForEach>
ExactMoments exact_moments(std::int64_t n, const ForEach& for_each) {
  const auto count = static_cast<long double>(n);
  ExactMoments result;
  bool differ = false;
  long double first = 0;
  std::int64_t seen = 0;
  for_each([&](auto x) {
    if (seen++ == 0) first = static_cast<long double>(x);
    differ |= !(static_cast<long double>(x) == first);
  });
  if (!differ) return {first, first - first};
  for_each([&](auto x) { result.mean += static_cast<long double>(x); });
  result.mean /= count;
  long double off = 0;
  for_each([&](auto x) { off += static_cast<long double>(x) - result.mean; });
  result.mean += off / count;
  for_each([&](auto x) {
    const long double d = static_cast<long double>(x) - result.mean;
    result.squares += d * d;
  });
  return result;
}

/// A centre such that T holds what elements differ from it by: the mean, or 0 where elements are so far apart that T
/// cannot hold that. The mean is not large against their spread then, so a centre of 0 is as good.
template <class T, class ForEach>
T centre_within(const ExactMoments& moments, const ForEach& for_each) {
  const T centre = static_cast<T>(moments.mean);
  bool fits = true;
  for_each([&](T x) { fits &= std::abs(x - centre) <= std::numeric_limits<T>::max(); });
  return fits ? centre : T(0);
}

/// How elements are standardised: (x - centre) * scale + offset.
template <class T>
struct Standard {
  T centre, scale, offset;
};

template <class T>
[[gnu::always_inline]] inline Standard<T> standard(const Moments<T>& moments, double n, double eps) {
  const double scale = 1 / std::sqrt(moments.squares * (1 / n) + eps);
  return {moments.centre, static_cast<T>(scale), static_cast<T>(-moments.shift * scale)};
}

/// Whether moments must be found by exact_moments() before they standardise elements.
template <class T>
[[gnu::always_inline]] inline bool is_beyond(const Moments<T>& moments, double n, double eps) {
  constexpr double most = std::numeric_limits<double>::max();
  const double least = least_squares<T>(n);
  return !(moments.squares <= most) || (moments.squares < least && eps * n < least / std::numeric_limits<T>::epsilon());
}

template <class T, class ForEach>
Standard<T> exact_standard(const ExactMoments& moments, std::int64_t n, double eps, const ForEach& for_each) {
  const long double scale =
      1 / std::sqrt(moments.squares / static_cast<long double>(n) + static_cast<long double>(eps));
  const T centre = centre_within<T>(moments, for_each);
  return {centre, static_cast<T>(scale), static_cast<T>(-(moments.mean - static_cast<long double>(centre)) * scale)};
}

}  // namespace xgrad::detail
