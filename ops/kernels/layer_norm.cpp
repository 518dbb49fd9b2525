#include "layer_norm.hpp"

#include <algorithm>
#include <cmath>

#include "../../core/parallel.hpp"
#include "../../core/storage.hpp"
#include "lane_sums.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t elements = 16384;  // worth a thread's attention
constexpr std::int64_t block = 64;        // rows that are summed in T before they are added up in double

}  // namespace

template <class T>
void layer_norm(std::int64_t rows, std::int64_t width, const T* x, const T* weight, const T* bias, double eps, T* y,
                T* mean, T* scale) {
  parallel_for(rows, elements / width + 1, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      const auto count = static_cast<double>(width);
      for (std::int64_t row = begin; row < end; ++row) {
        const T* const from = x + row * width;
        T* const to = y + row * width;
        double total[1] = {}, squares[1] = {};
        add_terms<1, T>(0, width, total, [=](std::int64_t i, T(&value)[1]) { value[0] = from[i]; });
        const T centre = static_cast<T>(total[0] / count);
        add_terms<1, T>(0, width, squares, [=](std::int64_t i, T(&value)[1]) {
          const T centred = from[i] - centre;
          value[0] = centred * centred;
        });
        const T factor = static_cast<T>(1 / std::sqrt(squares[0] / count + eps));
        mean[row] = centre;
        scale[row] = factor;
        if (weight && bias) {
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = 0; i < width; ++i) to[i] = (from[i] - centre) * factor * weight[i] + bias[i];
        } else {
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = 0; i < width; ++i) to[i] = (from[i] - centre) * factor;
          if (weight)
            for (std::int64_t i = 0; i < width; ++i) to[i] *= weight[i];
          if (bias)
            for (std::int64_t i = 0; i < width; ++i) to[i] += bias[i];
        }
      }
    });
  });
}

template <class T>
void layer_norm_backward(std::int64_t rows, std::int64_t width, const T* grad, const T* x, const T* mean,
                         const T* scale, const T* weight, T* x_grad, T* weight_grad, T* bias_grad) {
  const std::int64_t blocks = (rows + block - 1) / block;
  const bool wants_sums = weight_grad || bias_grad;
  Reference<Storage> memory;  // for each block of rows, its part of weight_grad and of bias_grad
  if (wants_sums) memory = Storage::make(static_cast<std::size_t>(2 * blocks * width) * sizeof(T));
  T* const sums = wants_sums ? reinterpret_cast<T*>(memory->data()) : nullptr;
  parallel_for(blocks, elements / (block * width) + 1, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      const T inverse = T(1) / static_cast<T>(width);
      for (std::int64_t part = begin; part < end; ++part) {
        T* const weight_sum = sums ? sums + 2 * part * width : nullptr;
        T* const bias_sum = sums ? weight_sum + width : nullptr;
        if (sums) std::fill_n(weight_sum, 2 * width, T(0));
        for (std::int64_t row = part * block; row < std::min(rows, (part + 1) * block); ++row) {
          const T *const g = grad + row * width, *const from = x + row * width;
          const T centre = mean[row], factor = scale[row];
          if (sums) {
            XGRAD_INDEPENDENT_ITERATIONS
            for (std::int64_t i = 0; i < width; ++i) {
              weight_sum[i] += g[i] * ((from[i] - centre) * factor);
              bias_sum[i] += g[i];
            }
          }
          if (!x_grad) continue;
          T* const to = x_grad + row * width;
          double totals[2] = {};  // of the gradient of the normalised row, and of that times the normalised row
          if (weight) {
            add_terms<2, T>(0, width, totals, [=](std::int64_t i, T(&values)[2]) {
              values[0] = g[i] * weight[i];
              values[1] = values[0] * ((from[i] - centre) * factor);
            });
          } else {
            add_terms<2, T>(0, width, totals, [=](std::int64_t i, T(&values)[2]) {
              values[0] = g[i];
              values[1] = g[i] * ((from[i] - centre) * factor);
            });
          }
          const T level = static_cast<T>(totals[0]) * inverse, slope = static_cast<T>(totals[1]) * inverse * factor;
          if (weight) {
            XGRAD_INDEPENDENT_ITERATIONS
            for (std::int64_t i = 0; i < width; ++i)
              to[i] = factor * (g[i] * weight[i] - level - (from[i] - centre) * slope);
          } else {
            XGRAD_INDEPENDENT_ITERATIONS
            for (std::int64_t i = 0; i < width; ++i) to[i] = factor * (g[i] - level - (from[i] - centre) * slope);
          }
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

#define XGRAD_INSTANTIATE(T)                                                                                          \
  template void layer_norm(std::int64_t, std::int64_t, const T*, const T*, const T*, double, T*, T*, T*);             \
  template void layer_norm_backward(std::int64_t, std::int64_t, const T*, const T*, const T*, const T*, const T*, T*, \
                                    T*, T*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
