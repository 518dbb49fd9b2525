#include "softmax.hpp"

#include <algorithm>

#include "extrema.hpp"
#include "lane_math.hpp"

namespace xgrad::detail {

namespace {

// All four functions have two steps: `term` of each element is added up, then `result` is made of the element, its
// term, and the `total` of the sum. a and b are the two inputs, the same one for the forward functions, of which m is
// the largest element.

struct Softmax {
  static constexpr bool centred = true;
  template <class T>
  [[gnu::always_inline]] static T term(T a, T, T m) {
    return lane_math::exp_of_negative(a - m);
  }
  template <class T>
  [[gnu::always_inline]] static T total(T sum) {
    return T(1) / sum;
  }
  template <class T>
  [[gnu::always_inline]] static T result(T, T, T term, T, T total) {
    return term * total;
  }
};

struct LogSoftmax : Softmax {
  template <class T>
  [[gnu::always_inline]] static T total(T sum) {
    return lane_math::log(sum);
  }
  template <class T>
  [[gnu::always_inline]] static T result(T a, T, T, T m, T total) {
    return a - m - total;
  }
};

struct SoftmaxBackward {
  static constexpr bool centred = false;
  template <class T>
  [[gnu::always_inline]] static T term(T y, T dy, T) {
    return y * dy;
  }
  template <class T>
  [[gnu::always_inline]] static T total(T sum) {
    return sum;
  }
  template <class T>
  [[gnu::always_inline]] static T result(T y, T dy, T, T, T total) {
    return y * (dy - total);
  }
};

struct LogSoftmaxBackward {
  static constexpr bool centred = false;
  template <class T>
  [[gnu::always_inline]] static T term(T, T dy, T) {
    return dy;
  }
  template <class T>
  [[gnu::always_inline]] static T total(T sum) {
    return sum;
  }
  template <class T>
  [[gnu::always_inline]] static T result(T y, T dy, T, T, T total) {
    return dy - lane_math::exp_of_negative(y) * total;
  }
};

/// One row of n elements.
template <class F, class T>
[[gnu::always_inline]] inline void run_row(const T* a, const T* b, T* to, std::int64_t n) {
  T m = 0, sum;
  if constexpr (F::centred) reduce_block(Choosing<T, Extreme::largest>{}, a, n, 1, 1, &m, &m);
  for_each_streaming(
      n, [=](std::int64_t i) __attribute__((always_inline)) { to[i] = F::term(a[i], b[i], m); }, a, b, to);
  reduce_block(Sum<T>{}, to, n, 1, 1, &m, &sum);
  const T total = F::total(sum);
  XGRAD_INDEPENDENT_ITERATIONS
  for (std::int64_t i = 0; i < n; ++i) to[i] = F::result(a[i], b[i], to[i], m, total);
}

inline constexpr std::int64_t most_columns = 256;

/// `width` neighbouring columns of `rows` elements.
template <class F, class T>
[[gnu::always_inline]] inline void run_columns(const T* a, const T* b, T* to, std::int64_t stride, std::int64_t rows,
                                               std::int64_t width) {
  T m[most_columns] = {}, total[most_columns];
  if constexpr (F::centred)
    reduce_columns(Choosing<T, Extreme::largest>{}, a, stride, rows, width, static_cast<const T*>(nullptr), m);
  for (std::int64_t row = 0; row < rows; ++row) {
    const T *const ra = a + row * stride, *const rb = b + row * stride;
    T* const rt = to + row * stride;
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < width; ++i) rt[i] = F::term(ra[i], rb[i], m[i]);
  }
  reduce_columns(Sum<T>{}, to, stride, rows, width, static_cast<const T*>(nullptr), total);
  for (std::int64_t i = 0; i < width; ++i) total[i] = F::total(total[i]);
  for (std::int64_t row = 0; row < rows; ++row) {
    const T *const ra = a + row * stride, *const rb = b + row * stride;
    T* const rt = to + row * stride;
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < width; ++i) rt[i] = F::result(ra[i], rb[i], rt[i], m[i], total[i]);
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
