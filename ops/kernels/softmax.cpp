#include "softmax.hpp"

#include <algorithm>

#include "extrema.hpp"
#include "lane_math.hpp"
#include "lane_sums.hpp"

namespace xgrad::detail {

namespace {

// The forward functions: the `term` of each element, its exponential relative to that of the largest, m, is stored and
// added up; then `result` is made of the element, its term and the `total` of the sum.

struct Softmax {
  static constexpr bool forward = true, logarithm = false;
  template <class T>
  [[gnu::always_inline]] static T total(T sum, T) {
    return T(1) / sum;
  }
  template <class T>
  [[gnu::always_inline]] static T result(T, T term, T, T total) {
    return term * total;
  }
};

struct LogSoftmax {
  static constexpr bool forward = true, logarithm = true;
  template <class T>
  [[gnu::always_inline]] static T total(T, T others) {
    return lane_math::log1p(others);
  }
  template <class T>
  [[gnu::always_inline]] static T result(T a, T, T m, T total) {
    return a - m - total;
  }
};

/// The sum of exponentials less the 1 of the largest, as long as no other is 1.
template <class T>
struct SumBelowOne : Adding<T> {
  [[gnu::always_inline]] static T lift(T x, T) { return x < T(1) ? x : T(0); }
};
// A sum of exponentials less than this has one that is 1, and the others may be too small to be seen beside it.
template <class T>
inline constexpr T one_leads = 2;

// The backward functions: three sums of `terms` of y and dy give two numbers by `totals`, and these with y and dy the
// `result`. An element that has nearly all of the probability, of which there is one at most, is kept out of the sums:
// its derivative is what the others sum up to, which 1 - p would round away.

struct SoftmaxBackward {
  static constexpr bool forward = false;
  template <class T>
  [[gnu::always_inline]] static bool leads(T y) {
    return y > T(0.7);
  }
  template <class T>
  [[gnu::always_inline]] static void terms(T y, T dy, T (&to)[3]) {
    const T product = y * dy;
    to[0] = leads(y) ? T(0) : product;
    to[1] = leads(y) ? product : T(0);
    to[2] = leads(y) ? T(0) : y;
  }
  template <class T>
  [[gnu::always_inline]] static void totals(T others, T own, T rest, T (&to)[2]) {
    to[0] = others + own;
    to[1] = rest * own - (T(1) - rest) * others;
  }
  template <class T>
  [[gnu::always_inline]] static T result(T y, T dy, T total, T leading) {
    return leads(y) ? leading : y * (dy - total);
  }
};

struct LogSoftmaxBackward {
  static constexpr bool forward = false;
  template <class T>
  [[gnu::always_inline]] static bool leads(T y) {
    return y > T(-0.35);
  }
  template <class T>
  [[gnu::always_inline]] static void terms(T y, T dy, T (&to)[3]) {
    to[0] = leads(y) ? T(0) : dy;
    to[1] = leads(y) ? dy : T(0);
    to[2] = leads(y) ? y : T(0);
  }
  template <class T>
  [[gnu::always_inline]] static void totals(T others, T own, T y, T (&to)[2]) {
    to[0] = others + own;
    to[1] = -others - lane_math::expm1(y) * to[0];
  }
  template <class T>
  [[gnu::always_inline]] static T result(T y, T dy, T total, T leading) {
    return leads(y) ? leading : dy - lane_math::exp_of_negative(y) * total;
  }
};

/// One row of n elements; b is not read by the forward functions.
template <class F, class T>
[[gnu::always_inline]] inline void run_row(const T* a, const T* b, T* to, std::int64_t n) {
  if constexpr (F::forward) {
    T m = 0, sum, others;
    reduce_block(Choosing<T, Extreme::largest>{}, a, n, 1, 1, &m, &m);
    for_each_streaming(
        n, [=](std::int64_t i) __attribute__((always_inline)) { to[i] = lane_math::exp_of_negative(a[i] - m); }, a, to);
    reduce_block(Sum<T>{}, to, n, 1, 1, &m, &sum);
    others = sum - T(1);
    if (F::logarithm && sum < one_leads<T>) reduce_block(SumBelowOne<T>{}, to, n, 1, 1, &m, &others);
    const T total = F::total(sum, others);
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < n; ++i) to[i] = F::result(a[i], to[i], m, total);
  } else {
    double sums[3] = {};
    T totals[2];
    add_terms<3, T>(
        0, n, sums, [=](std::int64_t i, T(&terms)[3]) __attribute__((always_inline)) { F::terms(a[i], b[i], terms); });
    F::totals(static_cast<T>(sums[0]), static_cast<T>(sums[1]), static_cast<T>(sums[2]), totals);
    const T total = totals[0], leading = totals[1];
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < n; ++i) to[i] = F::result(a[i], b[i], total, leading);
  }
}

inline constexpr std::int64_t most_columns = 256;

/// `width` neighbouring columns of `rows` elements.
template <class F, class T>
[[gnu::always_inline]] inline void run_columns(const T* a, const T* b, T* to, std::int64_t stride, std::int64_t rows,
                                               std::int64_t width) {
  if constexpr (F::forward) {
    T m[most_columns] = {}, total[most_columns], others[most_columns] = {};
    constexpr const T* none = nullptr;
    reduce_columns(Choosing<T, Extreme::largest>{}, a, stride, rows, width, none, m);
    for (std::int64_t row = 0; row < rows; ++row) {
      const T* const ra = a + row * stride;
      T* const rt = to + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) rt[i] = lane_math::exp_of_negative(ra[i] - m[i]);
    }
    reduce_columns(Sum<T>{}, to, stride, rows, width, none, total);
    if constexpr (F::logarithm) {
      T least = one_leads<T>;
      for (std::int64_t i = 0; i < width; ++i) least = total[i] < least ? total[i] : least;
      if (least < one_leads<T>) reduce_columns(SumBelowOne<T>{}, to, stride, rows, width, none, others);
      for (std::int64_t i = 0; i < width; ++i) others[i] = total[i] < one_leads<T> ? others[i] : total[i] - T(1);
    }
    for (std::int64_t i = 0; i < width; ++i) total[i] = F::total(total[i], others[i]);
    for (std::int64_t row = 0; row < rows; ++row) {
      const T* const ra = a + row * stride;
      T* const rt = to + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) rt[i] = F::result(ra[i], rt[i], m[i], total[i]);
    }
  } else {
    constexpr std::int64_t block = 64;  // rows that are added up in T
    double sums[3][most_columns] = {};
    T total[most_columns], leading[most_columns];
    for (std::int64_t begin = 0; begin < rows; begin += block) {
      T partial[3][most_columns];
      for (auto& one : partial)
        for (std::int64_t i = 0; i < width; ++i) one[i] = 0;
      for (std::int64_t row = begin; row < (rows - begin < block ? rows : begin + block); ++row) {
        const T *const ra = a + row * stride, *const rb = b + row * stride;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < width; ++i) {
          T terms[3];
          F::terms(ra[i], rb[i], terms);
          partial[0][i] += terms[0], partial[1][i] += terms[1], partial[2][i] += terms[2];
        }
      }
      for (int k = 0; k < 3; ++k)
        for (std::int64_t i = 0; i < width; ++i) sums[k][i] += static_cast<double>(partial[k][i]);
    }
    for (std::int64_t i = 0; i < width; ++i) {
      T totals[2];
      F::totals(static_cast<T>(sums[0][i]), static_cast<T>(sums[1][i]), static_cast<T>(sums[2][i]), totals);
      total[i] = totals[0], leading[i] = totals[1];
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      const T *const ra = a + row * stride, *const rb = b + row * stride;
      T* const rt = to + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) rt[i] = F::result(ra[i], rb[i], total[i], leading[i]);
    }
  }
}

// Rows shorter than this are turned into columns, `tile` rows at a time, to be worked on side by side.
inline constexpr std::int64_t short_rows = 100, tile = 32;

template <class F, class T>
[[gnu::always_inline]] inline void run_tile(const T* a, const T* b, T* to, std::int64_t n, std::int64_t count) {
  T turned_a[short_rows * tile], turned_b[short_rows * tile], turned[short_rows * tile];
  for (std::int64_t row = 0; row < count; ++row)
    for (std::int64_t i = 0; i < n; ++i) turned_a[i * tile + row] = a[row * n + i];
  if (a != b)
    for (std::int64_t row = 0; row < count; ++row)
      for (std::int64_t i = 0; i < n; ++i) turned_b[i * tile + row] = b[row * n + i];
  run_columns<F>(turned_a, a == b ? turned_a : turned_b, turned, tile, n, count);
  for (std::int64_t row = 0; row < count; ++row)
    for (std::int64_t i = 0; i < n; ++i) to[row * n + i] = turned[i * tile + row];
}

template <class F, class T>
void run(const ReducedSize& size, const T* a, const T* b, T* to) {
  constexpr std::int64_t worth_a_thread = 8192;  // elements
  if (size.inner == 1) {
    const std::int64_t n = size.reduced;
    // Ranges of whole tiles, so that the tiles do not depend on the number of threads.
    const std::int64_t grain = (worth_a_thread / std::max<std::int64_t>(n, 1) / tile + (n < short_rows)) * tile;
    parallel_for(size.outer, grain, [=](std::int64_t begin, std::int64_t end) {
      vectorized([=] {
        if (n < short_rows) {
          for (std::int64_t row = begin; row < end; row += tile)
            run_tile<F>(a + row * n, b + row * n, to + row * n, n, end - row < tile ? end - row : tile);
        } else {
          for (std::int64_t row = begin; row < end; ++row) run_row<F>(a + row * n, b + row * n, to + row * n, n);
        }
      });
    });
    return;
  }
  const std::int64_t width =
                         std::clamp<std::int64_t>(32768 / std::max<std::int64_t>(size.reduced, 1), 32, most_columns),
                     parts = (size.inner + width - 1) / width,
                     grain = worth_a_thread / std::max<std::int64_t>(size.reduced * std::min(size.inner, width), 1);
  parallel_for(size.outer * parts, grain, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      for (std::int64_t part = begin; part < end; ++part) {
        const std::int64_t column = part % parts * width, at = part / parts * size.reduced * size.inner + column;
        run_columns<F>(a + at, b + at, to + at, size.inner, size.reduced,
                       size.inner - column < width ? size.inner - column : width);
      }
    });
  });
}

template <class F>
void dispatch_run(const char* op, DType dtype, const ReducedSize& size, const std::byte* a, const std::byte* b,
                  std::byte* to) {
  dispatch_floating(op, dtype, [&](auto zero) {
    using T = decltype(zero);
    run<F>(size, reinterpret_cast<const T*>(a), reinterpret_cast<const T*>(b), reinterpret_cast<T*>(to));
  });
}

}  // namespace

void softmax(DType dtype, const ReducedSize& size, const std::byte* x, std::byte* y) {
  dispatch_run<Softmax>("softmax", dtype, size, x, x, y);
}
void log_softmax(DType dtype, const ReducedSize& size, const std::byte* x, std::byte* y) {
  dispatch_run<LogSoftmax>("log_softmax", dtype, size, x, x, y);
}
void softmax_backward(DType dtype, const ReducedSize& size, const std::byte* y, const std::byte* dy, std::byte* dx) {
  dispatch_run<SoftmaxBackward>("softmax", dtype, size, y, dy, dx);
}
void log_softmax_backward(DType dtype, const ReducedSize& size, const std::byte* y, const std::byte* dy,
                          std::byte* dx) {
  dispatch_run<LogSoftmaxBackward>("log_softmax", dtype, size, y, dy, dx);
}

}  // namespace xgrad::detail
