#include "joining.hpp"

#include <algorithm>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "registry.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

struct Concat {
  static constexpr const char* name = "concat";
  std::size_t axis;
  std::vector<std::int64_t> sizes = {};
  Tensor forward(const std::vector<Tensor>& tensors) {
    Shape shape = tensors[0].shape();
    shape[axis] = 0;
    for (const Tensor& tensor : tensors) {
      sizes.push_back(tensor.shape()[axis]);
      check(!__builtin_add_overflow(shape[axis], sizes.back(), &shape[axis]), "concat: the size of axis ", axis,
            " is over 2^63 - 1");
    }
    const Tensor out = detail::empty(shape, tensors[0].dtype());
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < tensors.size(); begin += sizes[i++])
      detail::overwrite(narrow(out, static_cast<std::int64_t>(axis), begin, sizes[i]), tensors[i]);
    return out;
  }
  std::vector<Tensor> backward(const Tensor& grad, Needs needs) const {
    std::vector<Tensor> parts(sizes.size());
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < parts.size(); begin += sizes[i++])
      if (needs[i]) parts[i] = narrow(grad, static_cast<std::int64_t>(axis), begin, sizes[i]);
    return parts;
  }
  Tensor jvp(std::vector<Tensor> tangents) const {
    const auto known = std::find_if(tangents.begin(), tangents.end(), [](const Tensor& t) { return t.defined(); });
    const DType dtype = known->dtype();
    Shape shape = known->shape();
    for (std::size_t i = 0; i < tangents.size(); ++i) {
      shape[axis] = sizes[i];
      if (!tangents[i].defined()) tangents[i] = zeros(shape, {.dtype = dtype});
    }
    return xgrad::apply(Concat{axis}, tangents);
  }
};

}  // namespace

Tensor concat(const std::vector<Tensor>& tensors, std::int64_t axis, detail::CallSite site) {
  const detail::CallSiteScope scope(site);
  check(!tensors.empty(), "concat: no tensors were given");
  const Shape& first = tensors[0].shape();
  const std::size_t at = normalize_axis("concat", axis, first.size());
  DType dtype = tensors[0].dtype();
  for (const Tensor& tensor : tensors) {
    Shape expected = first;
    if (tensor.dim() == first.size()) expected[at] = tensor.shape()[at];
    check(tensor.shape() == expected, "concat: shapes ", first, " and ", tensor.shape(),
          " differ, not only along axis ", axis);
    dtype = promote(dtype, tensor.dtype());
  }
  std::vector<Tensor> converted;
  for (const Tensor& tensor : tensors) converted.push_back(tensor.to(dtype));
  return xgrad::apply(Concat{at}, converted);  // std::apply takes vectors, too
}

Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis, detail::CallSite site) {
  const detail::CallSiteScope scope(site);
  check(!tensors.empty(), "stack: no tensors were given");
  std::vector<Tensor> parts;
  for (const Tensor& tensor : tensors) {
    check(tensor.shape() == tensors[0].shape(), "stack: shapes ", tensors[0].shape(), " and ", tensor.shape(),
          " differ");
    parts.push_back(unsqueeze(tensor, axis));
  }
  return concat(parts, axis);
}

namespace detail {

namespace {

std::vector<OpSample> concat_samples() {
  const Tensor x = sample_normal({2, 3}, 1), y = sample_normal({2, 1}, 2), z = sample_normal({3, 2}, 3);
  return {sample("torch.cat((x[0], x[1]), dim=1)", {x, y}, [](auto& in) { return concat(in, 1); }),
          sample("torch.cat((x[0], x[1].T))", {x, z},
                 [](auto& in) {
                   return concat({in[0], transpose(in[1], 0, 1)});
                 }),
          sample("torch.cat((x[0], x[0], x[1]), dim=-1)", {x, y},
                 [](auto& in) {
                   return cat({in[0], in[0], in[1]}, -1);
                 }),
          sample("torch.cat((x[0],))", {x}, [](auto& in) { return concat(in); }),
          sample("torch.cat((x[0], x[1]))", {x, sample_normal({0, 3})}, [](auto& in) { return cat(in); })};
}

std::vector<OpError> concat_errors() {
  return {{[] { concat({}); }, "concat: no tensors"},
          {[] {
             concat({ones({2, 3}), ones({2, 4})});
           },
           "concat: shapes (2, 3) and (2, 4) differ, not only along axis 0"},
          {[] {
             concat({ones({2, 3}), ones({3})});
           },
           "concat: shapes (2, 3) and (3,) differ"},
          {[] {
             concat({ones({2, 3}), ones({2, 3})}, 2);
           },
           "concat: axis 2 is out of range"},
          {[] {
             concat({ones({}), ones({})});
           },
           "concat: axis 0 is out of range for a tensor with 0 axes"},
          {[] {
             concat({ones({2}), Tensor()});
           },
           "undefined"},
          {[] {
             const Tensor huge = expand(ones({1, 0}), {INT64_MAX, 0});
             concat({huge, huge});
           },
           "concat: the size of axis 0 is over 2^63 - 1"}};
}

std::vector<OpSample> stack_samples() {
  const Tensor x = sample_normal({2, 3}, 1), y = sample_normal({2, 3}, 2);
  return {sample("torch.stack((x[0], x[1]))", {x, y}, [](auto& in) { return stack(in); }),
          sample("torch.stack((x[0], x[1]), dim=1)", {x, y}, [](auto& in) { return stack(in, 1); }),
          sample("torch.stack((x[0], x[1]), dim=-1)", {x, y}, [](auto& in) { return stack(in, -1); }),
          sample("torch.stack((x[0], x[0]))", {sample_normal({})},
                 [](auto& in) {
                   return stack({in[0], in[0]});
                 }),
          sample("torch.stack((x[0], x[0]))", {sample_normal({0})}, [](auto& in) {
            return stack({in[0], in[0]});
          })};
}

std::vector<OpError> stack_errors() {
  return {{[] { stack({}); }, "stack: no tensors"},
          {[] {
             stack({ones({2}), ones({3})});
           },
           "stack: shapes (2,) and (3,) differ"},
          {[] {
             stack({ones({2}), ones({2})}, 2);
           },
           "axis 2 is out of range"}};
}

}  // namespace

std::span<const OpInfo> joining_ops() {
  static const OpInfo ops[] = {
      {"concat", "joining", "tensors one after the other along an axis", true, concat_samples, concat_errors},
      {"cat", "joining", "concat", true, concat_samples, concat_errors},
      {"stack", "joining", "tensors one after the other along a new axis", true, stack_samples, stack_errors},
  };
  return ops;
}

}  // namespace detail

}  // namespace xgrad
