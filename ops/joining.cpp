#include "joining.hpp"

#include <algorithm>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
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
  return detail::with_memory_for("concat", [&] {
    std::vector<Tensor> converted;
    for (const Tensor& tensor : tensors) converted.push_back(tensor.to(dtype));
    return xgrad::apply(Concat{at}, converted);  // std::apply takes vectors, too
  });
}

Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis, detail::CallSite site) {
  const detail::CallSiteScope scope(site);
  check(!tensors.empty(), "stack: no tensors were given");
  return detail::with_memory_for("stack", [&] {
    std::vector<Tensor> parts;
    for (const Tensor& tensor : tensors) {
      check(tensor.shape() == tensors[0].shape(), "stack: shapes ", tensors[0].shape(), " and ", tensor.shape(),
            " differ");
      parts.push_back(unsqueeze(tensor, axis));
    }
    return concat(parts, axis);
  });
}

}  // namespace xgrad
