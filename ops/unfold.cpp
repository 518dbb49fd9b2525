#include "unfold.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/unfold.hpp"
#include "shape.hpp"
#include "window.hpp"

namespace xgrad {

namespace {

using detail::Plane;
using detail::UnfoldSize;

struct Fold;

/// (N, C, H, W) to (N, C kh kw, L).
struct Unfold {
  static constexpr const char* name = "unfold";
  static constexpr bool linear = true;
  UnfoldSize size;

  Tensor forward(const Tensor& x) const {
    const Plane &k = size.kernel, &p = size.positions;
    const Tensor columns = detail::empty({size.batch, size.channels * k[0] * k[1], p[0] * p[1]}, x.dtype());
    const Shape& strides = x.strides();
    dispatch_floating(name, x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::unfold(size, detail::first_element<T>(x), {strides[0], strides[1], strides[2], strides[3]},
                     columns.data<T>());
    });
    return columns;
  }
  Tensor backward(const Tensor& grad) const;
};

/// The other way round.
struct Fold {
  static constexpr const char* name = "fold";
  static constexpr bool linear = true;
  UnfoldSize size;

  Tensor forward(const Tensor& x) const {
    const Tensor images = detail::empty({size.batch, size.channels, size.size[0], size.size[1]}, x.dtype());
    const detail::MaybeOwned columns = detail::dense(x);
    dispatch_floating(name, x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::fold(size, detail::first_element<T>(*columns), images.data<T>());
    });
    return images;
  }
  Tensor backward(const Tensor& grad) const { return apply(Unfold{size}, grad); }
};

Tensor Unfold::backward(const Tensor& grad) const { return apply(Fold{size}, grad); }

Plane pair(const char* op, const char* what, const Shape& given, std::int64_t least) {
  const Shape both = detail::per_axis(op, what, given, 2, least);
  return {both[0], both[1]};
}

/// The windows on images of this size. Throws Error where there are none.
UnfoldSize windows(const char* op, std::int64_t channels, const Plane& image, const Shape& kernel_size,
                   const UnfoldOptions& options) {
  UnfoldSize size{0,
                  channels,
                  image,
                  pair(op, "kernel_size", kernel_size, 1),
                  pair(op, "stride", options.stride, 1),
                  pair(op, "padding", options.padding, 0),
                  pair(op, "dilation", options.dilation, 1),
                  {}};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t reach = size.dilation[axis] * (size.kernel[axis] - 1) + 1,
                       room = image[axis] + 2 * size.padding[axis];
    check(room >= reach, op, ": kernel_size ", kernel_size, " with dilation ", options.dilation, " reaches over ",
          reach, " places, more than the ", room, " of a padded image of ", image[0], " x ", image[1],
          "; use a smaller kernel");
    size.positions[axis] = (room - reach) / size.stride[axis] + 1;
  }
  // Throws Error for more elements than can be counted.
  Shape{channels, size.kernel[0], size.kernel[1], size.positions[0], size.positions[1]}.numel();
  return size;
}

void check_input(const char* op, const Tensor& x, std::size_t rank, const char* shapes) {
  check(x.dim() == rank || x.dim() == rank - 1, op, ": input has shape ", x.shape(), "; ", shapes, " is needed");
  check(is_floating(x.dtype()), op, ": input is ", x.dtype(), "; convert it with .to(float32)");
  for (std::size_t axis = x.dim() - rank + 1; axis < x.dim(); ++axis)
    check(x.shape()[axis] > 0, op, ": input has shape ", x.shape(), "; only the batch may be empty");
}

/// The operation on a batch in the dtype that is computed in; of one example, a batch of one.
template <class Op>
Tensor on_batch(const Tensor& x, std::size_t rank, Op op) {
  const bool one = x.dim() < rank;
  const detail::MaybeOwned computed = detail::widened(x);
  const Tensor batch = one ? unsqueeze(*computed, 0) : *computed;
  op.size.batch = batch.size(0);
  Tensor y = apply(op, batch);
  return detail::narrowed(one ? squeeze(y, 0) : std::move(y), x.dtype());
}

}  // namespace

Tensor unfold(Operand x, const Shape& kernel_size, const UnfoldOptions& options) {
  check_input("unfold", *x, 4, "(N, C, H, W) or (C, H, W)");
  return on_batch(*x, 4, Unfold{windows("unfold", x->size(-3), {x->size(-2), x->size(-1)}, kernel_size, options)});
}

Tensor fold(Operand x, const Shape& output_size, const Shape& kernel_size, const UnfoldOptions& options) {
  check_input("fold", *x, 3, "(N, C kh kw, L) or (C kh kw, L)");
  UnfoldSize size = windows("fold", 1, pair("fold", "output_size", output_size, 1), kernel_size, options);
  const std::int64_t taps = size.kernel[0] * size.kernel[1], places = size.positions[0] * size.positions[1];
  check(x->size(-2) % taps == 0, "fold: input of shape ", x->shape(), " has ", x->size(-2),
        " elements a column; for kernel_size ", kernel_size, " they must be a multiple of ", taps);
  check(x->size(-1) == places, "fold: input of shape ", x->shape(), " has ", x->size(-1), " columns; for output_size ",
        output_size, " and kernel_size ", kernel_size, " there must be ", size.positions[0], " * ", size.positions[1],
        " = ", places);
  size.channels = x->size(-2) / taps;
  return on_batch(*x, 3, Fold{size});
}

}  // namespace xgrad
