#include "softmax.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/composed.hpp"
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

Tensor run_backward(Backward kernel, const Tensor& saved, const Tensor& grad, std::size_t axis) {
  const Tensor y = detail::packed(saved), dy = detail::laid_like(grad, y), dx = detail::empty_like(y, y.dtype());
  if (y.numel() > 0)
    kernel(y.dtype(), detail::size_along(y.array(), axis), y.impl().data, dy.impl().data, dx.impl().data);
  return dx;
}

// The formulas are those of the kernels: the element that has nearly all of the probability, where there is one, is
// kept out of the sums, and its derivative is made of what the others sum up to, not of 1 - p.

struct Softmax {
  static constexpr const char* name = "softmax";
  static constexpr Forward kernel = detail::softmax;
  static constexpr Backward backward_kernel = detail::softmax_backward;
  std::size_t axis;
  Saved y = {};
  Tensor forward(const Tensor& x) {
    const Tensor out = run_forward(kernel, x, axis);
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    if (!is_grad_enabled()) return run_backward(backward_kernel, y, grad, axis);
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
  static constexpr Forward kernel = detail::log_softmax;
  static constexpr Backward backward_kernel = detail::log_softmax_backward;
  std::size_t axis;
  Saved y = {};
  Tensor forward(const Tensor& x) {
    const Tensor out = run_forward(kernel, x, axis);
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    if (!is_grad_enabled()) return run_backward(backward_kernel, y, grad, axis);
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

/// Op of 16 bits, computed in float32: the result is rounded, and so is the gradient of what it was before.
template <class Op>
struct Rounded {
  static constexpr const char* name = Op::name;
  std::size_t axis;
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return run_forward(Op::kernel, input, axis);
  }
  Tensor backward(const Tensor& grad) const {
    if (!is_grad_enabled()) return run_backward(Op::backward_kernel, x, grad, axis);
    const auto composed = [this](const Tensor& input) {
      return detail::narrowed(apply(Op{axis}, detail::widened(input)), input.dtype());
    };
    return detail::composed_backward(composed, std::array<Tensor, 1>{x}, grad, Needs(1))[0];
  }
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
  if (dtype != detail::compute_dtype(dtype)) return apply(Rounded<Op>{op.axis}, operand);
  return apply(op, operand);
}

}  // namespace

Tensor softmax(Operand x, std::int64_t axis, const SoftmaxOptions& options) {
  return along<Softmax>(*x, axis, options);
}

Tensor log_softmax(Operand x, std::int64_t axis, const SoftmaxOptions& options) {
  return along<LogSoftmax>(*x, axis, options);
}

}  // namespace xgrad
