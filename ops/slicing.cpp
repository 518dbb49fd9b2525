#include "slicing.hpp"

#include <limits>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "joining.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

/// Elements begin, begin + step, ... along an axis.
struct Cut {
  std::size_t axis;
  std::int64_t begin, step, count;

  Tensor of(const Tensor& x) const {
    Shape shape = x.shape(), strides = x.strides();
    shape[axis] = count;
    if (x.numel() == 0 || count == 0) return detail::view(x, shape, row_major_strides(shape));
    const std::int64_t offset = begin * strides[axis];
    if (count > 1) strides[axis] *= step;
    return detail::view(x, shape, strides, offset);
  }
  /// Of one element, without the axis.
  Tensor row_of(const Tensor& x) const {
    const Tensor row = of(x);
    Shape shape = row.shape(), strides = row.strides();
    shape.erase(axis);
    strides.erase(axis);
    return detail::view(row, shape, strides);
  }
};

struct SliceBackward;
Tensor slice_backward(const Cut& cut, const Shape& input, const Tensor& grad);

struct Slice {
  static constexpr const char* name = "slice";
  static constexpr bool linear = true;
  Cut cut;
  Shape input = {};
  Tensor forward(const Tensor& x) {
    input = x.shape();
    return cut.of(x);
  }
  Tensor backward(const Tensor& grad) const { return slice_backward(cut, input, grad); }
  void add_backward(const Tensor& grad, const Tensor& sum) const { detail::accumulate_in_place(cut.of(sum), grad); }
};

/// Zeros, but for the elements of the gradient where a slice was taken.
struct SliceBackward {
  static constexpr const char* name = "slice_backward";
  static constexpr bool linear = true;
  Cut cut;
  Shape input;
  Tensor forward(const Tensor& grad) const {
    const Tensor out = zeros(input, {.dtype = grad.dtype()});
    detail::overwrite(cut.of(out), grad);
    return out;
  }
  Tensor backward(const Tensor& grad) const { return apply(Slice{cut}, grad); }
};

Tensor slice_backward(const Cut& cut, const Shape& input, const Tensor& grad) {
  return apply(SliceBackward{cut, input}, grad);
}

struct Select {
  static constexpr const char* name = "select";
  static constexpr bool linear = true;
  Cut cut;
  Shape input = {};
  Tensor forward(const Tensor& x) {
    input = x.shape();
    return cut.row_of(x);
  }
  Tensor backward(const Tensor& grad) const {
    return slice_backward(cut, input, unsqueeze(grad, static_cast<std::int64_t>(cut.axis)));
  }
  void add_backward(const Tensor& grad, const Tensor& sum) const { detail::accumulate_in_place(cut.row_of(sum), grad); }
};

struct Split {
  static constexpr const char* name = "split";
  static constexpr bool linear = true;
  std::size_t axis;
  std::vector<std::int64_t> sizes;
  std::vector<Tensor> forward(const Tensor& x) const {
    std::vector<Tensor> parts;
    std::int64_t begin = 0;
    for (const std::int64_t size : sizes) {
      parts.push_back(Cut{axis, begin, 1, size}.of(x));
      begin += size;
    }
    return parts;
  }
  Tensor backward(const std::vector<Tensor>& grads) const { return concat(grads, static_cast<std::int64_t>(axis)); }
  void add_backward(const std::vector<Tensor>& grads, const Tensor& sum) const {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (grads[i].defined()) detail::accumulate_in_place(Cut{axis, begin, 1, sizes[i]}.of(sum), grads[i]);
      begin += sizes[i];
    }
  }
};

struct Unbind {
  static constexpr const char* name = "unbind";
  static constexpr bool linear = true;
  std::size_t axis;
  std::vector<Tensor> forward(const Tensor& x) const {
    std::vector<Tensor> rows;
    rows.reserve(static_cast<std::size_t>(x.shape()[axis]));
    for (std::int64_t i = 0; i < x.shape()[axis]; ++i) rows.push_back(Cut{axis, i, 1, 1}.row_of(x));
    return rows;
  }
  Tensor backward(const std::vector<Tensor>& grads) const { return stack(grads, static_cast<std::int64_t>(axis)); }
  void add_backward(const std::vector<Tensor>& grads, const Tensor& sum) const {
    for (std::size_t i = 0; i < grads.size(); ++i)
      if (grads[i].defined())
        detail::accumulate_in_place(Cut{axis, static_cast<std::int64_t>(i), 1, 1}.row_of(sum), grads[i]);
  }
};

struct Flip {
  static constexpr const char* name = "flip";
  static constexpr bool linear = true;
  Shape axes;
  Tensor forward(const Tensor& x) const {
    const Tensor out = detail::empty(x.shape(), x.dtype());
    if (x.numel() == 0) return out;
    Shape strides = x.strides();
    std::int64_t offset = 0;
    for (const std::int64_t i : axes) {
      const auto axis = static_cast<std::size_t>(i);
      offset += (x.shape()[axis] - 1) * strides[axis];
      strides[axis] = -strides[axis];
    }
    detail::overwrite(out, detail::view(x, x.shape(), strides, offset));
    return out;
  }
  Tensor backward(const Tensor& grad) const { return apply(*this, grad); }
};

void expect_countable(const char* op, const Tensor& x, std::int64_t axis, std::int64_t parts) {
  check(parts <= std::numeric_limits<std::int32_t>::max(), op, ": axis ", axis, " of shape ", x.shape(), " in ", parts,
        " tensors; 2^31 - 1 are the most");
}

}  // namespace

Tensor slice(Operand x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  const std::size_t at = normalize_axis("slice", axis, x->dim());
  check(step != 0 && step != INT64_MIN, "slice: the step is ", step);
  const std::int64_t size = x->shape()[at];
  const auto position = [&](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + size : i, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
  };
  const std::int64_t first = position(begin);
  if (step < 0) {
    const std::int64_t length = std::max<std::int64_t>(first - position(end), 0),
                       count = length / -step + (length % -step != 0);
    const Tensor forward = apply(Slice{{at, length > 0 ? first + (count - 1) * step : 0, -step, count}}, x);
    return flip(forward, {static_cast<std::int64_t>(at)});
  }
  const std::int64_t length = std::max<std::int64_t>(position(end) - first, 0);
  if (length == size && step == 1) return *x;
  return apply(Slice{{at, first, step, length / step + (length % step != 0)}}, x);
}

Tensor narrow(Operand x, std::int64_t axis, std::int64_t begin, std::int64_t length) {
  const std::size_t at = normalize_axis("narrow", axis, x->dim());
  const std::int64_t size = x->shape()[at], first = begin < 0 ? begin + size : begin;
  check(first >= 0 && length >= 0 && first <= size && length <= size - first, "narrow: ", length, " elements from ",
        begin, " on are not all in axis ", axis, " of shape ", x->shape());
  if (length == size) return *x;
  return apply(Slice{{at, first, 1, length}}, x);
}

Tensor select(Operand x, std::int64_t axis, std::int64_t index) {
  const std::size_t at = normalize_axis("select", axis, x->dim());
  const std::int64_t size = x->shape()[at];
  check(index >= -size && index < size, "select: index ", index, " is out of range for axis ", axis, " of shape ",
        x->shape());
  return apply(Select{{at, index < 0 ? index + size : index, 1, 1}}, x);
}

Tensor Tensor::operator[](detail::Index index) const {
  const detail::CallSiteScope scope(index.site);
  return select(*this, 0, index.value);
}

std::vector<Tensor> split(Operand x, std::int64_t size, std::int64_t axis) {
  const std::size_t at = normalize_axis("split", axis, x->dim());
  check(size >= 1, "split: parts of size ", size, "; they must have at least 1");
  std::int64_t left = x->shape()[at];
  expect_countable("split", *x, axis, left / size);
  return detail::with_memory_for("split", [&] {
    std::vector<std::int64_t> sizes;
    do {
      sizes.push_back(std::min(size, left));
      left -= sizes.back();
    } while (left > 0);
    return apply(Split{at, std::move(sizes)}, x);
  });
}

std::vector<Tensor> split(Operand x, const std::vector<std::int64_t>& sizes, std::int64_t axis) {
  const std::size_t at = normalize_axis("split", axis, x->dim());
  std::int64_t left = x->shape()[at];
  for (const std::int64_t size : sizes) {
    check(size >= 0, "split: size ", size, " is negative");
    check(size <= left, "split: the sizes add up to more than that of axis ", axis, " of shape ", x->shape());
    left -= size;
  }
  check(left == 0, "split: the sizes leave ", left, " over of axis ", axis, " of shape ", x->shape());
  return detail::with_memory_for("split", [&] { return apply(Split{at, sizes}, x); });
}

std::vector<Tensor> unbind(Operand x, std::int64_t axis) {
  const std::size_t at = normalize_axis("unbind", axis, x->dim());
  expect_countable("unbind", *x, axis, x->shape()[at]);
  if (x->shape()[at] == 0) return {};
  return apply(Unbind{at}, x);
}

Tensor flip(Operand x, const Shape& axes) { return apply(Flip{normalize_axes("flip", axes, x->dim())}, x); }

}  // namespace xgrad
