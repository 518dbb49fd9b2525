#include "product.hpp"

#include "../autograd/apply.hpp"
#include "arithmetic.hpp"
#include "joining.hpp"
#include "kernels/reduction.hpp"
#include "reduce_samples.hpp"
#include "shape.hpp"
#include "slicing.hpp"
#include "spread.hpp"

namespace xgrad {

namespace {

template <class T, class P>
struct Product {
  using Element = T;
  using Partial = P;
  static constexpr bool centred = false;
  static constexpr P identity = 1;
  [[gnu::always_inline]] static P lift(T x, T) { return static_cast<P>(x); }
  [[gnu::always_inline]] static P combine(P a, P b) { return a * b; }
};

/// For each element the product of the others along the last axis, without dividing, and with derivatives of any order:
/// those of the first half are those of the second times the other half's, and so on down to one element.
Tensor product_of_others(const Tensor& x) {
  const std::int64_t n = x.size(-1), half = n / 2;
  if (n < 2) return ones_like(x);
  const Tensor a = slice(x, -1, 0, half), b = slice(x, -1, half, 2 * half), left = slice(x, -1, 2 * half);
  const Tensor outer = product_of_others(n % 2 ? concat({a * b, left}, -1) : a * b);
  const Tensor both = slice(outer, -1, 0, half);
  return concat({both * b, both * a, slice(outer, -1, half)}, -1);
}

/// The same over several axes.
Tensor product_of_others(const Tensor& x, const Shape& axes) {
  Shape order, sizes, back = Shape::filled(x.dim(), 0);
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < x.dim(); ++axis)
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) == axes.end()) {
      order.push_back(static_cast<std::int64_t>(axis));
      sizes.push_back(x.shape()[axis]);
    }
  for (const std::int64_t axis : axes) {
    order.push_back(axis);
    count *= x.size(axis);
  }
  sizes.push_back(count);
  for (std::size_t i = 0; i < order.size(); ++i)
    back[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  const Tensor permuted = permute(x, order);
  return permute(reshape(product_of_others(reshape(permuted, sizes)), permuted.shape()), back);
}

struct Prod {
  static constexpr const char* name = "prod";
  detail::ReducedShape shape;
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    if (input.dtype() == int64) return detail::run_reduction(Product<std::int64_t, std::uint64_t>{}, input, shape);
    return dispatch_floating(name, input.dtype(), [&](auto zero) {
      using T = decltype(zero);
      return detail::run_reduction(Product<T, T>{}, input, shape);
    });
  }
  Tensor backward(const Tensor& grad) const { return detail::spread(grad, shape) * product_of_others(x, shape.axes()); }
  Tensor jvp(const Tensor& dx) const { return detail::sum_over(dx * product_of_others(x, shape.axes()), shape); }
};

}  // namespace

Tensor prod(Operand x, const Axes& axes, const SumOptions& options) {
  const Tensor in = x->to(options.dtype.value_or(x->dtype()));
  const Prod op{{"prod", x->shape(), axes, options.keepdim}};
  if (in.dtype() != bool_) return apply(op, in);
  const Tensor out = apply(op, in.to(int64));
  return options.dtype ? out.to(bool_) : out;
}

namespace detail {

std::span<const OpInfo> product_ops() {
  static const OpInfo ops[] = {
      {"prod", "reductions", "product of x", true,
       [] {
         return reduction_samples(
             "__import__('functools').reduce(lambda t, d: t.prod(d, keepdim={keepdim}), "
             "sorted((d % x[0].dim() for d in {dim}), reverse=True), x[0])",
             [](auto& x, auto& axes, bool keepdim) { return prod(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return prod(x, axes); }); }},
  };
  return ops;
}

}  // namespace detail

}  // namespace xgrad
