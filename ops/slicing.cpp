#include "slicing.hpp"

#include <limits>

#include "../autograd/apply.hpp"
#include "../autograd/primitives.hpp"
#include "joining.hpp"
#include "registry.hpp"
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
  check(step >= 1, "slice: step ", step, " is less than 1; flip(x, {", axis, "}) reverses an axis");
  const std::int64_t size = x->shape()[at];
  const auto position = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  const std::int64_t first = position(begin), length = std::max<std::int64_t>(position(end) - first, 0);
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
  return apply(Split{at, sizes}, x);
}

std::vector<Tensor> unbind(Operand x, std::int64_t axis) {
  const std::size_t at = normalize_axis("unbind", axis, x->dim());
  expect_countable("unbind", *x, axis, x->shape()[at]);
  if (x->shape()[at] == 0) return {};
  return apply(Unbind{at}, x);
}

Tensor flip(Operand x, const Shape& axes) { return apply(Flip{normalize_axes("flip", axes, x->dim())}, x); }

namespace detail {

namespace {

using Tensors = std::vector<Tensor>;

std::vector<OpSample> slice_samples() {
  const Tensor x = sample_normal({5, 3});
  return {sample("x[0][1:4]", {x}, [](auto& in) { return slice(in[0], 0, 1, 4); }),
          sample("x[0][:-1]", {x}, [](auto& in) { return slice(in[0], 0, 0, -1); }),
          sample("x[0][:, 1:]", {x}, [](auto& in) { return slice(in[0], -1, 1); }),
          sample("x[0][-4::2]", {x}, [](auto& in) { return slice(in[0], 0, -4, INT64_MAX, 2); }),
          sample("x[0][-9:9]", {x}, [](auto& in) { return slice(in[0], 0, -9, 9); }),
          sample("x[0][4:2]", {x}, [](auto& in) { return slice(in[0], 0, 4, 2); }),
          sample("x[0].transpose(0, 1)[1:, ::3]", {x},
                 [](auto& in) { return slice(slice(transpose(in[0], 0, 1), 0, 1), 1, 0, 5, 3); }),
          sample("x[0][:, 1:]", {sample_normal({0, 3})}, [](auto& in) { return slice(in[0], 1, 1); })};
}

std::vector<OpError> slice_errors() {
  return {{[] {
             slice(ones({2, 3}), 2, 0);
           },
           "slice: axis 2 is out of range"},
          {[] { slice(ones({}), 0, 0); }, "slice: axis 0 is out of range"},
          {[] {
             slice(ones({2, 3}), 0, 0, 2, 0);
           },
           "slice: step 0 is less than 1"},
          {[] {
             slice(ones({2, 3}), 0, 0, 2, -1);
           },
           "slice: step -1 is less than 1; flip"}};
}

std::vector<OpSample> narrow_samples() {
  const Tensor x = sample_normal({2, 5});
  return {
      sample("torch.narrow(x[0], 1, 1, 3)", {x}, [](auto& in) { return narrow(in[0], 1, 1, 3); }),
      sample("torch.narrow(x[0], -1, -2, 2)", {x}, [](auto& in) { return narrow(in[0], -1, -2, 2); }),
      sample("torch.narrow(x[0], 1, 5, 0)", {x}, [](auto& in) { return narrow(in[0], 1, 5, 0); }),
      sample("torch.narrow(x[0], 1, 1, 2)", {sample_normal({0, 3})}, [](auto& in) { return narrow(in[0], 1, 1, 2); })};
}

std::vector<OpError> narrow_errors() {
  return {{[] {
             narrow(ones({2, 3}), 1, 2, 2);
           },
           "narrow: 2 elements from 2 on are not all in axis 1 of shape (2, 3)"},
          {[] {
             narrow(ones({2, 3}), 1, -4, 1);
           },
           "narrow: 1 elements from -4 on"},
          {[] {
             narrow(ones({2, 3}), 1, 1, INT64_MAX);
           },
           "not all in axis 1"},
          {[] {
             narrow(ones({2, 3}), 1, 0, -1);
           },
           "narrow: -1 elements"}};
}

std::vector<OpSample> select_samples() {
  const Tensor x = sample_normal({2, 3, 4});
  return {sample("torch.select(x[0], 0, 1)", {x}, [](auto& in) { return select(in[0], 0, 1); }),
          sample("torch.select(x[0], 1, -1)", {x}, [](auto& in) { return select(in[0], 1, -1); }),
          sample("torch.select(x[0], 0, 0)", {sample_normal({3})}, [](auto& in) { return select(in[0], 0, 0); }),
          sample("torch.select(x[0], 1, 2)", {sample_normal({0, 3})}, [](auto& in) { return select(in[0], 1, 2); })};
}

std::vector<OpError> select_errors() {
  return {{[] {
             select(ones({2, 3}), 1, 3);
           },
           "select: index 3 is out of range for axis 1 of shape (2, 3)"},
          {[] {
             select(ones({2, 3}), 0, -3);
           },
           "select: index -3"},
          {[] {
             select(ones({0, 3}), 0, 0);
           },
           "select: index 0 is out of range"},
          {[] { select(ones({}), 0, 0); }, "select: axis 0 is out of range"}};
}

std::vector<OpSample> split_samples() {
  const Tensor x = sample_normal({5, 3});
  return {{"torch.split(x[0], 2)", {x}, [](const Tensors& in) { return split(in[0], 2); }},
          {"torch.split(x[0], [1, 0, 2], dim=-1)",
           {x},
           [](const Tensors& in) {
             return split(in[0], {1, 0, 2}, -1);
           }},
          {"torch.split(x[0], 9)", {x}, [](const Tensors& in) { return split(in[0], 9); }},
          {"torch.split(x[0], 2)", {sample_normal({0, 3})}, [](const Tensors& in) { return split(in[0], 2); }}};
}

std::vector<OpError> split_errors() {
  return {{[] {
             split(ones({2, 3}), 0);
           },
           "split: parts of size 0"},
          {[] {
             split(ones({2, 3}), 1, 2);
           },
           "split: axis 2 is out of range"},
          {[] {
             split(ones({2, 3}), {1, 3}, 1);
           },
           "add up to more than that of axis 1 of shape (2, 3)"},
          {[] {
             split(ones({2, 3}), {1, 1}, 1);
           },
           "split: the sizes leave 1 over of axis 1 of shape (2, 3)"},
          {[] {
             split(ones({2, 3}), {4, -1}, 1);
           },
           "split: the sizes add up to more"},
          {[] {
             split(ones({2, 3}), {-1, 4}, 1);
           },
           "split: size -1 is negative"}};
}

std::vector<OpSample> unbind_samples() {
  const Tensor x = sample_normal({3, 2, 4});
  return {{"torch.unbind(x[0])", {x}, [](const Tensors& in) { return unbind(in[0]); }},
          {"torch.unbind(x[0], -1)", {x}, [](const Tensors& in) { return unbind(in[0], -1); }},
          {"torch.unbind(x[0].transpose(0, 1), 1)",
           {x},
           [](const Tensors& in) { return unbind(transpose(in[0], 0, 1), 1); }},
          {"torch.unbind(x[0])", {sample_normal({4})}, [](const Tensors& in) { return unbind(in[0]); }},
          {"torch.unbind(x[0], 1)", {sample_normal({0, 2})}, [](const Tensors& in) { return unbind(in[0], 1); }}};
}

std::vector<OpError> unbind_errors() {
  return {{[] {
             unbind(ones({2, 3}), 2);
           },
           "unbind: axis 2 is out of range"},
          {[] { unbind(ones({})); }, "unbind: axis 0 is out of range"},
          {[] { unbind(expand(ones({1}), {INT64_MAX})); }, "unbind: axis 0 of shape (9223372036854775807,) in"}};
}

std::vector<OpSample> flip_samples() {
  const Tensor x = sample_normal({2, 3, 4});
  return {sample("torch.flip(x[0], (1,))", {x}, [](auto& in) { return flip(in[0], {1}); }),
          sample("torch.flip(x[0], (0, 1, 2))", {x}, [](auto& in) { return flip(in[0]); }),
          sample("torch.flip(x[0].transpose(0, 2), (0, -1))", {x},
                 [](auto& in) {
                   return flip(transpose(in[0], 0, 2), {0, -1});
                 }),
          sample("torch.flip(x[0], ())", {sample_normal({})}, [](auto& in) { return flip(in[0]); }),
          sample("torch.flip(x[0], (0,))", {sample_normal({2, 0})}, [](auto& in) { return flip(in[0], {0}); })};
}

std::vector<OpError> flip_errors() {
  return {{[] {
             flip(ones({2, 3}), {2});
           },
           "flip: axis 2 is out of range"},
          {[] {
             flip(ones({2, 3}), {1, -1});
           },
           "flip: axis 1 is named twice"}};
}

}  // namespace

std::span<const OpInfo> slicing_ops() {
  static const OpInfo ops[] = {
      {"slice", "slicing", "x[begin:end:step] along an axis", true, slice_samples, slice_errors},
      {"narrow", "slicing", "x[begin:begin + length] along an axis", true, narrow_samples, narrow_errors},
      {"select", "slicing", "x[index] along an axis", true, select_samples, select_errors},
      {"split", "slicing", "consecutive parts along an axis", true, split_samples, split_errors},
      {"unbind", "slicing", "the parts along an axis, each without it", true, unbind_samples, unbind_errors},
      {"flip", "slicing", "the order reversed along axes", true, flip_samples, flip_errors},
  };
  return ops;
}

}  // namespace detail

}  // namespace xgrad
