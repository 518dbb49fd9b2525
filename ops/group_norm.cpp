#include "group_norm.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/composed.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../core/parallel.hpp"
#include "../kernels/batch_norm.hpp"
#include "../kernels/channel_pieces.hpp"
#include "normalization.hpp"
#include "running_statistics.hpp"
#include "shape.hpp"
#include "slicing.hpp"
#include "standardize.hpp"

namespace xgrad {

namespace {

/// How the kernels of batch normalisation see (N, C, ...): with the channels of all examples side by side where memory
/// is row-major, else, where the channels lie last, one example at a time.
struct Examples {
  Examples(const Tensor& x, std::int64_t groups) {
    const std::int64_t n = x.size(0), channels = x.size(1), places = n * channels == 0 ? 0 : x.numel() / (n * channels);
    if (x.is_contiguous())
      size = {1, n * channels, places, channels / groups};
    else
      size = {places, channels, 1, channels / groups}, count = n;
  }

  /// Calls f(first element, first number of a channel) for each piece of memory.
  template <class F>
  void for_each(const F& f) const {
    const std::int64_t elements = size.n * size.channels * size.length;
    parallel_for(count, 65536 / std::max<std::int64_t>(elements, 1) + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) f(i * elements, i * size.channels);
    });
  }

  detail::BatchNormSize size;
  std::int64_t count = 1;
};

/// x where it is row-major or has its channels last, else a copy in row-major order.
detail::MaybeOwned example_memory(const Tensor& x) {
  Shape order{0};
  for (std::size_t axis = 2; axis < x.dim(); ++axis) order.push_back(static_cast<std::int64_t>(axis));
  order.push_back(1);
  if (x.numel() > 0 && detail::is_dense_in_order(x.shape(), x.strides(), order)) return x;
  return detail::dense(x);
}

/// The numbers of the channels, repeated for every example whose channels are seen at once.
template <class T>
class ForChannels {
 public:
  ForChannels(const Tensor& values, const Examples& examples) {
    if (!values.defined()) return;
    const detail::MaybeOwned memory = detail::dense(values);
    numbers_ = detail::empty({examples.size.channels}, values.dtype());
    for (std::int64_t i = 0; i < numbers_.numel(); i += values.numel())
      std::copy_n(memory->data<T>(), values.numel(), numbers_.data<T>() + i);
  }
  const T* get(std::int64_t first) const { return numbers_.defined() ? numbers_.data<T>() + first : nullptr; }

 private:
  Tensor numbers_;
};

/// Of an input of 16 bits all but the result and the gradient of the input is float32.
struct GroupNorm {
  static constexpr const char* name = "group_norm";
  std::int64_t groups;
  double eps;
  Saved batch = {};  // (2, N, C), filled by forward with means and variances and then let go; or undefined
  Saved x = {}, weight = {}, bias = {};
  Saved centre = {}, scale = {}, offset = {};  // (N, C); normalised: (x - centre) * scale + offset

  Tensor forward(const Tensor& input, const Tensor& w, const Tensor& b) {
    x = input, weight = w, bias = b;
    const Shape channels{input.size(0), input.size(1)};
    const DType computed = detail::compute_dtype(input.dtype());
    const Tensor c = detail::empty(channels, computed), s = detail::empty(channels, computed),
                 o = detail::empty(channels, computed), of_batch = std::exchange(batch, Saved());
    centre = c, scale = s, offset = o;
    const detail::MaybeOwned memory = example_memory(input);
    const Tensor out = detail::empty_like(memory, input.dtype());
    if (out.numel() == 0) return out;
    const Examples examples(memory, groups);
    dispatch_floating(name, computed, [&](auto zero) {
      using T = decltype(zero);
      const ForChannels<T> ws(w, examples), bs(b, examples);
      const detail::Stored<T> from(memory->array()), to(out.array());
      T *const cd = c.data<T>(), *const sd = s.data<T>(), *const od = o.data<T>();
      const Tensor variances = of_batch.defined() ? of_batch : detail::empty({2, c.numel()}, c.dtype());
      T* const vd = variances.data<T>() + c.numel();
      examples.for_each([&](std::int64_t at, std::int64_t k) {
        detail::for_channel_pieces<T, 1>(
            examples.size, {from.from(at)}, to.from(at),
            [&](const detail::BatchNormSize& piece, std::int64_t first, const std::array<const T*, 1>& in, T* y) {
              const std::int64_t i = k + first;
              detail::batch_statistics(piece, in[0], eps, cd + i, sd + i, od + i, vd + i);
              detail::normalize_batch<T>(piece, in[0], cd + i, sd + i, od + i, ws.get(first), bs.get(first), y);
            });
      });
      // The centre of elements that are not finite is 0; their mean is not.
      std::transform(cd, cd + c.numel(), vd, variances.data<T>(),
                     [](T mean, T var) { return var == var ? mean : var; });
    });
    return out;
  }

  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    if (is_grad_enabled())
      return detail::composed_backward(
          [this](const Tensor& input, const Tensor& w, const Tensor& b) {
            Tensor y = reshape(standardized(*detail::widened(input)).values, input.shape());
            if (w.defined()) y = y * per_channel(w);
            return detail::narrowed(b.defined() ? y + per_channel(b) : std::move(y), input.dtype());
          },
          std::array<Tensor, 3>{x, weight, bias}, grad, needs);
    const std::int64_t channels = x.shape()[1];
    Tensor x_grad, w_grad = zeros({channels}, {.dtype = scale.dtype()}), b_grad = zeros_like(w_grad);
    if (grad.numel() == 0) return {zeros(x.shape(), {.dtype = x.dtype()}), w_grad, b_grad};
    const detail::MaybeOwned saved_x(x), input = example_memory(saved_x), g = detail::laid_like(grad, input), c(centre),
                                         s(scale), o(offset), w(weight);
    const Examples examples(input, groups);
    const Tensor sums = detail::empty({2, c->numel()}, c->dtype());  // of grad, and of grad * normalised, (N, C) each
    if (needs[0]) x_grad = detail::empty_like(input, x.dtype());
    dispatch_floating(name, c->dtype(), [&](auto zero) {
      using T = decltype(zero);
      const ForChannels<T> ws(w, examples);
      const detail::Stored<T> from(input->array()), upstream(g->array()),
          to = needs[0] ? detail::Stored<T>(x_grad.array()) : detail::Stored<T>();
      const T *const cd = c->data<T>(), *const sd = s->data<T>(), *const od = o->data<T>();
      T *const plain = sums.data<T>(), *const products = plain + c->numel();
      examples.for_each([&](std::int64_t at, std::int64_t k) {
        detail::for_channel_pieces<T, 2>(
            examples.size, {upstream.from(at), from.from(at)}, to ? to.from(at) : to,
            [&](const detail::BatchNormSize& piece, std::int64_t first, const std::array<const T*, 2>& in, T* grads) {
              const std::int64_t i = k + first;
              detail::batch_norm_sums<T>(piece, in[0], nullptr, in[1], cd + i, sd + i, od + i, plain + i, products + i);
              if (grads)
                detail::batch_norm_input_grad<T>(piece, in[0], nullptr, in[1], cd + i, sd + i, od + i, ws.get(first),
                                                 plain + i, products + i, grads);
            });
      });
    });
    const Tensor over_examples = sum(reshape(sums, {2, c->size(0), channels}), 1);
    return {x_grad, over_examples[1], over_examples[0]};
  }

  Tensor jvp(const Tensor& dx, const Tensor& dw, const Tensor& db) const {
    const Shape shape = x.shape();
    const Tensor input = x;
    const detail::Standardized normal = standardized(*detail::widened(input));
    Tensor dy;
    const auto add = [&dy](const Tensor& term) { dy = dy.defined() ? dy + term : term; };
    if (dx.defined()) {
      const Tensor change = reshape(
          detail::change_of_standardized(normal, reshape(*detail::widened(dx), normal.values.shape()), 2), shape);
      add(weight.defined() ? change * per_channel(weight) : change);
    }
    if (dw.defined()) add(reshape(normal.values, shape) * per_channel(dw));
    if (db.defined()) add(expand(per_channel(db), shape));
    return dy.defined() ? detail::narrowed(std::move(dy), input.dtype()) : dy;
  }

 private:
  Tensor per_channel(const Tensor& values) const {
    Shape shape = Shape::filled(x.shape().size(), 1);
    shape[1] = values.numel();
    return reshape(values, shape);
  }
  /// (N, groups, elements)
  detail::Standardized standardized(const Tensor& input) const {
    const Tensor s = scale;
    const std::int64_t n = s.size(0), channels = s.size(1),
                       places = n * channels == 0 ? 0 : input.numel() / (n * channels);
    const Tensor near = slice(reshape(s, {n, groups, channels / groups}), 2, 0, 1);
    return detail::standardize(reshape(input, {n, groups, channels / groups * places}), 2, near, eps);
  }
};

void check_input(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  check(x.dim() >= 2, op, ": input of shape ", x.shape(), " has no channel axis; (N, C) or (N, C, ...) is needed");
  check(is_floating(x.dtype()), op, ": input is ", x.dtype(), "; convert it with .to(float32)");
  detail::check_channels(op, "weight", weight, x);
  detail::check_channels(op, "bias", bias, x);
  check(eps >= 0, op, ": eps is ", eps, ", it must not be negative");
}

}  // namespace

Tensor group_norm(Operand input, std::int64_t num_groups, const Tensor& scale, const Tensor& shift, double eps) {
  const detail::MaybeOwned x = detail::in_float32(*input);
  const Tensor weight = detail::in_float32(scale), bias = detail::in_float32(shift);
  check_input("group_norm", x, weight, bias, eps);
  check(num_groups > 0 && x->size(1) % num_groups == 0, "group_norm: ", x->size(1), " channels, of input ", x->shape(),
        ", are not divisible into ", num_groups, " groups");
  return apply(GroupNorm{num_groups, eps}, x, detail::widened(weight), detail::widened(bias));
}

Tensor instance_norm(Operand input, const Tensor& running_mean, const Tensor& running_var, const Tensor& scale,
                     const Tensor& shift, const InstanceNormOptions& options) {
  const detail::MaybeOwned x = detail::in_float32(*input);
  const Tensor weight = detail::in_float32(scale), bias = detail::in_float32(shift);
  constexpr const char* name = "instance_norm";
  check_input(name, x, weight, bias, options.eps);
  detail::check_running(name, running_mean, running_var, x, options.use_input_stats);
  if (!options.use_input_stats) {
    check(running_mean.defined(), "instance_norm: without running statistics those of the input are needed");
    return batch_norm(*x, running_mean, running_var, weight, bias, {.eps = options.eps});
  }
  const std::int64_t n = x->size(0), channels = x->size(1);
  const std::int64_t places = n * channels == 0 ? 2 : x->numel() / (n * channels);
  check(places > 1, "instance_norm: input of shape ", x->shape(), " has ", places,
        " value a channel of an example; more than one is needed");
  const auto normalized = [&](const Tensor& batch) {
    const GroupNorm op{std::max<std::int64_t>(channels, 1), options.eps, batch};
    return apply(op, x, detail::widened(weight), detail::widened(bias));
  };
  if (channels == 0 || !running_mean.defined() || n == 0) return normalized(Tensor());
  const Tensor batch = detail::empty({2, n, channels}, detail::compute_dtype(x->dtype()));
  Tensor y = normalized(batch);
  // Last, so that nothing has changed if anything fails.
  const Tensor means = mean(batch, 1);
  detail::update_running(name, running_mean, running_var, means,
                         static_cast<double>(places) / static_cast<double>(places - 1), options.momentum);
  return y;
}

}  // namespace xgrad
