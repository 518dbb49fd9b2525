#pragma once
// Pooling: one number of the elements of a window, for each channel. Memory is dense, of shape (batch, extents...,
// channels).

#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "patches.hpp"

namespace xgrad::detail {

/// The places begin, begin + step, ... before `end` of one axis of the input.
struct PoolRange {
  std::int64_t begin, end, step;
};

struct PoolSize {
  std::int64_t batch, channels;
  Extents input;
  std::array<std::vector<PoolRange>, 3> ranges;  // of each output along an axis

  std::int64_t outputs() const;  // of an image
};

/// Place of an element among those of its channel of an image; as wide as the elements, so that both fill vectors
/// alike.
template <class T>
using PoolPlace = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

/// The largest elements and the place of the first of each; NaN is larger than all. -infinity at -1 for windows of
/// nothing.
template <class T>
void max_pool(const PoolSize& size, const T* x, T* y, PoolPlace<T>* places);

/// x_grad: at each place the sum of `grad` of the outputs that were taken there.
template <class T>
void scatter_pooled(const PoolSize& size, const T* grad, const PoolPlace<T>* places, T* x_grad);

/// y: the elements of x at the places; 0 for -1.
template <class T>
void gather_pooled(const PoolSize& size, const T* x, const PoolPlace<T>* places, T* y);

/// The sum of the elements of each window, over a divisor of each output of an image.
template <class T>
void avg_pool(const PoolSize& size, const T* x, const T* divisors, T* y);

/// The gradient of x, for that of y.
template <class T>
void avg_pool_backward(const PoolSize& size, const T* grad, const T* divisors, T* x_grad);

}  // namespace xgrad::detail
