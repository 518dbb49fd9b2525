#pragma once
// Weighted sums of elements at listed places of an image, and their derivatives. With place p(n, l, k), counted over
// all spatial axes, or -1 for none, and weight w(n, l, k) of tap k of point l,
//   y(n, c, l) = sum over k of w(n, l, k) x(n, c, p(n, l, k)).
// The sum of y g over all points is linear in x, in w and in g: its derivatives by these are the functions here.

#include <cstdint>

namespace xgrad::detail {

struct PointSize {
  std::int64_t batch, channels, places, points, taps;
};

/// Steps from one image, channel and place (or point) to the next.
struct ImageStrides {
  std::int64_t image, channel, place;
};

/// y, by g.
template <class T>
void sum_points(const PointSize& size, const std::int64_t* places, const T* weights, const T* x,
                const ImageStrides& x_strides, T* y, const ImageStrides& y_strides);

/// By x: at each place the sum of w g of the taps there.
template <class T>
void scatter_points(const PointSize& size, const std::int64_t* places, const T* weights, const T* g,
                    const ImageStrides& g_strides, T* x_grad, const ImageStrides& x_strides);

/// By w: the sum of g x over the channels; 0 at -1.
template <class T>
void dot_points(const PointSize& size, const std::int64_t* places, const T* g, const ImageStrides& g_strides,
                const T* x, const ImageStrides& x_strides, T* w_grad);

}  // namespace xgrad::detail
