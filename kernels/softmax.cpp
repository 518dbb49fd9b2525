#include "softmax.hpp"

#include <algorithm>
#include <limits>

#include "elementary.hpp"
#include "stored.hpp"
#include "sums.hpp"

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
    return elementary::log1p(others);
  }
  template <class T>
  [[gnu::always_inline]] static T result(T a, T, T m, T total) {
    return a - m - total;
  }
};

// A sum of exponentials less than this has one that is 1, and the others may be too small to be seen beside it.
template <class T>
inline constexpr T one_leads = 2;

// The backward functions: a sum of `term` of y and dy gives the `result` of every element but one that has nearly all
// of the probability and leads, of which there is one at most: its derivative is `leading`, made of its own term, the
// sum of the others' and one more: what they have of the probability, which 1 - p would round away, or its logarithm of
// p.

struct SoftmaxBackward {
  static constexpr bool forward = false, logarithm = false;
  template <class T>
  [[gnu::always_inline]] static bool leads(T y) {
    return y > T(0.7);
  }
  template <class T>
  [[gnu::always_inline]] static T term(T y, T dy) {
    return y * dy;
  }
  template <class T>
  [[gnu::always_inline]] static T result(T y, T dy, T total) {
    return y * (dy - total);
  }
  template <class T>
  [[gnu::always_inline]] static T leading(T own, T others, T rest) {
    return rest * own - (T(1) - rest) * others;
  }
};

struct LogSoftmaxBackward {
  static constexpr bool forward = false, logarithm = true;
  template <class T>
  [[gnu::always_inline]] static bool leads(T y) {
    return y > T(-0.35);
  }
  template <class T>
  [[gnu::always_inline]] static T term(T, T dy) {
    return dy;
  }
  template <class T>
  [[gnu::always_inline]] static T result(T y, T dy, T total) {
    return dy - elementary::exp_of_negative(y) * total;
  }
  template <class T>
  [[gnu::always_inline]] static T leading(T own, T others, T y) {
    return -others - elementary::expm1(y) * (others + own);
  }
};

/// The first element that leads, or n.
template <class F, class T>
[[gnu::always_inline]] inline std::int64_t leader(const T* y, std::int64_t n) {
  constexpr std::int64_t lanes = 64;
  const auto any = [=](std::int64_t from) __attribute__((always_inline)) {
    int found = 0;
    for (std::int64_t lane = 0; lane < lanes; ++lane) found |= F::leads(y[from + lane]) ? 1 : 0;
    return found != 0;
  };
  std::int64_t at = 0;
  while (n - at > lanes && !any(at)) at += lanes;
  if (n >= lanes && n - at <= lanes && !any(n - lanes)) return n;
  while (at < n && !F::leads(y[at])) ++at;
  return at;
}

/// The sum of term(i) for i in [begin, end), in double from few at a time: beside a 1 small ones round away.
template <class T, class Term>
[[gnu::always_inline]] inline double sum_of(std::int64_t begin, std::int64_t end, const Term& term) {
  constexpr std::int64_t few = 512;
  double total[1] = {};
  for (; begin < end; begin += few)
    add_terms<1, T>(
        begin, end - begin < few ? end : begin + few,
        total, [=](std::int64_t i, T(&value)[1]) __attribute__((always_inline)) { value[0] = term(i); });
  return total[0];
}
/// The sum of n elements without the one at `skipped`.
template <class T>
[[gnu::always_inline]] inline T sum_of_others(const T* x, std::int64_t n, std::int64_t skipped) {
  const auto element = [=](std::int64_t i) __attribute__((always_inline)) { return x[i]; };
  return static_cast<T>(sum_of<T>(0, skipped, element) + sum_of<T>(skipped + 1, n, element));
}

/// One row of n elements; b is not read by the forward functions.
template <class F, class T>
[[gnu::always_inline]] inline void run_row(const T* a, const T* b, T* to, std::int64_t n) {
  if constexpr (F::forward) {
    const T m = largest(a, n);
    for_each_streaming(
        n, [=](std::int64_t i) __attribute__((always_inline)) { to[i] = elementary::exp_of_negative(a[i] - m); }, a,
        to);
    const T sum = static_cast<T>(sum_of<T>(
        0, n, [=](std::int64_t i) __attribute__((always_inline)) { return to[i]; }));
    T others = sum - T(1);
    if (F::logarithm && sum < one_leads<T>) {
      const auto below_one = [=](std::int64_t i) __attribute__((always_inline)) { return to[i] < T(1) ? to[i] : T(0); };
      others = static_cast<T>(sum_of<T>(0, n, below_one));
    }
    const T total = F::total(sum, others);
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < n; ++i) to[i] = F::result(a[i], to[i], m, total);
  } else {
    for_each_streaming(
        n, [=](std::int64_t i) __attribute__((always_inline)) { to[i] = F::term(a[i], b[i]); }, a, b, to);
    const T total = static_cast<T>(sum_of<T>(
        0, n, [=](std::int64_t i) __attribute__((always_inline)) { return to[i]; }));
    const std::int64_t lead = leader<F>(a, n);
    T leading = 0;
    if (lead < n)
      leading = F::leading(to[lead], sum_of_others(to, n, lead), F::logarithm ? a[lead] : sum_of_others(a, n, lead));
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < n; ++i) to[i] = F::result(a[i], b[i], total);
    if (lead < n) to[lead] = leading;
  }
}

inline constexpr std::int64_t most_columns = 256;

/// sums[k][i] = the sum of value k that `term(at, values)` sets, over the elements `at` of column i: in T over 64 rows,
/// then in double.
template <int Sums, class T, class Term>
[[gnu::always_inline]] inline void add_columns(std::int64_t stride, std::int64_t rows, std::int64_t width,
                                               T (&sums)[Sums][most_columns], const Term& term) {
  constexpr std::int64_t block = 64;
  double totals[Sums][most_columns];
  for (std::int64_t begin = 0; begin < rows || begin == 0; begin += block) {
    const std::int64_t end = rows - begin < block ? rows : begin + block;
    for (auto& sum : sums)
      for (std::int64_t i = 0; i < width; ++i) sum[i] = 0;
    std::int64_t row = begin;
    for (; row + 4 <= end; row += 4) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        T values[4][Sums];
        for (int k = 0; k < 4; ++k) term((row + k) * stride + i, values[k]);
        for (int k = 0; k < Sums; ++k) sums[k][i] += (values[0][k] + values[1][k]) + (values[2][k] + values[3][k]);
      }
    }
    for (; row < end; ++row) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) {
        T values[Sums];
        term(row * stride + i, values);
        for (int k = 0; k < Sums; ++k) sums[k][i] += values[k];
      }
    }
    if (rows <= block) return;
    for (int k = 0; k < Sums; ++k)
      for (std::int64_t i = 0; i < width; ++i)
        totals[k][i] = (begin == 0 ? 0 : totals[k][i]) + static_cast<double>(sums[k][i]);
  }
  for (int k = 0; k < Sums; ++k)
    for (std::int64_t i = 0; i < width; ++i) sums[k][i] = static_cast<T>(totals[k][i]);
}

/// `width` neighbouring columns of `rows` elements.
template <class F, class T>
[[gnu::always_inline]] inline void run_columns(const T* a, const T* b, T* to, std::int64_t stride, std::int64_t rows,
                                               std::int64_t width) {
  if constexpr (F::forward) {
    T m[most_columns], others[most_columns], sums[1][most_columns];
    T* const total = sums[0];
    for (std::int64_t i = 0; i < width; ++i) m[i] = -std::numeric_limits<T>::infinity();
    for (std::int64_t row = 0; row < rows; ++row) {
      const T* const ra = a + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) m[i] = ra[i] > m[i] ? ra[i] : m[i];
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      const T* const ra = a + row * stride;
      T* const rt = to + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) rt[i] = elementary::exp_of_negative(ra[i] - m[i]);
    }
    add_columns(
        stride, rows, width,
        sums, [=](std::int64_t at, T(&values)[1]) __attribute__((always_inline)) { values[0] = to[at]; });
    for (std::int64_t i = 0; i < width; ++i) others[i] = total[i] - T(1);
    if constexpr (F::logarithm) {
      int alone = 0;
      for (std::int64_t i = 0; i < width; ++i) alone |= total[i] < one_leads<T> ? 1 : 0;
      if (alone != 0) {
        T below[1][most_columns];
        add_columns(
            stride, rows, width, below, [=](std::int64_t at, T(&values)[1]) __attribute__((always_inline)) {
              values[0] = to[at] < T(1) ? to[at] : T(0);
            });
        for (std::int64_t i = 0; i < width; ++i) others[i] = total[i] < one_leads<T> ? below[0][i] : others[i];
      }
    }
    for (std::int64_t i = 0; i < width; ++i) total[i] = F::total(total[i], others[i]);
    for (std::int64_t row = 0; row < rows; ++row) {
      const T* const ra = a + row * stride;
      T* const rt = to + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) rt[i] = F::result(ra[i], rt[i], m[i], total[i]);
    }
  } else {
    T sums[2][most_columns];  // of the terms, and of the number of elements that lead
    add_columns(
        stride, rows, width, sums, [=](std::int64_t at, T(&values)[2]) __attribute__((always_inline)) {
          values[0] = F::term(a[at], b[at]);
          values[1] = F::leads(a[at]) ? T(1) : T(0);
        });
    int leads = 0;
    for (std::int64_t i = 0; i < width; ++i) leads |= sums[1][i] > T(0) ? 1 : 0;
    if (leads == 0) {
      for (std::int64_t row = 0; row < rows; ++row) {
        const T *const ra = a + row * stride, *const rb = b + row * stride;
        T* const rt = to + row * stride;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < width; ++i) rt[i] = F::result(ra[i], rb[i], sums[0][i]);
      }
      return;
    }
    T parts[3][most_columns], leading[most_columns];
    add_columns(
        stride, rows, width, parts, [=](std::int64_t at, T(&values)[3]) __attribute__((always_inline)) {
          const T y = a[at], term = F::term(y, b[at]);
          values[0] = F::leads(y) ? term : T(0);
          values[1] = F::leads(y) ? T(0) : term;
          values[2] = F::leads(y) == F::logarithm ? y : T(0);
        });
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < width; ++i) leading[i] = F::leading(parts[0][i], parts[1][i], parts[2][i]);
    for (std::int64_t row = 0; row < rows; ++row) {
      const T *const ra = a + row * stride, *const rb = b + row * stride;
      T* const rt = to + row * stride;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i)
        rt[i] = F::leads(ra[i]) ? leading[i] : F::result(ra[i], rb[i], sums[0][i]);
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

/// f(piece, a, b, more) for pieces that fill the cache, of operands of 16 bits widened there; what f points to is
/// rounded.
template <class F>
void run_in_pieces(DType dtype, const ReducedSize& size, const std::byte* a, const std::byte* b, std::byte* to,
                   const F& f) {
  constexpr std::int64_t in_cache = 2048, least = 64;  // elements, and columns
  const Stored<float> from_a(dtype, a), from_b(dtype, b), result(dtype, to);
  const std::int64_t whole = std::max<std::int64_t>(size.reduced * size.inner, 1),
                     width = std::min(size.inner, std::max(in_cache / size.reduced, least)),
                     together = width == size.inner ? std::max<std::int64_t>(in_cache / whole, 1) : 1,
                     in_inner = (size.inner + width - 1) / width, in_outer = (size.outer + together - 1) / together,
                     count = together * size.reduced * width;
  parallel_for(in_outer * in_inner, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<float> memory(3 * count);
    float *const wide_a = memory.data(), *const wide_b = wide_a + count, *const more = wide_b + count;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t column = i % in_inner * width, outer = i / in_inner * together;
      const ReducedSize piece{std::min(together, size.outer - outer), size.reduced,
                              std::min(width, size.inner - column)};
      // One stretch of memory where a piece has all columns, else one a row.
      const std::int64_t rows = width == size.inner ? 1 : size.reduced,
                         length = piece.outer * piece.reduced * piece.inner / rows, at = outer * whole + column;
      for (std::int64_t row = 0; row < rows; ++row) {
        if (rows > 1) from_a.prefetch(at + (row + 8) * size.inner, length);
        if (rows > 1 && a != b) from_b.prefetch(at + (row + 8) * size.inner, length);
        from_a.read(at + row * size.inner, length, wide_a + row * length);
        if (a != b) from_b.read(at + row * size.inner, length, wide_b + row * length);
      }
      float* const found = f(piece, wide_a, wide_b, more);
      for (std::int64_t row = 0; row < rows; ++row) result.written(at + row * size.inner, length, found + row * length);
    }
  });
}

template <class F>
void run_forward(const char* op, DType dtype, const ReducedSize& size, const std::byte* x, std::byte* y) {
  if (dtype == compute_dtype(dtype)) return dispatch_run<F>(op, dtype, size, x, x, y);
  run_in_pieces(dtype, size, x, x, y, [](const ReducedSize& piece, const float* from, const float*, float* to) {
    run<F>(piece, from, from, to);
    return to;
  });
}

template <class F, class Forward>
void run_backward(const char* op, DType dtype, const ReducedSize& size, const std::byte* y, const std::byte* dy,
                  std::byte* dx) {
  if (dtype == compute_dtype(dtype)) return dispatch_run<F>(op, dtype, size, y, dy, dx);
  run_in_pieces(dtype, size, y, dy, dx, [](const ReducedSize& piece, float* x, const float* grad, float* values) {
    run<Forward>(piece, x, x, values);
    run<F>(piece, values, grad, x);
    return x;
  });
}

}  // namespace

void softmax(DType dtype, const ReducedSize& size, const std::byte* x, std::byte* y) {
  run_forward<Softmax>("softmax", dtype, size, x, y);
}
void log_softmax(DType dtype, const ReducedSize& size, const std::byte* x, std::byte* y) {
  run_forward<LogSoftmax>("log_softmax", dtype, size, x, y);
}
void softmax_backward(DType dtype, const ReducedSize& size, const std::byte* y, const std::byte* dy, std::byte* dx) {
  run_backward<SoftmaxBackward, Softmax>("softmax", dtype, size, y, dy, dx);
}
void log_softmax_backward(DType dtype, const ReducedSize& size, const std::byte* y, const std::byte* dy,
                          std::byte* dx) {
  run_backward<LogSoftmaxBackward, LogSoftmax>("log_softmax", dtype, size, y, dy, dx);
}

}  // namespace xgrad::detail
