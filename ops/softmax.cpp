#include "softmax.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/reduction.hpp"
#include "../kernels/softmax.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "math.hpp"
#include "reduce.hpp"

namespace xgrad {

namespace {

using Forward = void (*)(DType, const detail::ReducedSize&, const std::byte*, std::byte*);
using Backward = void (*)(DType, const detail::ReducedSize&, const std::byte*, const std::byte*, std::byte*);

Tensor run_forward(Forward kernel, const Tensor& x, std::size_t axis) {
  const Tensor in = detail::packed(x), out = detail::empty_like(in, x.dtype());
  if (x.numel() > 0) kernel(x.dtype(), detail::size_along(in.array(), axis), in.impl().data, out.impl().data);
  return out;
}

Tensor run_backward(Backward kernel, const Tensor& y, const Tensor& grad, std::size_t axis) {
  const Tensor dy = detail::laid_like(grad, y), dx = detail::empty_like(y, y.dtype());
  if (y.numel() > 0)
    kernel(y.dtype(), detail::size_along(y.array(), axis), y.impl().data, dy.impl().data, dx.impl().data);
  return dx;
}

// The formulas are those of the kernels: the element that has nearly all of the probability, where there is one, is
// kept out of the sums, and its derivative is made of what the others sum up to, not of 1 - p.

struct Softmax {
  static constexpr const char* name = "softmax";
  std::size_t axis;
  Saved y = {};
  Tensor forward(const Tensor& x) {
    const Tensor out = run_forward(detail::softmax, x, axis);
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    if (!is_grad_enabled()) return run_backward(detail::softmax_backward, y, grad, axis);
    const Tensor p = y, leads = p.detach() > 0.7, product = p * grad;
    const Tensor others = sum_along(masked_fill(product, leads, 0)), own = sum_along(where(leads, product, 0));
    const Tensor rest = sum_along(masked_fill(p, leads, 0));
    return where(leads, rest * own - (1 - rest) * others, p * (grad - (others + own)));
  }
  Tensor jvp(const Tensor& dx) const { return backward(dx); }  // its Jacobian is symmetric

 private:
  Tensor sum_along(const Tensor& x) const { return sum(x, axis, {.keepdim = true}); }
};

struct LogSoftmax {
  static constexpr const char* name = "log_softmax";
  std::size_t axis;
  Saved y = {};
  Tensor forward(const Tensor& x) {
    const Tensor out = run_forward(detail::log_softmax, x, axis);
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    if (!is_grad_enabled()) return run_backward(detail::log_softmax_backward, y, grad, axis);
    const Tensor log_p = y, leads = log_p.detach() > -0.35;
    const Tensor others = sum_along(masked_fill(grad, leads, 0)), all = sum_along(grad);
    return where(leads, -others - expm1(log_p) * all, grad - exp(log_p) * all);
  }
  Tensor jvp(const Tensor& dx) const {
    const Tensor log_p = y, leads = log_p.detach() > -0.35, product = exp(log_p) * dx;
    return where(leads, -expm1(log_p) * dx - sum_along(masked_fill(product, leads, 0)), dx - sum_along(product));
  }

 private:
  Tensor sum_along(const Tensor& x) const { return sum(x, axis, {.keepdim = true}); }
};

/// Op along an axis of x, in the dtype that the options name or else x has.
template <class Op>
Tensor along(const Tensor& input, std::int64_t axis, const SoftmaxOptions& options) {
  const detail::MaybeOwned in = detail::in_float32(input);
  const Tensor& x = in;
  const DType dtype = options.dtype.value_or(detail::at_least(x.dtype(), float32));
  const Op op{normalize_axis(Op::name, axis, x.dim())};
  check(is_floating(dtype), Op::name, ": dtype is ", dtype, "; probabilities have a floating dtype");
  const detail::MaybeOwned operand = detail::converted(x, dtype);
  return detail::narrowed(apply(op, detail::widened(operand)), dtype);
}

}  // namespace

Tensor softmax(Operand x, std::int64_t axis, const SoftmaxOptions& options) {
  return along<Softmax>(*x, axis, options);
}

Tensor log_softmax(Operand x, std::int64_t axis, const SoftmaxOptions& options) {
  return along<LogSoftmax>(*x, axis, options);
}

}  // namespace xgrad
