#include "indexing.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/gather.hpp"
#include "arithmetic.hpp"
#include "index.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

using detail::checked_index;

struct IndexSelectBackward;

struct IndexSelect {
  static constexpr const char* name = "index_select";
  static constexpr bool linear = true;
  std::size_t axis;
  Saved index;
  Shape input = {};

  Tensor forward(const Tensor& x) {
    input = x.shape();
    const Tensor at = checked_index(name, index, input, axis), from = detail::dense(x);
    Shape shape = input;
    shape[axis] = at.numel();
    const Tensor out = detail::empty(shape, x.dtype());
    detail::select_parts(from.array(), axis, at.array(), out.array());
    return out;
  }
  Tensor backward(const Tensor& grad) const;
};

/// Adds the parts of `source` to those of `out`, whose memory is dense.
void add_parts(const char* op, const Tensor& out, std::size_t axis, const Tensor& index, const Tensor& source) {
  const Tensor at = checked_index(op, index, out.shape(), axis);
  detail::add_computed(out, source, [&](const detail::Array& sums, const detail::Array& terms) {
    detail::add_parts(terms, axis, at.array(), sums);
  });
}

struct IndexSelectBackward {
  static constexpr const char* name = "index_select_backward";
  static constexpr bool linear = true;
  std::size_t axis;
  Saved index;
  Shape input;
  Tensor forward(const Tensor& grad) const {
    const Tensor out = zeros(input, {.dtype = grad.dtype()});
    add_parts(name, out, axis, index, grad);
    return out;
  }
  Tensor backward(const Tensor& grad) const { return apply(IndexSelect{axis, index}, grad); }
};

Tensor IndexSelect::backward(const Tensor& grad) const { return apply(IndexSelectBackward{axis, index, input}, grad); }

struct IndexAdd {
  static constexpr const char* name = "index_add";
  std::size_t axis;
  Saved index;
  Shape shape = {};
  Tensor forward(const Tensor& x, const Tensor& source) {
    shape = x.shape();
    const Tensor out = detail::empty(shape, x.dtype());
    detail::overwrite(out, x);
    add_parts(name, out, axis, index, source);
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    return {grad, needs[1] ? apply(IndexSelect{axis, index}, grad) : Tensor()};
  }
  Tensor jvp(const Tensor& dx, const Tensor& dsource) const {
    if (!dsource.defined()) return dx;
    return dx.defined() ? apply(IndexAdd{axis, index}, dx, dsource)
                        : apply(IndexSelectBackward{axis, index, shape}, dsource);
  }
};

void expect_vector(const char* op, const Tensor& index) {
  check(index.dim() == 1, op, ": an index of shape ", index.shape(), "; it must have one axis");
}

}  // namespace

Tensor index_select(Operand x, std::int64_t axis, const Tensor& index) {
  const std::size_t at = normalize_axis("index_select", axis, x->dim());
  expect_vector("index_select", index);
  return apply(IndexSelect{at, index}, x);
}

Tensor index_add(Operand x, std::int64_t axis, const Tensor& index, const Tensor& source, const AlphaOptions& options) {
  const std::size_t at = normalize_axis("index_add", axis, x->dim());
  expect_vector("index_add", index);
  Shape expected = x->shape();
  expected[at] = index.numel();
  check(source.shape() == expected, "index_add: a source of shape ", source.shape(), " for shape ", x->shape(), " and ",
        index.numel(), " indices along axis ", axis, "; it must have shape ", expected);
  const DType dtype = promote(x->dtype(), source.dtype());
  check(promote(dtype, options.alpha) == dtype, "index_add: alpha is ", options.alpha, " and the tensors are ", dtype,
        "; the product must have this dtype");
  const Tensor added = options.alpha.value() == 1 ? source.to(dtype) : mul(source.to(dtype), options.alpha);
  return apply(IndexAdd{at, index}, x->to(dtype), added);
}

}  // namespace xgrad
