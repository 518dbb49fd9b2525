#include "primitives.hpp"

#include "../kernels/reduction.hpp"
#include "apply.hpp"

namespace xgrad {

namespace {

struct Clone {
  static constexpr const char* name = "clone";
  static constexpr bool linear = true;
  Tensor forward(const Tensor& x) {
    const Tensor out = detail::empty_like(x, x.dtype());
    detail::overwrite(out, x);
    return out;
  }
  Tensor backward(const Tensor& grad) const { return grad; }
};

struct CloneInFormat {
  static constexpr const char* name = "contiguous";
  static constexpr bool linear = true;
  MemoryFormat format;
  Tensor forward(const Tensor& x) {
    const Tensor out = detail::unallocated();
    detail::allocate_array_in_order(out.impl(), x.shape(), x.dtype(), detail::axes_in(format, x.dim()));
    detail::overwrite(out, x);
    return out;
  }
  Tensor backward(const Tensor& grad) const { return grad; }
};

struct To {
  static constexpr const char* name = "to";
  static constexpr bool linear = true;
  DType from, to;
  Tensor forward(const Tensor& x) { return Tensor(detail::as_dtype(x, to)); }
  Tensor backward(const Tensor& grad) const { return grad.to(from); }
};

struct SumTo {
  static constexpr const char* name = "sum_to";
  static constexpr bool linear = true;
  Shape shape, input = {};
  Tensor forward(const Tensor& x) {
    input = x.shape();
    const std::size_t added = input.size() - shape.size();
    const DType dtype = is_floating(x.dtype()) ? x.dtype() : int64;
    if (x.is_contiguous()) {  // as most gradients, of which small networks have many
      Shape kept = Shape::filled(added, 1);
      for (const std::int64_t size : shape) kept.push_back(size);
      const Tensor sums = detail::empty(shape, dtype);
      detail::sum_axes(x.dtype(), input, kept, x.impl().data, sums.impl().data);
      return sums;
    }
    Shape axes;
    for (std::size_t axis = 0; axis < input.size(); ++axis)
      if (axis < added || shape[axis - added] != input[axis]) axes.push_back(static_cast<std::int64_t>(axis));
    const detail::ReducedShape reduced(name, input, axes, true);
    const detail::ReductionMemory in(x, reduced);
    detail::Array out;
    in.allocate_result(out, reduced, dtype);
    detail::sum_axes(x.dtype(), in.shape, in.reduced, in.data, out.data);
    out.shape = shape;
    out.strides = {out.strides.begin() + added, shape.size()};
    return Tensor(std::move(out));
  }
  Tensor backward(const Tensor& grad) const { return expand(grad, input); }
};

struct Expand {
  static constexpr const char* name = "expand";
  static constexpr bool linear = true;
  Shape shape, input = {};
  Tensor forward(const Tensor& x) {
    input = x.shape();
    return detail::view(x, shape, detail::broadcast_strides(input, x.strides(), shape));
  }
  Tensor backward(const Tensor& grad) const { return sum_to(grad, input); }
};

struct Accumulate {
  static constexpr const char* name = "accumulate";
  static constexpr bool elementwise = true;
  Tensor forward(const Tensor& a, const Tensor& b) {
    const detail::Array* const terms[] = {&a.array(), &b.array()};
    const Tensor out = detail::unallocated();
    detail::allocate_array_in_order(out.impl(), a.shape(), a.dtype(), detail::common_order(a.shape(), terms));
    detail::overwrite(out, a);
    detail::accumulate_in_place(out, b);
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad) const { return {grad, grad}; }
};

template <class T>
void add_loop(const void*, std::int64_t n, std::byte* const* pointers) {
  T* sum = reinterpret_cast<T*>(pointers[0]);
  const T* before = reinterpret_cast<const T*>(pointers[1]);
  const T* term = reinterpret_cast<const T*>(pointers[2]);
  XGRAD_INDEPENDENT_ITERATIONS  // where sum is what it was before
      for (std::int64_t i = 0; i < n; ++i) sum[i] = before[i] + term[i];
}

}  // namespace

Tensor sum_to(Operand x, const Shape& shape) {
  if (x->shape() == shape) return *x;
  check(broadcasts_to(shape, x->shape()), "sum_to: shape ", shape, " does not broadcast to ", x->shape());
  return apply(SumTo{shape}, x);
}

Tensor expand(Operand x, const Shape& shape) {
  Shape target = shape;
  for (std::size_t back = 1; back <= std::min(x->dim(), shape.size()); ++back)
    if (std::int64_t& size = target[shape.size() - back]; size == -1) size = x->shape()[x->dim() - back];
  target.numel();
  check(broadcasts_to(x->shape(), target), "expand: a tensor of shape ", x->shape(), " does not broadcast to ", shape);
  if (x->shape() == target) return *x;
  return apply(Expand{target}, x);
}

Tensor Tensor::clone(detail::CallSite site) const { return apply(Clone{}, *this, site); }
Tensor Tensor::clone(MemoryFormat format, detail::CallSite site) const {
  const detail::CallSiteScope scope(site);
  check(detail::has_format(format, dim()), "contiguous: a tensor of shape ", shape(),
        " cannot have its channels last; (N, C, L), (N, C, H, W) or (N, C, D, H, W) is needed");
  return apply(CloneInFormat{format}, *this, site);
}
Tensor Tensor::contiguous(detail::CallSite site) const { return contiguous(MemoryFormat::contiguous, site); }
Tensor Tensor::contiguous(MemoryFormat format, detail::CallSite site) const {
  return is_contiguous(format) ? *this : clone(format, site);
}
Tensor Tensor::to(DType dtype, detail::CallSite site) const {
  return dtype == this->dtype() ? *this : apply(To{this->dtype(), dtype}, *this, site);
}

Tensor Tensor::row_major() const { return detail::dense(*this); }

namespace detail {

Tensor accumulate(const Tensor& a, const Tensor& b) { return apply(Accumulate{}, a, b); }

void accumulate_in_place(const Tensor& sum, const Tensor& term) {
  constexpr std::int64_t grain = 32768;
  const DType dtype = compute_dtype(sum.dtype());
  dispatch_floating("accumulate", dtype, [&](auto zero) {
    using T = decltype(zero);
    if (sum.is_contiguous() && term.is_contiguous() && sum.numel() <= grain && sum.dtype() == dtype) {
      std::byte* const pointers[] = {sum.impl().data, sum.impl().data, term.impl().data};
      return add_loop<T>(nullptr, sum.numel(), pointers);
    }
    const Strided operands[] = {strided_as(dtype, sum, sum.shape(), true), strided_as(dtype, sum, sum.shape()),
                                strided_as(dtype, term, sum.shape())};
    for_each_element(sum.shape(), operands, 1, add_loop<T>, nullptr, grain);
  });
}

MaybeOwned dense(const Tensor& x) {
  if (!x.defined() || x.is_contiguous()) return x;
  return Tensor(row_major(x));
}
MaybeOwned packed(const Tensor& x) {
  if (!x.defined() || is_dense(x)) return x;
  return Tensor(packed(x.array()));
}
MaybeOwned laid_like(const Tensor& x, const Tensor& like) {
  if (!x.defined() || lies_like(x, like)) return x;
  return Tensor(laid_like(x.array(), like.array()));
}

}  // namespace detail

}  // namespace xgrad
