#include "shape.hpp"

#include <optional>

#include "../autograd/apply.hpp"
#include "../autograd/primitives.hpp"
#include "registry.hpp"

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
    const Tensor out = detail::empty(shape, x.dtype());
    detail::overwrite(detail::view(out, input, row_major_strides(input)), x);
    return out;
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
  check(target.numel() == x->numel(), "reshape: ", x->shape(), " has ", x->numel(), " elements, which do not fill ", shape,
        "; the product of the sizes must be the same, and one of them may be -1 to stand for the rest");
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

namespace detail {

namespace {

struct Case {
  const char* reference;
  Tensor x;
  Tensor (*call)(const Tensor& x);
};

std::vector<OpSample> samples_of(std::initializer_list<Case> cases) {
  std::vector<OpSample> samples;
  for (const Case& each : cases)
    samples.push_back(sample(each.reference, {each.x}, [f = each.call](auto& x) { return f(x[0]); }));
  return samples;
}

/// (2, 4, 3), not contiguous.
Tensor permuted_input() { return transpose(sample_normal({2, 3, 4}).detach(), 1, 2).requires_grad_(); }

std::vector<OpSample> reshape_samples() {
  return samples_of({
      {"x[0].reshape(4, 6)", sample_normal({2, 3, 4}),
       [](auto& x) {
         return reshape(x, {4, 6});
       }},
      {"x[0].reshape(1, 6, -1, 1)", sample_normal({2, 3, 4}),
       [](auto& x) {
         return reshape(x, {1, 6, -1, 1});
       }},
      {"x[0].reshape(2, 2, 2, 3)", permuted_input(),
       [](auto& x) {
         return reshape(x, {2, 2, 2, 3});
       }},
      {"x[0].reshape(-1)", permuted_input(), [](auto& x) { return reshape(x, {-1}); }},
      {"x[0].reshape(())", sample_normal({1, 1}), [](auto& x) { return reshape(x, {}); }},
      {"x[0].reshape(5, 0)", sample_normal({0, 3}),
       [](auto& x) {
         return reshape(x, {5, 0});
       }},
  });
}

std::vector<OpError> reshape_errors() {
  return {{[] {
             reshape(ones({2, 3}), {4});
           },
           "reshape: (2, 3) has 6 elements, which do not fill (4,)"},
          {[] {
             reshape(ones({2, 3}), {4, -1});
           },
           "which do not fill (4, -1)"},
          {[] {
             reshape(ones({2, 3}), {-1, -1});
           },
           "only one size can be -1"},
          {[] {
             reshape(ones({2, 3}), {-2, 3});
           },
           "size -2 is negative"},
          {[] {
             reshape(ones({0, 3}), {0, -1});
           },
           "any size could stand for -1"},
          {[] {
             reshape(ones({2}), {INT64_MAX, 4});
           },
           "more than 2^63 - 1 elements"},
          {[] { reshape(Tensor(), {1}); }, "undefined"}};
}

std::vector<OpSample> flatten_samples() {
  return samples_of({
      {"torch.flatten(x[0])", sample_normal({2, 3, 4}), [](auto& x) { return flatten(x); }},
      {"torch.flatten(x[0], 1)", sample_normal({2, 3, 4}), [](auto& x) { return flatten(x, 1); }},
      {"torch.flatten(x[0], 0, -2)", permuted_input(), [](auto& x) { return flatten(x, 0, -2); }},
      {"torch.flatten(x[0], 1)", permuted_input(), [](auto& x) { return flatten(x, 1); }},
      {"torch.flatten(x[0])", sample_normal({}), [](auto& x) { return flatten(x); }},
      {"torch.flatten(x[0], 1)", sample_normal({2, 0, 3}), [](auto& x) { return flatten(x, 1); }},
  });
}

std::vector<OpError> flatten_errors() {
  return {{[] {
             flatten(ones({2, 3}), 2);
           },
           "flatten: axis 2 is out of range"},
          {[] {
             flatten(ones({2, 3}), 1, 0);
           },
           "flatten: (2, 3): start axis 1 comes after end axis 0"}};
}

std::vector<OpSample> transpose_samples() {
  return samples_of({
      {"torch.transpose(x[0], 0, 1)", sample_normal({2, 3}), [](auto& x) { return transpose(x, 0, 1); }},
      {"torch.transpose(x[0], 0, -1)", sample_normal({2, 3, 4}), [](auto& x) { return transpose(x, 0, -1); }},
      {"torch.transpose(x[0], 1, 0)", permuted_input(), [](auto& x) { return transpose(x, 1, 0); }},
      {"torch.transpose(x[0], 0, 0)", sample_normal({3}), [](auto& x) { return transpose(x, 0, 0); }},
      {"torch.transpose(x[0], 0, 1)", sample_normal({0, 3}), [](auto& x) { return transpose(x, 0, 1); }},
  });
}

std::vector<OpError> transpose_errors() {
  return {{[] {
             transpose(ones({2, 3}), 0, 2);
           },
           "transpose: axis 2 is out of range for a tensor with 2 axes"},
          {[] { transpose(ones({}), 0, 0); }, "transpose: axis 0 is out of range"}};
}

std::vector<OpSample> permute_samples() {
  return samples_of({
      {"torch.permute(x[0], (2, 0, 1))", sample_normal({2, 3, 4}),
       [](auto& x) {
         return permute(x, {2, 0, 1});
       }},
      {"torch.permute(x[0], (-1, -2, 0))", permuted_input(),
       [](auto& x) {
         return permute(x, {-1, -2, 0});
       }},
      {"torch.permute(x[0], ())", sample_normal({}), [](auto& x) { return permute(x, {}); }},
      {"torch.permute(x[0], (1, 2, 0))", sample_normal({2, 0, 3}),
       [](auto& x) {
         return permute(x, {1, 2, 0});
       }},
  });
}

std::vector<OpError> permute_errors() {
  return {{[] {
             permute(ones({2, 3}), {0});
           },
           "permute: (2, 3) has 2 axes, (0,) names 1"},
          {[] {
             permute(ones({2, 3}), {0, 2});
           },
           "permute: axis 2 is out of range"},
          {[] {
             permute(ones({2, 3}), {1, -1});
           },
           "permute: axis 1 is named twice"}};
}

std::vector<OpSample> squeeze_samples() {
  return samples_of({
      {"torch.squeeze(x[0])", sample_normal({1, 3, 1, 2}), [](auto& x) { return squeeze(x); }},
      {"torch.squeeze(x[0], 2)", sample_normal({1, 3, 1, 2}), [](auto& x) { return squeeze(x, 2); }},
      {"torch.squeeze(x[0], -1)", sample_normal({3, 2}), [](auto& x) { return squeeze(x, -1); }},
      {"torch.squeeze(x[0], (0, -2, 1))", sample_normal({1, 3, 1, 2}),
       [](auto& x) {
         return squeeze(x, {0, -2, 1});
       }},
      {"torch.squeeze(x[0])", sample_normal({1, 1}), [](auto& x) { return squeeze(x); }},
      {"torch.squeeze(x[0])", sample_normal({1, 0}), [](auto& x) { return squeeze(x); }},
  });
}

std::vector<OpError> squeeze_errors() {
  return {{[] {
             squeeze(ones({2, 3}), 2);
           },
           "squeeze: axis 2 is out of range"},
          {[] {
             squeeze(ones({1, 3}), {0, -2});
           },
           "squeeze: axis 0 is named twice"}};
}

std::vector<OpSample> unsqueeze_samples() {
  return samples_of({
      {"torch.unsqueeze(x[0], 0)", sample_normal({2, 3}), [](auto& x) { return unsqueeze(x, 0); }},
      {"torch.unsqueeze(x[0], -1)", permuted_input(), [](auto& x) { return unsqueeze(x, -1); }},
      {"torch.unsqueeze(x[0], -2)", sample_normal({2, 3}), [](auto& x) { return unsqueeze(x, -2); }},
      {"torch.unsqueeze(x[0], 0)", sample_normal({}), [](auto& x) { return unsqueeze(x, 0); }},
      {"torch.unsqueeze(x[0], 1)", sample_normal({0, 3}), [](auto& x) { return unsqueeze(x, 1); }},
  });
}

std::vector<OpError> unsqueeze_errors() {
  return {{[] {
             unsqueeze(ones({2, 3}), 3);
           },
           "unsqueeze: axis 3 is out of range"},
          {[] {
             unsqueeze(ones({1, 1, 1, 1, 1, 1, 1, 1}), 0);
           },
           "more axes than the 8"}};
}

}  // namespace

std::span<const OpInfo> shape_ops() {
  static const OpInfo ops[] = {
      {"reshape", "shape", "the elements in another shape", true, reshape_samples, reshape_errors},
      {"flatten", "shape", "neighbouring axes made one", true, flatten_samples, flatten_errors},
      {"transpose", "shape", "two axes exchanged", true, transpose_samples, transpose_errors},
      {"permute", "shape", "the axes in another order", true, permute_samples, permute_errors},
      {"squeeze", "shape", "without axes of size 1", true, squeeze_samples, squeeze_errors},
      {"unsqueeze", "shape", "with an axis of size 1 more", true, unsqueeze_samples, unsqueeze_errors},
  };
  return ops;
}

}  // namespace detail

}  // namespace xgrad
