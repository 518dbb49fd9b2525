#include "shape.hpp"

#include <optional>

#include "../autograd/apply.hpp"
#include "../autograd/primitives.hpp"

namespace xgrad {

namespace {

/// The strides by which elements with shape `from` and these strides are seen as `to`, if there are any.
std::optional<Shape> view_strides(const Shape& from, const Shape& strides, const Shape& to) {
  if (from.numel() == 0) return row_major_strides(to);
  // From the last axis to the first, runs of axes of `from` that are stepped through as one are cut up into axes of
  // `to`.
  Shape out = to;
  std::size_t at = to.size();
  std::int64_t run = 1, base = 1;
  for (std::size_t axis = from.size(); axis-- > 0;) {
    if (from[axis] == 1) continue;
    if (run == 1) base = strides[axis];
    run *= from[axis];
    std::size_t next = axis;
    while (next > 0 && from[next - 1] == 1) --next;
    if (next > 0 && strides[next - 1] == run * base) continue;
    std::int64_t covered = 1;
    while (at > 0 && covered < run) {
      --at;
      out[at] = covered * base;
      covered *= to[at];
    }
    if (covered != run) return std::nullopt;
    run = 1;
  }
  while (at > 0) out[--at] = 1;  // what is left has size 1
  return out;
}

struct Reshape {
  static constexpr const char* name = "reshape";
  static constexpr bool linear = true;
  Shape shape, input = {};
  Tensor forward(const Tensor& x) {
    input = x.shape();
    if (const auto strides = view_strides(input, x.strides(), shape)) return detail::view(x, shape, *strides);
    detail::Array out = detail::row_major(x.array());
    out.shape = shape;
    out.strides = row_major_strides(shape);
    return Tensor(std::move(out));
  }
  Tensor backward(const Tensor& grad) const { return reshape(grad, input); }
};

Tensor reshaped(const Tensor& x, const Shape& shape) { return x.shape() == shape ? x : apply(Reshape{shape}, x); }

struct Transpose {
  static constexpr const char* name = "transpose";
  static constexpr bool linear = true;
  std::size_t axis0, axis1;
  Tensor forward(const Tensor& x) const {
    Shape shape = x.shape(), strides = x.strides();
    std::swap(shape[axis0], shape[axis1]);
    std::swap(strides[axis0], strides[axis1]);
    return detail::view(x, shape, strides);
  }
  Tensor backward(const Tensor& grad) const { return apply(*this, grad); }
};

struct Permute {
  static constexpr const char* name = "permute";
  static constexpr bool linear = true;
  Shape axes;
  Tensor forward(const Tensor& x) const {
    Shape shape = axes, strides = axes;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto axis = static_cast<std::size_t>(axes[i]);
      shape[i] = x.shape()[axis];
      strides[i] = x.strides()[axis];
    }
    return detail::view(x, shape, strides);
  }
  Tensor backward(const Tensor& grad) const {
    Shape inverse = axes;
    for (std::size_t i = 0; i < axes.size(); ++i)
      inverse[static_cast<std::size_t>(axes[i])] = static_cast<std::int64_t>(i);
    return apply(Permute{inverse}, grad);
  }
};

}  // namespace

Tensor reshape(Operand x, const Shape& shape) {
  Shape target = shape;
  std::int64_t* unknown = nullptr;
  for (std::int64_t& size : target) {
    check(size >= -1, "reshape: ", x->shape(), " to ", shape, ": size ", size, " is negative");
    if (size != -1) continue;
    check(!unknown, "reshape: ", x->shape(), " to ", shape, ": only one size can be -1");
    unknown = &size;
  }
  if (unknown) {
    *unknown = 1;
    const std::int64_t others = target.numel();
    check(others > 0, "reshape: ", x->shape(), " to ", shape, ": any size could stand for -1 beside a size of 0");
    *unknown = x->numel() / others;
  }
  check(target.numel() == x->numel(), "reshape: ", x->shape(), " has ", x->numel(), " elements, which do not fill ",
        shape, "; the product of the sizes must be the same, and one of them may be -1 to stand for the rest");
  return reshaped(*x, target);
}

Tensor flatten(Operand x, std::int64_t start_axis, std::int64_t end_axis) {
  const std::size_t rank = std::max<std::size_t>(x->dim(), 1);
  const std::size_t first = normalize_axis("flatten", start_axis, rank),
                    last = normalize_axis("flatten", end_axis, rank);
  check(first <= last, "flatten: ", x->shape(), ": start axis ", start_axis, " comes after end axis ", end_axis);
  if (x->dim() == 0) return reshaped(*x, {1});
  Shape shape = x->shape();
  shape[first] = Shape(shape.begin() + first, last - first + 1).numel();
  for (std::size_t axis = first; axis < last; ++axis) shape.erase(first + 1);
  return reshaped(*x, shape);
}

Tensor transpose(Operand x, std::int64_t axis0, std::int64_t axis1) {
  return apply(Transpose{normalize_axis("transpose", axis0, x->dim()), normalize_axis("transpose", axis1, x->dim())},
               x);
}

Tensor permute(Operand x, const Shape& axes) {
  check(axes.size() == x->dim(), "permute: ", x->shape(), " has ", x->dim(), " axes, ", axes, " names ", axes.size());
  Shape order = axes;
  for (std::int64_t& axis : order) axis = static_cast<std::int64_t>(normalize_axis("permute", axis, x->dim()));
  normalize_axes("permute", order, x->dim());
  return apply(Permute{order}, x);
}

Tensor squeeze(Operand x, const Axes& axes) {
  Shape shape = x->shape();
  const Shape named = normalize_axes("squeeze", axes.numbers(), x->dim());
  for (std::size_t i = named.size(); i-- > 0;)
    if (const auto axis = static_cast<std::size_t>(named[i]); shape[axis] == 1) shape.erase(axis);
  return reshaped(*x, shape);
}

Tensor unsqueeze(Operand x, std::int64_t axis) {
  Shape shape = x->shape();
  shape.insert(normalize_axis("unsqueeze", axis, x->dim() + 1), 1);
  return reshaped(*x, shape);
}

}  // namespace xgrad
