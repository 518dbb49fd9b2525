#include "normalization.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../array/random.hpp"
#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/composed.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/batch_norm.hpp"
#include "../kernels/channel_pieces.hpp"
#include "../kernels/reduction.hpp"
#include "activation.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "math.hpp"
#include "reduce.hpp"
#include "running_statistics.hpp"
#include "shape.hpp"
#include "standardize.hpp"

namespace xgrad {

namespace {

/// Of a dense tensor (N, C, ...), whatever the order of its axes in memory.
detail::BatchNormSize batch_norm_size(const Tensor& x) {
  if (x.size(1) == 1) return {1, 1, x.numel()};
  const detail::ReducedSize size = detail::size_along(x.array(), 1);
  return {size.outer, size.reduced, size.inner};
}

template <class T>
T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

template <class T>
detail::Stored<T> stored(const Tensor& tensor) {
  return tensor.defined() ? detail::Stored<T>(tensor.array()) : detail::Stored<T>();
}

/// A (C,) tensor so that it broadcasts over (N, C, ...).
Tensor per_channel(const Tensor& values, std::size_t rank) {
  Shape shape = Shape::filled(rank, 1);
  shape[1] = values.numel();
  return reshape(values, shape);
}

/// All axes but that of the channels.
Shape axes_beside_channels(std::size_t rank) {
  Shape axes;
  for (std::size_t axis = 0; axis < rank; ++axis)
    if (axis != 1) axes.push_back(static_cast<std::int64_t>(axis));
  return axes;
}

using detail::Standardized;
/// By fixed statistics; else by the batch's, where the scale is one near theirs, which keeps squares within the dtype.
Standardized standardize(const Tensor& x, bool fixed, const Tensor& centre, const Tensor& scale, const Tensor& offset,
                         double eps) {
  const Tensor s = per_channel(scale, x.dim());
  if (fixed) {
    const Tensor values = (x - per_channel(centre, x.dim())) * s;
    return {offset.defined() ? values + per_channel(offset, x.dim()) : values, s};
  }
  return detail::standardize(x, axes_beside_channels(x.dim()), s, eps);
}

/// Of an input of 16 bits all but the residual, the result and their gradients is float32.
struct BatchNorm {
  const char* name;
  BatchNormOptions options;
  bool rectified;    // relu follows
  Saved batch = {};  // (2, C), filled by forward with the mean and the variance of the batch and then let go
  Saved x = {}, weight = {}, bias = {};
  Saved running_mean = {}, running_var = {};   // where they have gradients
  Saved centre = {}, scale = {}, offset = {};  // normalised: (x - centre) * scale + offset, 0 without an offset
  Saved residual = {}, y = {};                 // where relu follows

  Tensor forward(const Tensor& input, const Tensor& w, const Tensor& b, const Tensor& mean_so_far,
                 const Tensor& var_so_far, const Tensor& to_add) {
    x = input, weight = w, bias = b, residual = to_add;
    if (mean_so_far.requires_grad() || var_so_far.requires_grad()) running_mean = mean_so_far, running_var = var_so_far;
    const detail::MaybeOwned memory = detail::packed(input), dense_w = detail::dense(w), dense_b = detail::dense(b);
    const detail::BatchNormSize size = batch_norm_size(memory);
    const detail::MaybeOwned added = to_add.defined() ? detail::laid_like(to_add, memory) : detail::MaybeOwned(to_add);
    const DType computed = detail::compute_dtype(input.dtype());
    const Tensor out = detail::empty_like(memory, input.dtype());
    const Tensor c = detail::empty({size.channels}, computed), s = detail::empty({size.channels}, computed),
                 o = options.training ? detail::empty({size.channels}, computed) : Tensor(),
                 of_batch = std::exchange(batch, Saved());
    dispatch_floating(name, computed, [&](auto zero) {
      using T = decltype(zero);
      T *const cd = c.data<T>(), *const sd = s.data<T>(), *const od = data_or_null<T>(o),
               *const means = options.training ? of_batch.data<T>() : nullptr;
      if (!options.training) {
        std::copy_n(mean_so_far.data<T>(), size.channels, cd);
        const T* const variance = var_so_far.data<T>();
        for (std::int64_t i = 0; i < size.channels; ++i)
          sd[i] = T(1) / std::sqrt(variance[i] + static_cast<T>(options.eps));
      }
      if (out.numel() == 0) return;
      const T *const wd = data_or_null<T>(dense_w), *const bd = data_or_null<T>(dense_b);
      const std::array<detail::Stored<T>, 2> in{memory->array(), stored<T>(added)};
      detail::for_channel_pieces<T, 2>(
          size, in, out.array(),
          [&](const detail::BatchNormSize& piece, std::int64_t first, const std::array<const T*, 2>& from, T* to) {
            const auto of = [first](auto* numbers) { return numbers ? numbers + first : nullptr; };
            if (means)
              detail::batch_statistics(piece, from[0], options.eps, of(cd), of(sd), of(od),
                                       means + size.channels + first);
            if (rectified)
              detail::normalize_batch_relu<T>(piece, from[0], of(cd), of(sd), of(od), of(wd), of(bd), from[1], to);
            else
              detail::normalize_batch<T>(piece, from[0], of(cd), of(sd), of(od), of(wd), of(bd), to);
          });
      // The centre of elements that are not finite is 0; their mean is not.
      if (means)
        std::transform(cd, cd + size.channels, means + size.channels, means,
                       [](T mean, T var) { return var == var ? mean : var; });
    });
    centre = c, scale = s, offset = o;
    if (rectified) y = out;
    return out;
  }

  std::array<Tensor, 6> backward(const Tensor& grad, Needs needs) const {
    if (is_grad_enabled() || running_mean.defined())
      return detail::composed_backward(
          [this](const Tensor& input, const Tensor& w, const Tensor& b, const Tensor& mean, const Tensor& var,
                 const Tensor& added) {
            Tensor out = standardized(*detail::widened(input), !options.training, mean, var).values;
            if (w.defined()) out = out * per_channel(w, input.dim());
            if (b.defined()) out = out + per_channel(b, input.dim());
            if (added.defined()) out = out + *detail::widened(added);
            return detail::narrowed(rectified ? relu(out) : std::move(out), input.dtype());
          },
          std::array<Tensor, 6>{x, weight, bias, running_mean, running_var, residual}, grad, needs);
    const detail::MaybeOwned saved_x(x), saved_w(weight),
        input = detail::packed(saved_x), g = detail::laid_like(grad, input), w = detail::dense(saved_w), c(centre),
        s(scale), o(offset), out(y);
    const detail::BatchNormSize size = batch_norm_size(input);
    Tensor x_grad, w_grad = zeros({size.channels}, {.dtype = s->dtype()}), b_grad = zeros_like(w_grad), added_grad;
    if (grad.numel() == 0) return {zeros_like(input), w_grad, b_grad, {}, {}, zeros_like(input)};
    if (needs[0]) x_grad = detail::empty_like(input, x.dtype());
    dispatch_floating(name, s->dtype(), [&](auto zero) {
      using T = decltype(zero);
      using detail::BatchNormSize;
      detail::Stored<T> upstream = g->array(), relu_of = rectified ? stored<T>(out) : detail::Stored<T>();
      if (rectified && (needs[5] || !options.training)) {
        added_grad = detail::empty_like(input, x.dtype());
        detail::for_channel_pieces<T, 2>(
            size, {upstream, relu_of}, added_grad.array(),
            [](const BatchNormSize& piece, std::int64_t, const std::array<const T*, 2>& in, T* to) {
              detail::relu_gradient(piece.n * piece.channels * piece.length, in[0], in[1], to);
            });
        upstream = added_grad.array(), relu_of = {};
      }
      const Tensor no_centre = options.training ? Tensor() : zeros_like(c);
      const T *const cd = c->data<T>(), *const sd = s->data<T>(), *const od = data_or_null<T>(o),
                     *const wd = data_or_null<T>(w), *const nd = data_or_null<T>(no_centre);
      T *const bg = b_grad.data<T>(), *const wg = w_grad.data<T>();
      detail::for_channel_pieces<T, 3>(
          size, {upstream, relu_of, input->array()}, stored<T>(x_grad),
          [&](const BatchNormSize& piece, std::int64_t first, const std::array<const T*, 3>& in, T* to) {
            const auto of = [first](auto* numbers) { return numbers ? numbers + first : nullptr; };
            if (options.training || needs[1] || needs[2])
              detail::batch_norm_sums<T>(piece, in[0], in[1], in[2], of(cd), of(sd), of(od), of(bg), of(wg));
            if (!to) return;
            if (options.training)
              detail::batch_norm_input_grad<T>(piece, in[0], in[1], in[2], of(cd), of(sd), of(od), of(wd), of(bg),
                                               of(wg), to);
            else
              detail::normalize_batch<T>(piece, in[0], of(nd), of(sd), nullptr, of(wd), nullptr, to);
          });
    });
    return {x_grad, w_grad, b_grad, {}, {}, added_grad};
  }

  Tensor jvp(const Tensor& dx, const Tensor& dw, const Tensor& db, const Tensor& dmean, const Tensor& dvar,
             const Tensor& dadded) const {
    const std::size_t rank = x.shape().size();
    const Tensor input = x;
    const Standardized normal =
        standardized(*detail::widened(input), !options.training || !is_grad_enabled(), running_mean, running_var);
    const auto& [values, s] = normal;
    Tensor dy;
    const auto add = [&dy](const Tensor& term) { dy = dy.defined() ? dy + term : term; };
    if (dx.defined())
      add(options.training ? detail::change_of_standardized(normal, *detail::widened(dx), axes_beside_channels(rank))
                           : dx * s);
    if (dmean.defined()) add(expand(-per_channel(dmean, rank) * s, x.shape()));
    if (dvar.defined()) add(-0.5 * values * square(s) * per_channel(dvar, rank));
    if (dy.defined() && weight.defined()) dy = dy * per_channel(weight, rank);
    if (dw.defined()) add(values * per_channel(dw, rank));
    if (db.defined()) add(expand(per_channel(db, rank), x.shape()));
    if (dadded.defined()) add(dadded);
    if (rectified) dy = where(y <= 0, 0.0, dy);
    return dy.defined() ? detail::narrowed(std::move(dy), input.dtype()) : dy;
  }

 private:
  /// As standardize(), by these running statistics in evaluation where they have gradients.
  Standardized standardized(const Tensor& input, bool fixed, const Tensor& mean, const Tensor& var) const {
    if (!options.training && mean.defined())
      return standardize(input, true, mean, rsqrt(var + options.eps), Tensor(), options.eps);
    return standardize(input, fixed, centre, scale, offset, options.eps);
  }
};

/// 1 with probability 1 - p, else 0; of one shape for all dtypes: one seed, one mask. In the order of `like` in memory
/// where it has that shape.
Tensor draw_kept(const Shape& shape, const Tensor& like, double p) {
  const Tensor kept = like.shape() == shape ? detail::empty_like(like, float32) : detail::empty(shape, float32);
  default_generator().bernoulli(detail::first_element<float>(kept), kept.numel(), 1 - p);
  return kept.to(like.dtype());
}

struct Dropout {
  static constexpr const char* name = "dropout";
  static constexpr bool elementwise = true;
  double p;
  Shape mask_shape;  // which broadcasts to that of the input
  Saved mask = {};   // 0 or 1 / (1 - p)

  Tensor forward(const Tensor& x) {
    const NoGrad no_grad;
    const Tensor factors = draw_kept(mask_shape, x, p) * (p < 1 ? 1 / (1 - p) : 0.0);
    mask = factors;
    return x * factors;
  }
  Tensor backward(const Tensor& grad) const { return grad * mask; }
};

struct AlphaDropout {
  static constexpr const char* name = "alpha_dropout";
  static constexpr bool elementwise = true;
  double p;
  Saved mask = {};  // 0 or the scale

  Tensor forward(const Tensor& x) {
    constexpr double least = -1.7580993408473768;  // selu of -infinity
    const NoGrad no_grad;
    const Tensor kept = draw_kept(x.shape(), x, p);
    if (p == 1) {  // nothing is left that could be scaled
      mask = kept;
      return x * kept;
    }
    const double scale = 1 / std::sqrt((least * least * p + 1) * (1 - p));
    const Tensor factors = kept * scale;
    mask = factors;
    return x * factors + ((1 - kept) * (least * scale) - least * scale * p);
  }
  Tensor backward(const Tensor& grad) const { return grad * mask; }
};

void check_dropout(const char* op, const Tensor& x, double p) {
  check(p >= 0 && p <= 1, op, ": p is ", p, "; it must lie between 0 and 1");
  check(is_floating(x.dtype()), op, ": input is ", x.dtype(), "; convert it with .to(float32)");
}

/// Dropout of whole channels of an input of `rank` axes.
Tensor channel_dropout(const char* op, const Tensor& x, double p, bool training, std::size_t rank, const char* shape) {
  check_dropout(op, x, p);
  check(x.dim() == rank, op, ": input has shape ", x.shape(), "; ", shape, " is needed");
  if (!training || p == 0) return x;
  Shape mask = Shape::filled(rank, 1);
  mask[0] = x.size(0), mask[1] = x.size(1);
  return apply(Dropout{p, mask}, x);
}

/// batch_norm, or batch_norm_relu where `rectified`.
Tensor normalized(const char* op, const Tensor& input, const Tensor& running_mean, const Tensor& running_var,
                  const Tensor& scale, const Tensor& shift, const Tensor& added, const BatchNormOptions& options,
                  bool rectified) {
  using detail::in_float32;
  const Tensor x = in_float32(input), weight = in_float32(scale), bias = in_float32(shift),
               residual = in_float32(added);
  check(x.dim() >= 2, op, ": input of shape ", x.shape(), " has no channel axis; (N, C) or (N, C, ...) is needed");
  check(is_floating(x.dtype()), op, ": input is ", x.dtype(), "; convert it with .to(float32)");
  detail::check_channels(op, "weight", weight, x);
  detail::check_channels(op, "bias", bias, x);
  detail::check_running(op, running_mean, running_var, x, options.training);
  check(!residual.defined() || (residual.shape() == x.shape() && residual.dtype() == x.dtype()), op,
        ": residual has shape ", residual.defined() ? residual.shape() : Shape(), ", input ", x.shape(),
        "; they must have the same shape and dtype");
  check(options.training || running_mean.defined(), op, ": without running statistics only training is possible");
  check(options.eps >= 0, op, ": eps is ", options.eps, ", it must not be negative");
  const std::int64_t values = x.size(1) == 0 ? 0 : x.numel() / x.size(1);
  check(!options.training || values > 1, op, ": training needs more than one value a channel, input of shape ",
        x.shape(), " has ", values, "; use a larger batch, or evaluate with nn::eval()");
  using detail::widened;
  const Tensor batch = options.training ? detail::empty({2, x.size(1)}, detail::compute_dtype(x.dtype())) : Tensor();
  const Tensor y = apply(BatchNorm{op, options, rectified, batch}, x, widened(weight), widened(bias),
                         widened(running_mean), widened(running_var), residual);
  // Last, so that nothing has changed if anything fails.
  const double correction = options.unbiased ? static_cast<double>(values) / static_cast<double>(values - 1) : 1;
  if (options.training && running_mean.defined())
    detail::update_running(op, running_mean, running_var, batch, correction, options.momentum);
  return y;
}

}  // namespace

Tensor batch_norm(Operand x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, const BatchNormOptions& options) {
  return normalized("batch_norm", *x, running_mean, running_var, weight, bias, Tensor(), options, false);
}

Tensor batch_norm_relu(Operand x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                       const Tensor& bias, const Tensor& residual, const BatchNormOptions& options) {
  return normalized("batch_norm_relu", *x, running_mean, running_var, weight, bias, residual, options, true);
}

Tensor dropout(Operand x, double p, bool training) {
  check_dropout("dropout", x, p);
  return training && p != 0 ? apply(Dropout{p, x->shape()}, x) : *x;
}

Tensor dropout1d(Operand x, double p, bool training) {
  return channel_dropout("dropout1d", x, p, training, 3, "(N, C, L)");
}

Tensor dropout2d(Operand x, double p, bool training) {
  return channel_dropout("dropout2d", x, p, training, 4, "(N, C, H, W)");
}

Tensor dropout3d(Operand x, double p, bool training) {
  return channel_dropout("dropout3d", x, p, training, 5, "(N, C, D, H, W)");
}

Tensor alpha_dropout(Operand x, double p, bool training) {
  check_dropout("alpha_dropout", x, p);
  return training && p != 0 ? apply(AlphaDropout{p}, x) : *x;
}

}  // namespace xgrad
