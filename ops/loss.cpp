#include "loss.hpp"

#include <algorithm>
#include <vector>

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/composed.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/cross_entropy.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "logistic.hpp"
#include "loss_terms.hpp"
#include "map.hpp"
#include "math.hpp"
#include "reduce.hpp"
#include "shape.hpp"
#include "softmax.hpp"

namespace xgrad {

namespace {

template <class T>
double weight_of(const detail::ClassTargets<T>& targets, std::int64_t label) {
  return targets.weights ? static_cast<double>(targets.weights[label]) : 1;
}

template <class T>
double sum_of_weights(const detail::ClassTargets<T>& targets, std::int64_t rows) {
  double total = 0;
  for (std::int64_t row = 0; row < rows; ++row)
    if (targets.labels[row] != targets.ignored) total += weight_of(targets, targets.labels[row]);
  return total;
}

/// Loss and, unless null, gradient of each row of log-probabilities; smoothing is of logits only.
template <class T>
void pick(std::int64_t rows, std::int64_t classes, const T* log_p, const detail::ClassTargets<T>& targets, double scale,
          T* losses, T* slopes) {
  if (slopes) std::fill_n(slopes, rows * classes, T(0));
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t label = targets.labels[row];
    losses[row] = 0;
    if (label == targets.ignored) continue;
    losses[row] = static_cast<T>(-weight_of(targets, label)) * log_p[row * classes + label];
    if (slopes) slopes[row * classes + label] = static_cast<T>(-weight_of(targets, label) * scale);
  }
}

/// Cross-entropy, or the negative log-likelihood, of class indices over rows. Both are -sum of M * w * log p, where row
/// r of M has 1 - smoothing at the target t and smoothing / C everywhere, or 0 where it is ignored, and the mean is
/// over the sum of w[t].
struct ClassLoss {
  const char* name;
  Saved target;  // (N,) int64
  std::int64_t ignore_index;
  Reduction reduction;
  double smoothing;
  bool from_logits;
  Saved x = {}, weight = {};  // (C,) or undefined
  double denominator = 1;     // of the mean
  Saved gradient = {};        // of x, for an upstream gradient of 1
  std::int64_t rows = 0, classes = 0;

  Tensor forward(const Tensor& input, const Tensor& w) {
    x = input, weight = w;
    rows = input.size(0), classes = input.size(1);
    const detail::MaybeOwned memory = detail::dense(input), weights = detail::dense(w), labels(target);
    const Tensor losses = detail::empty({rows}, input.dtype());
    Tensor slope;
    if (is_grad_enabled() && input.requires_grad()) slope = detail::empty(input.shape(), input.dtype());
    gradient = slope;
    return dispatch_floating(name, input.dtype(), [&](auto zero) -> Tensor {
      using T = decltype(zero);
      const detail::ClassTargets<T> targets{labels->data<std::int64_t>(), ignore_index,
                                            w.defined() ? weights->data<T>() : nullptr, 1 - smoothing,
                                            smoothing / static_cast<double>(classes)};
      if (reduction == Reduction::mean) denominator = sum_of_weights(targets, rows);
      T* const slopes = slope.defined() ? slope.data<T>() : nullptr;
      if (from_logits)
        detail::cross_entropy<T>(rows, classes, memory->data<T>(), targets, 1 / denominator, losses.data<T>(), slopes);
      else
        pick(rows, classes, memory->data<T>(), targets, 1 / denominator, losses.data<T>(), slopes);
      if (reduction == Reduction::none) return losses;
      double total = 0;
      for (std::int64_t row = 0; row < rows; ++row) total += static_cast<double>(losses.data<T>()[row]);
      return full({}, total / denominator, {.dtype = input.dtype()});
    });
  }

  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    if (is_grad_enabled() || (needs[1] && weight.requires_grad()))
      return detail::composed_backward([this](const Tensor& input, const Tensor& w) { return composed(input, w); },
                                       std::array<Tensor, 2>{x, weight}, grad, needs);
    if (reduction == Reduction::none) return {gradient * reshape(grad, {rows, 1}), Tensor()};
    return {grad.item() == 1 ? gradient.get() : gradient * grad.item(), Tensor()};
  }

  Tensor jvp(const Tensor& dx, const Tensor& dw) const {
    Tensor change;
    if (dx.defined() && !is_grad_enabled()) {
      change = summed(gradient * dx);
    } else if (dx.defined()) {
      const Tensor upstream = ones(reduction == Reduction::none ? Shape{rows} : Shape{}, {.dtype = dx.dtype()});
      change = summed(backward(upstream, Needs(1))[0] * dx);
    }
    if (!dw.defined()) return change;
    Tensor by_weight = summed(target_weights(dw.dtype(), smoothing) * dw * log_probabilities(x));
    if (reduction == Reduction::mean)
      by_weight = (by_weight + composed(x, weight) * of_targets(dw)) / of_targets(weight);
    return change.defined() ? change - by_weight : -by_weight;
  }

 private:
  /// M for this smoothing, over a divisor.
  Tensor target_weights(DType dtype, double smooth, double divisor = 1) const {
    Tensor m = zeros({rows, classes}, {.dtype = dtype});
    const detail::MaybeOwned labels(target);
    dispatch_floating(name, dtype, [&](auto zero) {
      using T = decltype(zero);
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t label = labels->data<std::int64_t>()[row];
        if (label == ignore_index) continue;
        T* const to = m.data<T>() + row * classes;
        std::fill_n(to, classes, static_cast<T>(smooth / static_cast<double>(classes) / divisor));
        to[label] += static_cast<T>((1 - smooth) / divisor);
      }
    });
    return m;
  }
  /// The sum of w[t].
  Tensor of_targets(const Tensor& w) const { return sum(target_weights(w.dtype(), 0) * w); }

  Tensor summed(const Tensor& terms) const { return reduction == Reduction::none ? sum(terms, {1}) : sum(terms); }
  Tensor log_probabilities(const Tensor& input) const { return from_logits ? log_softmax(input, 1) : input; }

  /// The loss of these log-probabilities.
  Tensor weighted(const Tensor& log_p, const Tensor& w) const {
    if (!w.defined()) return -summed(target_weights(log_p.dtype(), smoothing, denominator) * log_p);
    if (reduction != Reduction::mean || !w.requires_grad())
      return -summed(target_weights(log_p.dtype(), smoothing, denominator) * w * log_p);
    return -summed(target_weights(log_p.dtype(), smoothing) * w * log_p) / of_targets(w);
  }
  Tensor composed(const Tensor& input, const Tensor& w) const { return weighted(log_probabilities(input), w); }
};

/// The mean or sum of cross-entropies of scores of 16 bits, weights being float32.
struct RoundedCrossEntropy {
  static constexpr const char* name = "cross_entropy";
  Saved target;
  std::int64_t ignore_index;
  Reduction reduction;
  double smoothing;
  Saved x = {}, weight = {};
  double denominator = 1;
  Saved gradient = {};  // rounded, for an upstream gradient of 1

  Tensor forward(const Tensor& input, const Tensor& w) {
    x = input, weight = w;
    const detail::MaybeOwned labels(target), weights = detail::dense(w);
    if (reduction == Reduction::mean) denominator = sum_of_weights(targets(labels, weights), input.size(0));
    Tensor slopes;
    if (is_grad_enabled() && input.requires_grad()) slopes = detail::empty(input.shape(), input.dtype());
    gradient = slopes;
    const Tensor losses = run(1, slopes);
    double total = 0;
    for (std::int64_t row = 0; row < losses.numel(); ++row) total += static_cast<double>(losses.data<float>()[row]);
    return full({}, total / denominator, {.dtype = input.dtype()});
  }

  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    if (is_grad_enabled() || needs[1])
      return detail::composed_backward(
          [this](const Tensor& input, const Tensor& w) {
            const ClassLoss exact{name, target, ignore_index, reduction, smoothing, true};
            return detail::narrowed(apply(exact, detail::widened(input), w), input.dtype());
          },
          std::array<Tensor, 2>{x, weight}, grad, needs);
    if (grad.item() == 1) return {gradient.get(), Tensor()};
    const Tensor slopes = detail::empty(x.shape(), x.dtype());  // found anew, to be rounded once
    run(grad.item(), slopes);
    return {slopes, Tensor()};
  }

 private:
  detail::ClassTargets<float> targets(const Tensor& labels, const Tensor& weights) const {
    return {labels.data<std::int64_t>(), ignore_index, weights.defined() ? weights.data<float>() : nullptr,
            1 - smoothing, smoothing / static_cast<double>(x.shape()[1])};
  }
  /// The losses of rows, and their gradients, where `slopes` is defined, for this upstream gradient.
  Tensor run(double upstream, const Tensor& slopes) const {
    const detail::MaybeOwned saved_x(x), saved_w(weight), input = detail::dense(saved_x),
                                                          weights = detail::dense(saved_w), labels(target);
    const Tensor losses = detail::empty({input->size(0)}, float32);
    detail::cross_entropy<float>(input->size(0), input->size(1), input->array(), targets(labels, weights),
                                 upstream / denominator, losses.data<float>(),
                                 slopes.defined() ? detail::Stored<float>(slopes.array()) : detail::Stored<float>());
    return losses;
  }
};

void check_weight(const char* op, const Tensor& weight, const Tensor& x, std::int64_t classes) {
  if (!weight.defined()) return;
  check(weight.shape() == Shape{classes} && weight.dtype() == x.dtype(), op, ": weight has shape ", weight.shape(),
        " and dtype ", weight.dtype(), "; ", classes, " classes of ", x.dtype(), " need (", classes, ",) of ",
        x.dtype());
}

void check_labels(const char* op, const Tensor& target, std::int64_t classes, std::int64_t ignore_index) {
  const auto* labels = target.data<std::int64_t>();
  for (std::int64_t i = 0; i < target.numel(); ++i)
    check((labels[i] >= 0 && labels[i] < classes) || labels[i] == ignore_index, op, ": target ", labels[i],
          " at position ", i, " of the targets is none of the ", classes,
          " classes; classes are numbered from 0, and of them and ", ignore_index,
          " (ignore_index) a target must be one");
}

/// Rows of classes from (C,), (N, C) or (N, C, d...), the loss of the rows, and back to the shape of the targets.
Tensor class_loss(const char* op, const Tensor& x, const Tensor& target, const CrossEntropyOptions& options,
                  bool from_logits) {
  const std::size_t axis = x.dim() == 1 ? 0 : 1;
  const std::int64_t classes = x.shape()[axis];
  Shape expected = x.shape();
  expected.erase(axis);
  check(detail::kind_of(target.dtype()) == detail::Kind::integer, op, ": target is ", target.dtype(),
        "; class indices are integers");
  check(target.shape() == expected, op, ": target has shape ", target.shape(), "; input of shape ", x.shape(),
        " needs class indices of shape ", expected);
  check_weight(op, options.weight, x, classes);
  const detail::MaybeOwned indices = detail::converted(target, int64);
  const Tensor labels = detail::dense(indices);
  check_labels(op, labels, classes, options.ignore_index);

  Tensor rows = x;
  const std::int64_t count = expected.numel();
  if (x.dim() > 2) {
    Shape order;
    for (std::size_t i = 0; i < x.dim(); ++i)
      if (i != 1) order.push_back(static_cast<std::int64_t>(i));
    order.push_back(1);
    rows = permute(x, order);
  }
  if (x.dim() != 2) rows = reshape(rows, {count, classes});
  const Tensor row_labels = labels.shape().size() == 1 ? labels : detail::view(labels, {count}, {1});
  if (from_logits && options.reduction != Reduction::none && x.dtype() != detail::compute_dtype(x.dtype()))
    return apply(RoundedCrossEntropy{row_labels, options.ignore_index, options.reduction, options.label_smoothing},
                 rows, detail::widened(options.weight));
  const ClassLoss of{op, row_labels, options.ignore_index, options.reduction, options.label_smoothing, from_logits};
  const Tensor loss = detail::narrowed(apply(of, detail::widened(rows), detail::widened(options.weight)), x.dtype());
  return options.reduction == Reduction::none && x.dim() != 2 ? reshape(loss, expected) : loss;
}

/// Binary cross-entropy from logits: a sum of two terms that are not negative, so that the small one is not lost. NaN
/// where PyTorch has it: for -inf, and for inf with target 1.
struct BinaryCrossEntropy {
  static constexpr const char* name = "binary_cross_entropy_with_logits";
  static constexpr bool elementwise = true;
  Saved x = {}, target = {}, pos_weight = {};

  Tensor forward(const Tensor& logits, const Tensor& wanted, const Tensor& positive) {
    x = logits, target = wanted, pos_weight = positive;
    const auto formula = [](const auto& v, const auto& t, const auto& w) {
      const auto tail = log1p(exp(-abs(v))), below = relu(-v);
      return (1 - t) * ((v + below) + tail) + w * t * (below + tail);  // v + below is relu(v), and NaN at -inf
    };
    return detail::map(name, formula, logits, wanted, positive);
  }

  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    const auto by_logits = [](const auto& g, const auto& v, const auto& t, const auto& w) {
      const auto p = detail::logistic(v);
      return g * ((1 - t) * p.value - w * t * p.rest);
    };
    const auto by_target = [](const auto& g, const auto& v, const auto& w) {
      return g * (where(w == 1, 0, (w - 1) * detail::log_of_one_plus_exp(-v)) - v);
    };
    const auto by_weight = [](const auto& g, const auto& v, const auto& t) {
      return g * (t * detail::log_of_one_plus_exp(-v));
    };
    std::array<Tensor, 3> gradients;
    if (needs[0]) gradients[0] = detail::fused(name, by_logits, grad, x, target, pos_weight);
    if (needs[1]) gradients[1] = detail::fused(name, by_target, grad, x, pos_weight);
    if (needs[2]) gradients[2] = detail::fused(name, by_weight, grad, x, target);
    return gradients;
  }
};

}  // namespace

Tensor cross_entropy(Operand input, const Tensor& y, const CrossEntropyOptions& chosen) {
  const detail::MaybeOwned logits = detail::in_float32(*input);
  const Tensor target = detail::in_float32(y);
  CrossEntropyOptions options = chosen;
  options.weight = detail::in_float32(chosen.weight);
  constexpr const char* op = "cross_entropy";
  check(logits->dim() >= 1, op, ": logits have no class axis");
  check(is_floating(logits->dtype()), op, ": logits are ", logits->dtype(), "; convert them with .to(float32)");
  check(options.label_smoothing >= 0 && options.label_smoothing <= 1, op, ": label_smoothing is ",
        options.label_smoothing, "; it must lie between 0 and 1");
  const Tensor& x = logits;
  if (!is_floating(target.dtype())) return class_loss(op, x, target, options, true);

  check(target.shape() == x.shape() && target.dtype() == x.dtype(), op, ": target has shape ", target.shape(),
        " and dtype ", target.dtype(), "; probabilities for logits of shape ", x.shape(),
        " have their shape and dtype ", x.dtype());
  const std::int64_t axis = x.dim() == 1 ? 0 : 1, classes = x.size(axis);
  check_weight(op, options.weight, x, classes);
  const detail::MaybeOwned scores = detail::widened(x);
  Tensor wanted = *detail::widened(target);
  if (options.label_smoothing != 0)
    wanted = wanted * (1 - options.label_smoothing) + options.label_smoothing / static_cast<double>(classes);
  if (options.weight.defined()) {
    Shape shape = Shape::filled(x.dim(), 1);
    shape[static_cast<std::size_t>(axis)] = classes;
    wanted = wanted * reshape(options.weight, shape);
  }
  const Tensor losses = -sum(wanted * log_softmax(*scores, axis), {axis});
  return detail::narrowed(detail::reduced(losses, options.reduction), x.dtype());
}

Tensor nll_loss(Operand input, const Tensor& target, const NLLLossOptions& options) {
  const detail::MaybeOwned log_probabilities = detail::in_float32(*input);
  const Tensor weight = detail::in_float32(options.weight);
  constexpr const char* op = "nll_loss";
  check(log_probabilities->dim() >= 1, op, ": the input has no class axis");
  check(is_floating(log_probabilities->dtype()), op, ": the input is ", log_probabilities->dtype(),
        "; convert it with .to(float32)");
  return class_loss(op, log_probabilities, target, {weight, options.ignore_index, options.reduction}, false);
}

Tensor mse_loss(Operand x, const Tensor& y, Reduction reduction) {
  const detail::MaybeOwned input = detail::in_float32(*x), target = detail::in_float32(y);
  detail::expect_equal_shapes("mse_loss", *input, target);
  return detail::reduced(square(*input - *target), reduction);
}

Tensor l1_loss(Operand x, const Tensor& y, Reduction reduction) {
  const detail::MaybeOwned input = detail::in_float32(*x), target = detail::in_float32(y);
  detail::expect_equal_shapes("l1_loss", *input, target);
  return detail::reduced(abs(*input - *target), reduction);
}

Tensor binary_cross_entropy_with_logits(Operand x, const Tensor& y, const BCEWithLogitsOptions& options) {
  const detail::MaybeOwned logits = detail::in_float32(*x);
  const Tensor target = detail::in_float32(y);
  constexpr const char* op = "binary_cross_entropy_with_logits";
  check(is_floating(logits->dtype()) && target.dtype() == logits->dtype(), op, ": logits are ", logits->dtype(),
        " and target is ", target.dtype(), "; both must have one floating dtype");
  check(logits->shape() == target.shape(), op, ": logits have shape ", logits->shape(), ", target has ", target.shape(),
        "; they must be equal");
  check(!options.weight.defined() || broadcasts_to(options.weight.shape(), logits->shape()), op, ": weight of shape ",
        options.weight.defined() ? options.weight.shape() : Shape(), " does not broadcast to ", logits->shape());
  check(!options.pos_weight.defined() || broadcasts_to(options.pos_weight.shape(), logits->shape()), op,
        ": pos_weight of shape ", options.pos_weight.defined() ? options.pos_weight.shape() : Shape(),
        " does not broadcast to ", logits->shape());
  const DType dtype = logits->dtype();
  const Tensor positive = options.pos_weight.defined() ? options.pos_weight.to(dtype) : ones({}, {.dtype = dtype});
  Tensor losses = apply(BinaryCrossEntropy{}, *logits, target, positive);
  if (options.weight.defined()) losses = losses * options.weight;
  return detail::reduced(losses, options.reduction);
}

}  // namespace xgrad
