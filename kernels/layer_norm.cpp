#include "layer_norm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "moments.hpp"
#include "sums.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t elements = 16384;  // worth a thread's attention
constexpr std::int64_t block = 64;        // rows that are summed in T before they are added up in double

template <class T>
[[gnu::noinline, gnu::cold]] Standard<T> exact_row(const T* x, std::int64_t width, double eps) {
  const auto for_each = [=](const auto& f) {
    for (std::int64_t i = 0; i < width; ++i) f(x[i]);
  };
  return exact_standard<T>(exact_moments(width, for_each), width, eps, for_each);
}

/// A row divided by its root mean square.
template <class T>
[[gnu::noinline, gnu::cold]] Standard<T> exact_scale(const T* x, std::int64_t width, double eps) {
  long double squares = 0;
  for (std::int64_t i = 0; i < width; ++i) squares += static_cast<long double>(x[i]) * static_cast<long double>(x[i]);
  return {0, static_cast<T>(1 / std::sqrt(squares / static_cast<long double>(width) + static_cast<long double>(eps))),
          0};
}
template <int lanes, class T>
[[gnu::always_inline]] inline Standard<T> scale_of_row(const T* x, std::int64_t width, double eps) {
  const auto count = static_cast<double>(width);
  const Moments<T> moments{0, 0, row_deviations<lanes>(x, width, T(0), Ahead<T>{nullptr}).squares};
  return is_beyond(moments, count, eps) ? exact_scale(x, width, eps) : standard(moments, count, eps);
}

template <int lanes, class T>
[[gnu::always_inline]] inline Standard<T> standard_of_row(const T* x, std::int64_t width, double eps) {
  const auto count = static_cast<double>(width);
  const Moments<T> moments = row_moments<lanes>(x, width, Ahead<T>{nullptr});
  return is_beyond(moments, count, eps) ? exact_row(x, width, eps) : standard(moments, count, eps);
}

/// The gradient of a row for a scale so small that products with it would be short of digits.
template <class T>
[[gnu::noinline, gnu::cold]] void tiny_row_grad(std::int64_t width, const T* g, const T* x, const Standard<T>& by,
                                                const T* weight, const double (&totals)[2], T* to) {
  const auto wide = [](T value) { return static_cast<long double>(value); };
  const long double count = static_cast<long double>(width);
  for (std::int64_t i = 0; i < width; ++i) {
    const long double value = (wide(x[i]) - wide(by.centre)) * wide(by.scale) + wide(by.offset),
                      up = weight ? wide(g[i]) * wide(weight[i]) : wide(g[i]);
    to[i] = static_cast<T>(wide(by.scale) * (up - (totals[0] + value * totals[1]) / count));
  }
}

/// Adds to each column sum what a row adds to the gradients of weight and bias.
template <class T>
[[gnu::always_inline]] inline void add_row(std::int64_t width, const T* g, const T* x, const Standard<T>& by,
                                           T* weight_sum, T* bias_sum) {
  XGRAD_INDEPENDENT_ITERATIONS
  for (std::int64_t i = 0; i < width; ++i) {
    weight_sum[i] += g[i] * ((x[i] - by.centre) * by.scale + by.offset);
    bias_sum[i] += g[i];
  }
}

}  // namespace

template <class T>
void layer_norm(std::int64_t rows, std::int64_t width, const Stored<T>& x, const T* weight, const T* bias, double eps,
                const Stored<T>& y, T* centres, T* scales, T* offsets) {
  parallel_for(rows, elements / width + 1, [=](std::int64_t begin, std::int64_t end) {
    const Scratch<T> memory(x.is_converted() ? 2 * width : 0);
    T *const x_row = memory.data(), *const y_row = x_row ? x_row + width : nullptr;
    vectorized_in_lanes([=](auto lanes) __attribute__((always_inline)) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* const from = x.read(row * width, width, x_row);
        T* const to = y.target(row * width, y_row);
        const Standard<T> by =
            centres ? standard_of_row<lanes.value>(from, width, eps) : scale_of_row<lanes.value>(from, width, eps);
        if (centres) centres[row] = by.centre, offsets[row] = by.offset;
        scales[row] = by.scale;
        if (weight && bias) {
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = 0; i < width; ++i)
            to[i] = ((from[i] - by.centre) * by.scale + by.offset) * weight[i] + bias[i];
        } else {
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = 0; i < width; ++i) to[i] = (from[i] - by.centre) * by.scale + by.offset;
          if (weight)
            for (std::int64_t i = 0; i < width; ++i) to[i] *= weight[i];
          if (bias)
            for (std::int64_t i = 0; i < width; ++i) to[i] += bias[i];
        }
        y.written(row * width, width, to);
      }
    });
  });
}

template <class T>
void layer_norm_backward(std::int64_t rows, std::int64_t width, const Stored<T>& grad, const Stored<T>& x,
                         const T* centres, const T* scales, const T* offsets, const T* weight, const Stored<T>& x_grad,
                         T* weight_grad, T* bias_grad) {
  const std::int64_t blocks = (rows + block - 1) / block;
  const bool wants_sums = weight_grad || bias_grad;
  Reference<Storage> memory;  // for each block of rows, its part of weight_grad and of bias_grad
  if (wants_sums) memory = Storage::make(static_cast<std::size_t>(2 * blocks * width) * sizeof(T));
  T* const sums = wants_sums ? reinterpret_cast<T*>(memory->data()) : nullptr;
  parallel_for(blocks, elements / (block * width) + 1, [=](std::int64_t begin, std::int64_t end) {
    const Scratch<T> buffers(x.is_converted() ? 3 * width : 0);
    T *const g_row = buffers.data(), *const x_row = g_row ? g_row + width : nullptr,
             *const to_row = g_row ? x_row + width : nullptr;
    vectorized([=] {
      const T inverse = T(1) / static_cast<T>(width), least = std::sqrt(std::numeric_limits<T>::min());
      for (std::int64_t part = begin; part < end; ++part) {
        T* const weight_sum = sums ? sums + 2 * part * width : nullptr;
        T* const bias_sum = sums ? weight_sum + width : nullptr;
        if (sums) std::fill_n(weight_sum, 2 * width, T(0));
        for (std::int64_t row = part * block; row < std::min(rows, (part + 1) * block); ++row) {
          const T *const g = grad.read(row * width, width, g_row), *const from = x.read(row * width, width, x_row);
          const Standard<T> by{centres ? centres[row] : T(0), scales[row], centres ? offsets[row] : T(0)};
          if (sums) add_row(width, g, from, by, weight_sum, bias_sum);
          if (!x_grad) continue;
          T* const to = x_grad.target(row * width, to_row);
          double totals[2] = {};  // of the gradient of the normalised row, and of that times the normalised row
          if (weight) {
            add_terms<2, T>(0, width, totals, [=](std::int64_t i, T(&values)[2]) {
              values[0] = g[i] * weight[i];
              values[1] = values[0] * ((from[i] - by.centre) * by.scale);
            });
          } else {
            add_terms<2, T>(0, width, totals, [=](std::int64_t i, T(&values)[2]) {
              values[0] = g[i];
              values[1] = g[i] * ((from[i] - by.centre) * by.scale);
            });
          }
          if (!centres) totals[0] = 0;
          totals[1] += totals[0] * static_cast<double>(by.offset);
          const T by_value = static_cast<T>(totals[1]) * inverse, slope = by_value * by.scale,
                  level = static_cast<T>(totals[0]) * inverse + by_value * by.offset;
          if (by.scale < least) [[unlikely]] {
            tiny_row_grad(width, g, from, by, weight, totals, to);
          } else if (weight) {
            XGRAD_INDEPENDENT_ITERATIONS
            for (std::int64_t i = 0; i < width; ++i)
              to[i] = by.scale * (g[i] * weight[i] - level - (from[i] - by.centre) * slope);
          } else {
            XGRAD_INDEPENDENT_ITERATIONS
            for (std::int64_t i = 0; i < width; ++i) to[i] = by.scale * (g[i] - level - (from[i] - by.centre) * slope);
          }
          x_grad.written(row * width, width, to);
        }
      }
    });
  });
  if (!wants_sums) return;
  for (std::int64_t i = 0; i < width; ++i) {
    double totals[2] = {};
    for (std::int64_t part = 0; part < blocks; ++part) {
      totals[0] += static_cast<double>(sums[2 * part * width + i]);
      totals[1] += static_cast<double>(sums[(2 * part + 1) * width + i]);
    }
    if (weight_grad) weight_grad[i] = static_cast<T>(totals[0]);
    if (bias_grad) bias_grad[i] = static_cast<T>(totals[1]);
  }
}

#define XGRAD_INSTANTIATE(T)                                                                                           \
  template void layer_norm(std::int64_t, std::int64_t, const Stored<T>&, const T*, const T*, double, const Stored<T>&, \
                           T*, T*, T*);                                                                                \
  template void layer_norm_backward(std::int64_t, std::int64_t, const Stored<T>&, const Stored<T>&, const T*,          \
                                    const T*, const T*, const T*, const Stored<T>&, T*, T*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
