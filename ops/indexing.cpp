#include "indexing.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../core/parallel.hpp"
#include "arithmetic.hpp"
#include "index.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

using detail::checked_index;
using detail::dispatch_size;
using detail::plus;

/// A shape as (outer, size, inner) around an axis.
struct Around {
  Around(const Shape& shape, std::size_t axis)
      : outer(Shape(shape.begin(), axis).numel()),
        size(shape[axis]),
        inner(Shape(shape.begin() + axis + 1, shape.size() - axis - 1).numel()) {}
  std::int64_t outer, size, inner;
};

template <class T>
void select_parts(const Around& x, const T* from, const std::int64_t* index, std::int64_t count, T* to) {
  parallel_for(x.outer * count, 16384 / x.inner + 1, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end;) {
      const std::int64_t outer = i / count, first = i % count, n = std::min(count - first, end - i);
      const T* const parts = from + outer * x.size * x.inner;
      if (x.inner == 1)
        for (std::int64_t k = 0; k < n; ++k) to[i + k] = parts[index[first + k]];
      else
        for (std::int64_t k = 0; k < n; ++k)
          std::copy_n(parts + index[first + k] * x.inner, x.inner, to + (i + k) * x.inner);
      i += n;
    }
  });
}

/// Every thread adds up columns of its own, in the order of the indices.
template <class T>
void add_parts(const Around& x, const T* from, const std::int64_t* index, std::int64_t count, T* to) {
  parallel_for(x.outer * x.inner, std::max<std::int64_t>(64, 32768 / count), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end;) {
      const std::int64_t outer = at / x.inner, column = at % x.inner, n = std::min(x.inner - column, end - at);
      if (x.inner == 1) {
        T* const sums = to + outer * x.size;
        const T* const terms = from + outer * count;
        for (std::int64_t i = 0; i < count; ++i) sums[index[i]] = plus(sums[index[i]], terms[i]);
        ++at;
        continue;
      }
      for (std::int64_t i = 0; i < count; ++i) {
        T* __restrict sum = to + (outer * x.size + index[i]) * x.inner + column;
        const T* __restrict term = from + (outer * count + i) * x.inner + column;
        for (std::int64_t k = 0; k < n; ++k) sum[k] = plus(sum[k], term[k]);
      }
      at += n;
    }
  });
}

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
    if (out.numel() > 0)
      dispatch_size(item_size(x.dtype()), [&](auto zero) {
        using T = decltype(zero);
        select_parts(Around(input, axis), reinterpret_cast<const T*>(from.impl().data), at.data<std::int64_t>(),
                     at.numel(), reinterpret_cast<T*>(out.impl().data));
      });
    return out;
  }
  Tensor backward(const Tensor& grad) const;
};

/// Adds the parts of `source` to those of `out`, whose memory is dense.
void add_parts(const char* op, const Tensor& out, std::size_t axis, const Tensor& index, const Tensor& source) {
  const Tensor at = checked_index(op, index, out.shape(), axis);
  if (source.numel() == 0) return;
  detail::add_computed(out, source, [&]<class T>(T* sums, const T* terms) {
    add_parts(Around(out.shape(), axis), terms, at.data<std::int64_t>(), at.numel(), sums);
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
