#include "distance_loss.hpp"

#include <numbers>

#include "../autograd/autocast.hpp"
#include "arithmetic.hpp"
#include "elementwise.hpp"
#include "loss_terms.hpp"
#include "math.hpp"
#include "reduce.hpp"
#include "shape.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

/// How many elements of `ok` are false.
std::int64_t failures(const Tensor& ok) { return ok.numel() - count_nonzero(ok).item<std::int64_t>(); }

/// Of probabilities. The gradient by the input is PyTorch's at 0 and 1, where that of the clamped logarithm is 0.
struct BinaryCrossEntropy {
  static constexpr const char* name = "binary_cross_entropy";
  static constexpr bool elementwise = true;
  Saved input = {}, target = {};

  Tensor forward(const Tensor& probability, const Tensor& wanted) {
    input = probability, target = wanted;
    const auto formula = [](const auto& p, const auto& t) {
      return (t - 1) * maximum(log1p(-p), -100) - t * maximum(log(p), -100);
    };
    return detail::map(name, formula, probability, wanted);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const auto by_input = [](const auto& g, const auto& p, const auto& t) {
      return g * ((p - t) / maximum((1 - p) * p, 1e-12));
    };
    const auto by_target = [](const auto& g, const auto& p) {
      return g * (maximum(log1p(-p), -100) - maximum(log(p), -100));
    };
    return {needs[0] ? detail::fused(name, by_input, grad, input, target) : Tensor(),
            needs[1] ? detail::fused(name, by_target, grad, input) : Tensor()};
  }
};

/// log(target!) by Stirling, 0 for targets up to 1. Operation by operation: in one pass, the compiler's choice of fused
/// multiply-adds would decide over the last bit of the loss, and not choose alike where a derivative is computed too.
Tensor stirling(const Tensor& target) {
  const Tensor is_above = target > 1, t = where(is_above, target, 1);
  return where(is_above, t * log(t) - t + 0.5 * log(2 * std::numbers::pi * t), 0);
}

}  // namespace

Tensor binary_cross_entropy(Operand given, const Tensor& wanted, const BCEOptions& options) {
  const detail::MaybeOwned input = detail::in_float32(*given);
  const Tensor target = detail::in_float32(wanted);
  constexpr const char* op = "binary_cross_entropy";
  detail::expect_equal_shapes(op, *input, target);
  check(!options.weight.defined() || broadcasts_to(options.weight.shape(), input->shape()), op, ": weight of shape ",
        options.weight.defined() ? options.weight.shape() : Shape(), " does not broadcast to ", input->shape());
  constexpr auto is_probability = elementwise(op, [](auto p) { return p >= 0 && p <= 1; });
  const std::int64_t outside = failures(is_probability(*input));
  check(outside == 0, op, ": ", outside, " of the ", input->numel(),
        " elements of the input are outside [0, 1]; it takes probabilities, and "
        "binary_cross_entropy_with_logits what sigmoid has not been applied to");
  const DType dtype = detail::at_least(promote(input->dtype(), target.dtype()), DType::float32);
  Tensor losses = apply(BinaryCrossEntropy{}, input->to(dtype), target.to(dtype));
  if (options.weight.defined()) losses = losses * options.weight;
  return detail::reduced(losses, options.reduction);
}

Tensor huber_loss(Operand given, const Tensor& wanted, const HuberLossOptions& options) {
  const detail::MaybeOwned input = detail::in_float32(*given);
  const Tensor target = detail::in_float32(wanted);
  constexpr const char* op = "huber_loss";
  detail::expect_equal_shapes(op, *input, target);
  check(options.delta > 0, op, ": delta is ", options.delta, ", expected a number above 0");
  const auto loss = elementwise(op, [delta = options.delta](auto x, auto t) {
    const auto d = x - t;
    return where(abs(d) <= delta, 0.5 * d * d, delta * (abs(d) - 0.5 * delta));
  });
  return detail::reduced(loss(*input, target), options.reduction);
}

Tensor smooth_l1_loss(Operand given, const Tensor& wanted, const SmoothL1LossOptions& options) {
  const detail::MaybeOwned input = detail::in_float32(*given);
  const Tensor target = detail::in_float32(wanted);
  constexpr const char* op = "smooth_l1_loss";
  detail::expect_equal_shapes(op, *input, target);
  check(options.beta >= 0, op, ": beta is ", options.beta, ", expected a number not below 0");
  const auto loss =
      elementwise(op, [beta = options.beta, scale = options.beta > 0 ? 0.5 / options.beta : 0](auto x, auto t) {
        const auto d = x - t;
        return where(abs(d) < beta, scale * d * d, abs(d) - 0.5 * beta);
      });
  return detail::reduced(loss(*input, target), options.reduction);
}

Tensor kl_div(Operand given, const Tensor& wanted, const KLDivOptions& options) {
  const detail::MaybeOwned input = detail::in_float32(*given);
  const Tensor target = detail::in_float32(wanted);
  constexpr const char* op = "kl_div";
  detail::expect_equal_shapes(op, *input, target);
  constexpr auto of_logarithm = elementwise(op, [](auto x, auto t) { return exp(t) * (t - x); });
  constexpr auto of_probability =
      elementwise(op, [](auto x, auto t) { return where(t == 0, 0, t * log(where(t == 0, 1, t))) - t * x; });
  const Tensor losses = options.log_target ? of_logarithm(*input, target) : of_probability(*input, target);
  return detail::reduced(losses, options.reduction);
}

Tensor poisson_nll_loss(Operand given, const Tensor& wanted, const PoissonNLLLossOptions& options) {
  const detail::MaybeOwned input = detail::in_float32(*given);
  const Tensor target = detail::in_float32(wanted);
  constexpr const char* op = "poisson_nll_loss";
  detail::expect_equal_shapes(op, *input, target);
  Tensor losses = options.log_input ? exp(*input) - target * *input : *input - target * log(*input + options.eps);
  if (options.full) losses = losses + stirling(target.to(losses.dtype()));
  return detail::reduced(losses, options.reduction);
}

Tensor gaussian_nll_loss(Operand given, const Tensor& wanted, const Tensor& var,
                         const GaussianNLLLossOptions& options) {
  const detail::MaybeOwned input = detail::in_float32(*given);
  const Tensor target = detail::in_float32(wanted);
  constexpr const char* op = "gaussian_nll_loss";
  detail::expect_equal_shapes(op, *input, target);
  check(options.eps > 0, op, ": eps is ", options.eps, ", expected a number above 0");
  Shape one = input->shape(), none = one;
  if (!none.empty()) none.erase(none.size() - 1), one = none, one.push_back(1);
  check(var.shape() == input->shape() || var.shape() == one || var.shape() == none, op, ": var has shape ", var.shape(),
        "; an input of shape ", input->shape(), " needs that, ", one, " or ", none);
  const std::int64_t negative = count_nonzero(var < 0).item<std::int64_t>();
  check(negative == 0, op, ": ", negative, " of the ", var.numel(), " variances are negative");
  const Tensor variance = var.to(detail::at_least(promote(input->dtype(), var.dtype()), DType::float32));
  const Tensor aligned = var.shape() == none && !input->shape().empty() ? unsqueeze(variance, -1) : variance;
  const Tensor held = aligned + (maximum(aligned, options.eps) - aligned).detach();
  const auto loss =
      elementwise(op, [constant = options.full ? 0.5 * std::log(2 * std::numbers::pi) : 0](auto x, auto t, auto v) {
        const auto d = x - t;
        return 0.5 * (log(v) + d * d / v) + constant;
      });
  return detail::reduced(loss(*input, target, held), options.reduction);
}

}  // namespace xgrad
