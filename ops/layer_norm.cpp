#include "layer_norm.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/composed.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/layer_norm.hpp"
#include "arithmetic.hpp"
#include "math.hpp"
#include "reduce.hpp"
#include "shape.hpp"
#include "standardize.hpp"

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

/// Layer normalisation; not centred, division by the root mean square. Of an input of 16 bits everything beside it, its
/// gradient and the result is float32.
template <bool centred>
struct RowNorm {
  static constexpr const char* name = centred ? "layer_norm" : "rms_norm";
  Shape normalized;
  double eps;
  Saved x = {}, weight = {}, bias = {};
  Saved centre = {}, scale = {}, offset = {};  // one a row: (x - centre) * scale + offset is the normalised row

  std::int64_t width() const { return normalized.numel(); }
  std::int64_t rows() const { return scale.shape().numel(); }

  Tensor forward(const Tensor& input, const Tensor& w, const Tensor& b) {
    x = input, weight = w, bias = b;
    const std::int64_t count = Shape(input.shape().begin(), input.dim() - normalized.size()).numel();
    const DType computed = detail::compute_dtype(input.dtype());
    const Tensor c = centred ? detail::empty({count}, computed) : Tensor(), s = detail::empty({count}, computed),
                 o = centred ? detail::empty({count}, computed) : Tensor();
    centre = c, scale = s, offset = o;
    Tensor out = detail::empty(input.shape(), input.dtype());
    if (out.numel() == 0) return out;
    const detail::MaybeOwned memory = detail::dense(input), dense_w = detail::dense(w), dense_b = detail::dense(b);
    dispatch_floating(name, computed, [&](auto zero) {
      using T = decltype(zero);
      detail::layer_norm<T>(count, width(), memory->array(), data_or_null<T>(dense_w), data_or_null<T>(dense_b), eps,
                            out.array(), data_or_null<T>(c), s.data<T>(), data_or_null<T>(o));
    });
    return out;
  }

  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    if (is_grad_enabled())
      return detail::composed_backward(
          [this](const Tensor& input, const Tensor& w, const Tensor& b) { return composed(input, w, b); },
          std::array<Tensor, 3>{x, weight, bias}, grad, needs);
    std::array<Tensor, 3> gradients;
    for (std::size_t i = 0; i < 3; ++i) {
      if (!needs[i]) continue;
      const Shape shape = i == 0 ? x.shape() : normalized;
      const DType dtype = i == 0 ? x.dtype() : scale.dtype();
      gradients[i] = grad.numel() == 0 ? zeros(shape, {.dtype = dtype}) : detail::empty(shape, dtype);
    }
    if (grad.numel() == 0) return gradients;
    const detail::MaybeOwned saved_x(x), saved_w(weight), g = detail::dense(grad), input = detail::dense(saved_x),
                                                          w = detail::dense(saved_w);
    const detail::MaybeOwned c(centre), s(scale), o(offset);
    dispatch_floating(name, s->dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::layer_norm_backward<T>(rows(), width(), g->array(), input->array(), data_or_null<T>(c), s->data<T>(),
                                     data_or_null<T>(o), data_or_null<T>(w),
                                     needs[0] ? detail::Stored<T>(gradients[0].array()) : detail::Stored<T>(),
                                     data_or_null<T>(gradients[1]), data_or_null<T>(gradients[2]));
    });
    return gradients;
  }

  Tensor jvp(const Tensor& dx, const Tensor& dw, const Tensor& db) const {
    const Tensor input = x;
    const detail::Standardized normal = standardized(*detail::widened(input));
    Tensor dy;
    const auto add = [&dy](const Tensor& term) { dy = dy.defined() ? dy + term : term; };
    if (dx.defined()) {
      const Tensor changed = change(normal, *detail::widened(dx));
      add(weight.defined() ? changed * weight : changed);
    }
    if (dw.defined()) add(normal.values * dw);
    if (db.defined()) add(expand(db, input.shape()));
    return dy.defined() ? detail::narrowed(std::move(dy), input.dtype()) : dy;
  }

 private:
  detail::Standardized standardized(const Tensor& input) const {
    Shape rows(input.shape().begin(), input.dim() - normalized.size());
    while (rows.size() < input.dim()) rows.push_back(1);
    const Tensor near = reshape(scale, rows);
    if (centred) return detail::standardize(input, last_axes(normalized.size()), near, eps);
    const Tensor scaled = input * near, more = rsqrt(mean_square(scaled, scaled) + square(near * std::sqrt(eps)));
    return {scaled * more, near * more};
  }
  Tensor change(const detail::Standardized& normal, const Tensor& dx) const {
    if (centred) return detail::change_of_standardized(normal, dx, last_axes(normalized.size()));
    return (dx - normal.values * mean_square(normal.values, dx)) * normal.scale;
  }
  Tensor mean_square(const Tensor& a, const Tensor& b) const {
    return mean(a * b, last_axes(normalized.size()), {.keepdim = true});
  }
  Tensor composed(const Tensor& input, const Tensor& w, const Tensor& b) const {
    Tensor y = standardized(*detail::widened(input)).values;
    if (w.defined()) y = y * w;
    return detail::narrowed(b.defined() ? y + b : std::move(y), input.dtype());
  }
};

void check_parameter(const char* op, const char* what, const Tensor& tensor, const Tensor& x, const Shape& normalized) {
  if (!tensor.defined()) return;
  check(tensor.shape() == normalized && tensor.dtype() == x.dtype(), op, ": ", what, " has shape ", tensor.shape(),
        " and dtype ", tensor.dtype(), "; it must have the normalized shape ", normalized, " and dtype ", x.dtype());
}

void check_input(const char* op, const Tensor& x, const Shape& normalized, double eps) {
  const std::size_t count = normalized.size();
  check(is_floating(x.dtype()), op, ": input is ", x.dtype(), "; convert it with .to(float32)");
  check(count > 0, op, ": normalized_shape is empty; give at least the size of the last axis");
  check(count <= x.dim() && Shape(x.shape().begin() + (x.dim() - count), count) == normalized, op,
        ": the last axes of an input of shape ", x.shape(), " are not ", normalized);
  check(eps >= 0, op, ": eps is ", eps, ", it must not be negative");
}

}  // namespace

Tensor layer_norm(Operand input, const Shape& normalized_shape, const Tensor& scale, const Tensor& shift, double eps) {
  const detail::MaybeOwned x = detail::in_float32(*input);
  const Tensor weight = detail::in_float32(scale), bias = detail::in_float32(shift);
  check_input("layer_norm", x, normalized_shape, eps);
  check_parameter("layer_norm", "weight", weight, x, normalized_shape);
  check_parameter("layer_norm", "bias", bias, x, normalized_shape);
  using detail::widened;
  const RowNorm<true> op{normalized_shape, eps};
  return apply(op, x, widened(weight), widened(bias));
}

Tensor rms_norm(Operand input, const Shape& normalized_shape, const Tensor& scale, std::optional<double> eps) {
  const detail::MaybeOwned x = detail::in_float32(*input);
  const Tensor weight = detail::in_float32(scale);
  const double spacing = x->dtype() == float64 ? std::numeric_limits<double>::epsilon()
                                               : static_cast<double>(std::numeric_limits<float>::epsilon());
  const double added = eps.value_or(spacing);
  check_input("rms_norm", x, normalized_shape, added);
  check_parameter("rms_norm", "weight", weight, x, normalized_shape);
  using detail::widened;
  const RowNorm<false> op{normalized_shape, added};
  return apply(op, x, widened(weight), Tensor());
}

}  // namespace xgrad
