#include "pixel_shuffle.hpp"

#include "image_memory.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

void check_factor(const char* op, const char* what, const Tensor& x, std::int64_t factor) {
  check(x.dim() >= 3, op, ": input has shape ", x.shape(), "; (..., C, H, W) of at least three axes is needed");
  check(factor >= 1 && factor <= 2147483647, op, ": ", what, " is ", factor, "; it must be at least 1");
}

/// x (..., C, H, W) as (N, C, H, W), for images of any number of axes in front.
Tensor as_batch(const Tensor& x) {
  const Shape& shape = x.shape();
  const std::size_t front = shape.size() - 3;
  return reshape(x, {Shape(shape.begin(), front).numel(), shape[front], shape[front + 1], shape[front + 2]});
}

/// y (N, C, H, W) with the axes of x in front.
Tensor with_axes_of(const Tensor& x, const Tensor& y) {
  Shape shape(x.shape().begin(), x.dim() - 3);
  for (std::size_t axis = 1; axis < 4; ++axis) shape.push_back(y.shape()[axis]);
  return reshape(y, shape);
}

/// The axis cut into `parts` and the rest, which change places.
Tensor dealt(const Tensor& x, std::size_t axis, std::int64_t parts) {
  Shape cut = x.shape();
  cut[axis] = parts;
  cut.insert(axis + 1, x.shape()[axis] / parts);
  return reshape(transpose(reshape(x, cut), static_cast<std::int64_t>(axis), static_cast<std::int64_t>(axis) + 1),
                 x.shape());
}

}  // namespace

Tensor pixel_shuffle(Operand x, std::int64_t upscale_factor) {
  const std::int64_t r = upscale_factor;
  check_factor("pixel_shuffle", "upscale_factor", *x, r);
  const Tensor batch = as_batch(*x);
  const Shape& s = batch.shape();
  check(s[1] % r == 0 && s[1] / r % r == 0, "pixel_shuffle: input of shape ", x->shape(), " has ", s[1],
        " channels; with upscale_factor ", r, " they must be a multiple of ", r, " * ", r);
  const Tensor cut = reshape(batch, {s[0], s[1] / r / r, r, r, s[2], s[3]});  // N, C, i, j, H, W
  const Tensor y =
      detail::channels_lie_last(batch)
          ? permute(reshape(permute(cut, {0, 4, 2, 5, 3, 1}), {s[0], s[2] * r, s[3] * r, s[1] / r / r}), {0, 3, 1, 2})
          : reshape(permute(cut, {0, 1, 4, 2, 5, 3}), {s[0], s[1] / r / r, s[2] * r, s[3] * r});
  return with_axes_of(*x, y);
}

Tensor pixel_unshuffle(Operand x, std::int64_t downscale_factor) {
  const std::int64_t r = downscale_factor;
  check_factor("pixel_unshuffle", "downscale_factor", *x, r);
  const Tensor batch = as_batch(*x);
  const Shape& s = batch.shape();
  check(s[2] % r == 0 && s[3] % r == 0, "pixel_unshuffle: input of shape ", x->shape(),
        "; height and width must be multiples of downscale_factor ", r);
  const Tensor cut = reshape(batch, {s[0], s[1], s[2] / r, r, s[3] / r, r});  // N, C, H, i, W, j
  const Tensor y =
      detail::channels_lie_last(batch)
          ? permute(reshape(permute(cut, {0, 2, 4, 1, 3, 5}), {s[0], s[2] / r, s[3] / r, s[1] * r * r}), {0, 3, 1, 2})
          : reshape(permute(cut, {0, 1, 3, 5, 2, 4}), {s[0], s[1] * r * r, s[2] / r, s[3] / r});
  return with_axes_of(*x, y);
}

Tensor channel_shuffle(Operand x, std::int64_t groups) {
  check(x->dim() >= 3, "channel_shuffle: input has shape ", x->shape(),
        "; (N, C, ...) of at least three axes is needed");
  check(groups >= 1 && x->size(1) % groups == 0, "channel_shuffle: groups is ", groups, "; it must divide the ",
        x->size(1), " channels of an input of shape ", x->shape());
  if (!detail::channels_lie_last(*x)) return dealt(*x, 1, groups);
  Shape last, back;  // the orders of axes that move the channels to the end, and back
  const auto rank = static_cast<std::int64_t>(x->dim());
  for (std::int64_t axis = 0; axis < rank; ++axis) {
    last.push_back(axis == 0 ? 0 : axis == rank - 1 ? 1 : axis + 1);
    back.push_back(axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1);
  }
  return permute(dealt(permute(*x, last), x->dim() - 1, groups), back);
}

}  // namespace xgrad
