#include "layer_norm.hpp"

#include <cmath>

#include "../autograd/apply.hpp"
#include "../autograd/composed.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/layer_norm.hpp"
#include "arithmetic.hpp"
#include "math.hpp"
#include "reduce.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

template <class T>
T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

/// The last `count` axes.
Shape last_axes(std::size_t count) {
  Shape axes;
  for (std::size_t i = count; i > 0; --i) axes.push_back(-static_cast<std::int64_t>(i));
  return axes;
}

struct LayerNorm {
  static constexpr const char* name = "layer_norm";
  Shape normalized;
  double eps;
  Saved x = {}, weight = {}, bias = {};
  Saved centre = {}, scale = {}, offset = {};  // one a row: (x - centre) * scale + offset is the normalised row

  std::int64_t width() const { return normalized.numel(); }
  std::int64_t rows() const { return centre.shape().numel(); }

  Tensor forward(const Tensor& input, const Tensor& w, const Tensor& b) {
    x = input, weight = w, bias = b;
    const std::int64_t count = Shape(input.shape().begin(), input.dim() - normalized.size()).numel();
    const Tensor c = detail::empty({count}, input.dtype()), s = detail::empty({count}, input.dtype()),
                 o = detail::empty({count}, input.dtype());
    centre = c, scale = s, offset = o;
    Tensor out = detail::empty(input.shape(), input.dtype());
    if (out.numel() == 0) return out;
    const detail::MaybeOwned memory = detail::dense(input), dense_w = detail::dense(w), dense_b = detail::dense(b);
    dispatch_floating(name, input.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::layer_norm(count, width(), memory->data<T>(), data_or_null<T>(dense_w), data_or_null<T>(dense_b), eps,
                         out.data<T>(), c.data<T>(), s.data<T>(), o.data<T>());
    });
    return out;
  }

  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    if (is_grad_enabled())
      return detail::composed_backward(
          [this](const Tensor& input, const Tensor& w, const Tensor& b) { return composed(input, w, b); },
          std::array<Tensor, 3>{x, weight, bias}, grad, needs);
    std::array<Tensor, 3> gradients;
    for (std::size_t i = 0; i < 3; ++i)
      if (needs[i]) gradients[i] = zeros(i == 0 ? x.shape() : normalized, {.dtype = x.dtype()});
    if (grad.numel() == 0) return gradients;
    const detail::MaybeOwned saved_x(x), saved_w(weight), g = detail::dense(grad), input = detail::dense(saved_x),
                                                          w = detail::dense(saved_w);
    const detail::MaybeOwned c(centre), s(scale), o(offset);
    dispatch_floating(name, grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::layer_norm_backward(rows(), width(), g->data<T>(), input->data<T>(), c->data<T>(), s->data<T>(),
                                  o->data<T>(), data_or_null<T>(w), data_or_null<T>(gradients[0]),
                                  data_or_null<T>(gradients[1]), data_or_null<T>(gradients[2]));
    });
    return gradients;
  }

  Tensor jvp(const Tensor& dx, const Tensor& dw, const Tensor& db) const {
    const auto [values, s] = standardized(x);
    Tensor dy;
    const auto add = [&dy](const Tensor& term) { dy = dy.defined() ? dy + term : term; };
    if (dx.defined()) {
      const Tensor change = (dx - means(dx) - values * means(values * dx)) * s;
      add(weight.defined() ? change * weight : change);
    }
    if (dw.defined()) add(values * dw);
    if (db.defined()) add(expand(db, x.shape()));
    return dy;
  }

 private:
  Tensor means(const Tensor& input) const {
    return xgrad::mean(input, last_axes(normalized.size()), {.keepdim = true});
  }
  std::pair<Tensor, Tensor> standardized(const Tensor& input) const {
    // Centred twice, for the first mean has no digits for what may count in the difference; and scaled by something
    // near the right scale before it is squared, so that squares stay within the dtype.
    Shape rows(input.shape().begin(), input.dim() - normalized.size());
    while (rows.size() < input.dim()) rows.push_back(1);
    const Tensor about = input - means(input), near = reshape(scale, rows), scaled = (about - means(about)) * near,
                 more = rsqrt(means(square(scaled)) + square(near * std::sqrt(eps)));
    return {scaled * more, near * more};
  }
  Tensor composed(const Tensor& input, const Tensor& w, const Tensor& b) const {
    Tensor y = standardized(input).first;
    if (w.defined()) y = y * w;
    return b.defined() ? y + b : y;
  }
};

void check_parameter(const char* what, const Tensor& tensor, const Tensor& x, const Shape& normalized) {
  if (!tensor.defined()) return;
  check(tensor.shape() == normalized && tensor.dtype() == x.dtype(), "layer_norm: ", what, " has shape ",
        tensor.shape(), " and dtype ", tensor.dtype(), "; it must have the normalized shape ", normalized,
        " and dtype ", x.dtype());
}

}  // namespace

Tensor layer_norm(Operand x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias, double eps) {
  const std::size_t count = normalized_shape.size();
  check(is_floating(x->dtype()), "layer_norm: input is ", x->dtype(), "; convert it with .to(float32)");
  check(count > 0, "layer_norm: normalized_shape is empty; give at least the size of the last axis");
  check(count <= x->dim() && Shape(x->shape().begin() + (x->dim() - count), count) == normalized_shape,
        "layer_norm: the last axes of an input of shape ", x->shape(), " are not ", normalized_shape);
  check_parameter("weight", weight, x, normalized_shape);
  check_parameter("bias", bias, x, normalized_shape);
  check(eps >= 0, "layer_norm: eps is ", eps, ", it must not be negative");
  using detail::widened;
  const LayerNorm op{normalized_shape, eps};
  return detail::narrowed(apply(op, widened(*x), widened(weight), widened(bias)), x->dtype());
}

}  // namespace xgrad
