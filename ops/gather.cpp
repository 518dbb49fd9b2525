#include "gather.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/gather.hpp"
#include "index.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

using detail::checked_index;

struct Gather {
  static constexpr const char* name = "gather";
  static constexpr bool linear = true;
  std::size_t axis;
  Saved index;
  Shape input = {};

  Tensor forward(const Tensor& x) {
    input = x.shape();
    const Tensor at = checked_index(name, index, input, axis);
    const Tensor out = detail::empty(at.shape(), x.dtype());
    detail::gather_elements(x.array(), axis, at.array(), out.array());
    return out;
  }
  Tensor backward(const Tensor& grad) const;
};

/// Adds the elements of `source` to those of `out`, whose memory is dense, at the positions that gather reads.
void scatter(const char* op, const Tensor& out, std::size_t axis, const Tensor& index, const Tensor& source) {
  const Tensor at = checked_index(op, index, out.shape(), axis);
  detail::add_computed(out, source, [&](const detail::Array& sums, const detail::Array& terms) {
    detail::add_elements(terms, axis, at.array(), sums);
  });
}

struct GatherBackward {
  static constexpr const char* name = "gather_backward";
  static constexpr bool linear = true;
  std::size_t axis;
  Saved index;
  Shape input;
  Tensor forward(const Tensor& grad) const {
    const Tensor out = zeros(input, {.dtype = grad.dtype()});
    scatter(name, out, axis, index, grad);
    return out;
  }
  Tensor backward(const Tensor& grad) const { return apply(Gather{axis, index}, grad); }
};

Tensor Gather::backward(const Tensor& grad) const { return apply(GatherBackward{axis, index, input}, grad); }

struct ScatterAdd {
  static constexpr const char* name = "scatter_add";
  std::size_t axis;
  Saved index;
  Shape shape = {};
  Tensor forward(const Tensor& x, const Tensor& source) {
    shape = x.shape();
    const Tensor out = detail::empty(x.shape(), x.dtype());
    detail::overwrite(out, x);
    scatter(name, out, axis, index, source);
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    return {grad, needs[1] ? apply(Gather{axis, index}, grad) : Tensor()};
  }
  Tensor jvp(const Tensor& dx, const Tensor& dsource) const {
    if (!dsource.defined()) return dx;
    return dx.defined() ? apply(ScatterAdd{axis, index}, dx, dsource)
                        : apply(GatherBackward{axis, index, shape}, dsource);
  }
};

void expect_gather_shape(const char* op, const Tensor& x, std::size_t axis, const Tensor& index) {
  check(index.dim() == x.dim(), op, ": an index of shape ", index.shape(), " for shape ", x.shape(),
        "; they must have as many axes");
  for (std::size_t i = 0; i < x.dim(); ++i)
    check(i == axis || index.shape()[i] <= x.shape()[i], op, ": an index of shape ", index.shape(), " for shape ",
          x.shape(), " is larger along axis ", i);
}

}  // namespace

Tensor gather(Operand x, std::int64_t axis, const Tensor& index) {
  const std::size_t at = normalize_axis("gather", axis, x->dim());
  expect_gather_shape("gather", *x, at, index);
  return apply(Gather{at, index}, x);
}

Tensor scatter_add(Operand x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const std::size_t at = normalize_axis("scatter_add", axis, x->dim());
  expect_gather_shape("scatter_add", *x, at, index);
  check(source.dim() == index.dim(), "scatter_add: source ", source.shape(), " and index ", index.shape(),
        " must have as many axes");
  Tensor part = source;
  for (std::size_t i = 0; i < index.dim(); ++i) {
    check(index.shape()[i] <= source.shape()[i], "scatter_add: source ", source.shape(), " is smaller than index ",
          index.shape(), " along axis ", i);
    if (index.shape()[i] < source.shape()[i]) part = narrow(part, static_cast<std::int64_t>(i), 0, index.shape()[i]);
  }
  const DType dtype = promote(x->dtype(), source.dtype());
  return apply(ScatterAdd{at, index}, x->to(dtype), part.to(dtype));
}

}  // namespace xgrad
