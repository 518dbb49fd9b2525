#include "grid_sample.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/weighted_points.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "division.hpp"
#include "image_memory.hpp"
#include "joining.hpp"
#include "math.hpp"
#include "matmul.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

using detail::ImageStrides;
using detail::PointSize;

// The three derivatives of the sum of all w g x; see kernels/weighted_points.hpp. `places` and weights are (N, L, K),
// images x (N, C, ...), points y and g (N, C, L).

/// Of images in one of the orders of as_images().
ImageStrides strides_of(const detail::Array& x) {
  const std::int64_t channels = x.shape[1], places = x.numel / (x.shape[0] * channels);
  return detail::channels_lie_last(x) ? ImageStrides{places * channels, 1, channels}
                                      : ImageStrides{places * channels, places, 1};
}

PointSize size_of(const Shape& images, const Shape& places) {
  std::int64_t each = 1;
  for (std::size_t axis = 2; axis < images.size(); ++axis) each *= images[axis];
  return {images[0], images[1], each, places[1], places[2]};
}

/// By g.
struct SumPoints {
  static constexpr const char* name = "grid_sample";
  Saved places;
  Saved x = {}, weights = {};

  Tensor forward(const Tensor& images, const Tensor& w) {
    x = images;
    weights = w;
    const Tensor at = places;
    const detail::Array from = detail::as_images(images),
                        y = detail::allocate_images_like(from, {images.size(0), images.size(1), at.size(1)});
    if (y.numel == 0) return Tensor(y);
    const detail::MaybeOwned factors = detail::dense(w);
    dispatch_floating(name, images.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::sum_points(size_of(images.shape(), at.shape()), at.data<std::int64_t>(), factors->data<T>(),
                         detail::first_element<T>(from), strides_of(from), detail::first_element<T>(y), strides_of(y));
    });
    return Tensor(y);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const;
};

/// By x, of the shape `images`.
struct ScatterPoints {
  static constexpr const char* name = "grid_sample_backward";
  Saved places;
  Shape images;
  Saved g = {}, weights = {};

  Tensor forward(const Tensor& upstream, const Tensor& w) {
    g = upstream;
    weights = w;
    const Tensor at = places;
    const detail::Array from = detail::as_images(upstream), x = detail::allocate_images_like(from, images);
    if (x.numel == 0) return Tensor(x);
    if (from.numel == 0) return zeros(images, {.dtype = upstream.dtype()});
    const detail::MaybeOwned factors = detail::dense(w);
    dispatch_floating(name, upstream.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::scatter_points(size_of(images, at.shape()), at.data<std::int64_t>(), factors->data<T>(),
                             detail::first_element<T>(from), strides_of(from), detail::first_element<T>(x),
                             strides_of(x));
    });
    return Tensor(x);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const;
};

/// By w.
struct DotPoints {
  static constexpr const char* name = "grid_sample_backward";
  Saved places;
  Saved g = {}, x = {};

  Tensor forward(const Tensor& upstream, const Tensor& images) {
    g = upstream;
    x = images;
    const Tensor at = places, out = detail::empty(at.shape(), upstream.dtype());
    if (out.numel() == 0) return out;
    const detail::Array from = detail::as_images(upstream), of = detail::as_images(images);
    dispatch_floating(name, upstream.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::dot_points(size_of(images.shape(), at.shape()), at.data<std::int64_t>(), detail::first_element<T>(from),
                         strides_of(from), detail::first_element<T>(of), strides_of(of), out.data<T>());
    });
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    return {needs[0] ? apply(SumPoints{places}, x, grad) : Tensor(),
            needs[1] ? apply(ScatterPoints{places, x.shape()}, g, grad) : Tensor()};
  }
};

std::array<Tensor, 2> SumPoints::backward(const Tensor& grad, Needs needs) const {
  return {needs[0] ? apply(ScatterPoints{places, x.shape()}, grad, weights) : Tensor(),
          needs[1] ? apply(DotPoints{places}, grad, x) : Tensor()};
}
std::array<Tensor, 2> ScatterPoints::backward(const Tensor& grad, Needs needs) const {
  return {needs[0] ? apply(SumPoints{places}, grad, weights) : Tensor(),
          needs[1] ? apply(DotPoints{places}, g, grad) : Tensor()};
}

// Along one axis, of `size` elements: from places in [-1, 1], (N, L), to elements and weights, (N, L, taps).

/// A constant of the shape of x, whose derivative by x is 0.
Tensor constant(const Tensor& x, double value) { return where(zeros_like(x, {.dtype = bool_}), x, value); }

/// In units of elements, from the centre of the first.
Tensor unnormalized(const Tensor& at, std::int64_t size, bool align_corners) {
  return align_corners ? (at + 1.0) / 2.0 * static_cast<double>(size - 1)
                       : ((at + 1.0) * static_cast<double>(size) - 1.0) / 2.0;
}

/// The nearest place inside, beyond which the derivative is 0; NaN counts as 0.
Tensor clipped(const Tensor& at, std::int64_t size) {
  const auto last = static_cast<double>(size - 1);
  const Tensor values = at.detach();
  return where((values > 0.0) && (values < last), at, clamp(where(values == values, values, 0.0), 0.0, last));
}

/// Mirrored at the centres of the first and last elements, or at their outer edges, as often as it takes.
Tensor reflected(const Tensor& at, std::int64_t size, bool align_corners) {
  const double low = align_corners ? 0 : -0.5, span = static_cast<double>(align_corners ? size - 1 : size);
  if (span == 0) return constant(at, 0);
  const Tensor from_low = at - low, distance = where(from_low < 0.0, -from_low, from_low), rest = fmod(distance, span),
               is_turned = remainder(floor(distance.detach() / span), 2.0) == 1.0;
  return where(is_turned, span - rest, rest) + low;
}

Tensor padded(const Tensor& at, std::int64_t size, const GridSampleOptions& options) {
  if (options.padding_mode == GridSamplePadding::zeros) return at;
  if (options.padding_mode == GridSamplePadding::border) return clipped(at, size);
  return clipped(reflected(at, size, options.align_corners), size);
}

/// The nearest integer, the even one at ties.
Tensor rounded(const Tensor& x) {
  const Tensor up = floor(x + 0.5);
  return where((up - x == 0.5) && (remainder(up, 2.0) == 1.0), up - 1.0, up);
}

/// The weights of the four elements around a place, which lies t behind the second.
std::vector<Tensor> cubic_weights(const Tensor& t) {
  constexpr double a = -0.75;
  const auto near = [](const Tensor& x) { return ((a + 2) * x - (a + 3)) * x * x + 1.0; };
  const auto far = [](const Tensor& x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  return {far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)};
}

/// The elements that a place is made of, -1 for those outside, and their weights.
struct Taps {
  Tensor places, weights;
};

Taps taps_of(const Tensor& grid, std::int64_t size, const GridSampleOptions& options) {
  const Tensor raw = unnormalized(grid, size, options.align_corners);
  const bool is_cubic = options.mode == GridSampleMode::bicubic;
  std::vector<Tensor> places, weights;
  if (options.mode == GridSampleMode::nearest) {
    places = {rounded(padded(raw, size, options).detach())};
    weights = {constant(raw, 1)};
  } else {
    const Tensor at = is_cubic ? raw : padded(raw, size, options), below = floor(at.detach()), t = at - below;
    for (int k = is_cubic ? -1 : 0; k < (is_cubic ? 3 : 2); ++k)
      places.push_back(is_cubic ? padded(below + static_cast<double>(k), size, options)
                                : below + static_cast<double>(k));
    weights = is_cubic ? cubic_weights(t) : std::vector<Tensor>{1.0 - t, t};
  }
  const Tensor all = stack(places, -1), inside = (all >= 0.0) && (all <= static_cast<double>(size - 1));
  return {where(inside, all.to(int64), -1), stack(weights, -1)};
}

/// The taps of two axes, the second innermost, which has `size` elements: (N, L, taps of both).
Taps joined(const Taps& outer, const Taps& inner, std::int64_t size) {
  const Tensor a = unsqueeze(outer.places, -1), b = unsqueeze(inner.places, -2);
  const Shape& of = outer.places.shape();
  const Shape shape{of[0], of[1], of[2] * inner.places.size(2)};
  return {reshape(where((a < 0) || (b < 0), -1, a * size + b), shape),
          reshape(unsqueeze(outer.weights, -1) * unsqueeze(inner.weights, -2), shape)};
}

void check_inputs(const Tensor& x, const Tensor& grid, const GridSampleOptions& options) {
  check(x.dim() == 4 || x.dim() == 5, "grid_sample: input has shape ", x.shape(),
        "; (N, C, H, W) or (N, C, D, H, W) is needed");
  check(is_floating(x.dtype()), "grid_sample: input is ", x.dtype(), "; convert it with .to(float32)");
  check(grid.dtype() == x.dtype(), "grid_sample: grid is ", grid.dtype(), ", input ", x.dtype(),
        "; convert it with .to(", x.dtype(), ")");
  check(grid.dim() == x.dim() && grid.size(0) == x.size(0) && grid.size(-1) == static_cast<std::int64_t>(x.dim()) - 2,
        "grid_sample: grid has shape ", grid.shape(), " for an input of shape ", x.shape(), "; ",
        x.dim() == 4 ? "(N, H', W', 2)" : "(N, D', H', W', 3)", " of the same N is needed");
  for (std::size_t axis = 1; axis < x.dim(); ++axis)
    check(x.shape()[axis] > 0, "grid_sample: input has shape ", x.shape(), "; only the batch may be empty");
  check(options.mode != GridSampleMode::bicubic || x.dim() == 4, "grid_sample: bicubic is for images, not for shape ",
        x.shape());
}

/// The places of n elements along an axis that goes from -1 to 1.
std::vector<double> axis_places(std::int64_t n, bool align_corners) {
  std::vector<double> all;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<double>(2 * i + 1 - n);
    all.push_back(n == 1 ? 0 : at / static_cast<double>(align_corners ? n - 1 : n));
  }
  return all;
}

}  // namespace

Tensor grid_sample(Operand x, Operand grid, const GridSampleOptions& options) {
  check_inputs(*x, *grid, options);
  return detail::with_memory_for("grid_sample", [&] {
    const detail::MaybeOwned images = detail::widened(*x), points = detail::widened(*grid);
    const std::size_t rank = x->dim() - 2;
    Shape shape = x->shape(), flat{grid->size(0), 1};
    for (std::size_t i = 0; i < rank; ++i) shape[2 + i] = grid->shape()[1 + i];
    for (std::size_t i = 0; i < rank; ++i) flat[1] *= shape[2 + i];
    Taps all;
    for (std::size_t i = 0; i < rank; ++i) {  // outermost first: the grid names the width first
      const std::int64_t size = x->shape()[2 + i];
      const Tensor at = reshape(select(*points, -1, static_cast<std::int64_t>(rank - 1 - i)), flat);
      const Taps taps = taps_of(at, size, options);
      all = i == 0 ? taps : joined(all, taps, size);
    }
    const Tensor y = apply(SumPoints{all.places.contiguous()}, images, all.weights);
    return detail::narrowed(reshape(y, shape), x->dtype());
  });
}

Tensor affine_grid(Operand theta, const Shape& size, const AffineGridOptions& options) {
  check(size.size() == 4 || size.size() == 5, "affine_grid: size ", size,
        " is neither (N, C, H, W) nor (N, C, D, H, W)");
  const auto rank = static_cast<std::int64_t>(size.size()) - 2;
  check(is_floating(theta->dtype()), "affine_grid: theta is ", theta->dtype(), "; convert it with .to(float32)");
  check(theta->shape() == Shape{size[0], rank, rank + 1}, "affine_grid: theta has shape ", theta->shape(),
        "; for size ", size, " it must have shape ", Shape{size[0], rank, rank + 1});
  for (std::size_t axis = 1; axis < size.size(); ++axis)
    check(size[axis] > 0, "affine_grid: size ", size, " must be positive");
  return detail::with_memory_for("affine_grid", [&] {
    const detail::MaybeOwned computed = detail::widened(*theta);
    Shape spatial(size.begin() + 2, size.size() - 2), one = spatial;
    one.push_back(1);
    std::vector<Tensor> columns;  // width first
    for (std::size_t axis = spatial.size(); axis-- > 0;) {
      Shape along = Shape::filled(spatial.size() + 1, 1);
      along[axis] = spatial[axis];
      columns.push_back(
          expand(reshape(tensor(axis_places(spatial[axis], options.align_corners)).to(computed->dtype()), along), one));
    }
    columns.push_back(ones(one, {.dtype = computed->dtype()}));
    Shape shape = spatial;
    shape.insert(0, size[0]);
    shape.push_back(rank);
    const Tensor base = reshape(concat(columns, -1), {spatial.numel(), rank + 1});
    return detail::narrowed(reshape(matmul(base, transpose(*computed, 1, 2)), shape), theta->dtype());
  });
}

}  // namespace xgrad
