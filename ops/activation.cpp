#include "activation.hpp"

#include <limits>
#include <numbers>

#include "../array/random.hpp"
#include "../autograd/create.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "logistic.hpp"
#include "math.hpp"
#include "shape.hpp"
#include "slicing.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double sqrt_half = 1 / std::numbers::sqrt2;
constexpr double normal_density_at_0 = sqrt_half * std::numbers::inv_sqrtpi;
// Of the approximation of gelu by tanh(gelu_scale (x + gelu_cubic x^3)).
constexpr double gelu_scale = 2 * normal_density_at_0, gelu_cubic = 0.044715;

// Klambauer et al., Self-Normalizing Neural Networks.
constexpr double selu_alpha = 1.6732632423543772848, selu_scale = 1.0507009873554804935;

/// x - tanh(x) for |x| <= 1/2, where the difference has lost its digits: the power series of tanh without its first
/// term.
template <class X>
X less_tanh_near_0(const X& x) {
  constexpr double coefficients[] = {-1.0 / 3,
                                     2.0 / 15,
                                     -17.0 / 315,
                                     62.0 / 2835,
                                     -1382.0 / 155925,
                                     21844.0 / 6081075,
                                     -929569.0 / 638512875,
                                     5.900274409455859814e-4,
                                     -2.391291142435524815e-4,
                                     9.691537956929450326e-5,
                                     -3.927832388331683405e-5,
                                     1.591890506932896474e-5,
                                     -6.451689215655430763e-6,
                                     2.614771151290754554e-6,
                                     -1.059726832010465436e-6,
                                     4.294911078273806e-7};
  const X square = x * x;
  X sum = 0 * x + coefficients[15];
  for (int i = 14; i >= 0; --i) sum = sum * square + coefficients[i];
  return -(x * square) * sum;
}

/// x clamped, with derivative 0 on the bounds.
template <detail::Text Name>
Tensor clamped(const Tensor& x, double low, double high) {
  return detail::function_of_input<Name>(
      x, [low, high](const auto& v) { return clamp(v, low, high); },
      [low, high](const auto& g, const auto& v) { return where(v > low && v < high, g, 0.0); });
}

/// alpha scale (e^(x / alpha) - 1) continued by scale x
template <detail::Text Name>
Tensor exponential_unit(const Tensor& x, double alpha, double scale, double stretch) {
  return detail::function_of_input<Name>(
      x, [=](const auto& v) { return where(v <= 0, scale * alpha * expm1(v / stretch), scale * v); },
      [=](const auto& g, const auto& v) {
        return where(v <= 0, g * (scale * alpha / stretch * exp(clamp(v / stretch, -infinity, 0.0))), scale * g);
      });
}

struct ParametricRelu {
  static constexpr const char* name = "prelu";
  static constexpr bool elementwise = true;
  Saved x = {}, weight = {};

  Tensor forward(const Tensor& input, const Tensor& w) {
    x = input, weight = w;
    return detail::map(
        name, [](const auto& v, const auto& slope) { return where(v > 0, v, slope * v); }, input, w);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const auto by_x = [](const auto& g, const auto& v, const auto& slope) { return where(v > 0, g, slope * g); };
    const auto by_weight = [](const auto& g, const auto& v) { return where(v > 0, 0.0, g * v); };
    return {needs[0] ? detail::fused(name, by_x, grad, x, weight) : Tensor(),
            needs[1] ? detail::fused(name, by_weight, grad, x) : Tensor()};
  }
};

struct RandomLeakyRelu {
  static constexpr const char* name = "rrelu";
  static constexpr bool elementwise = true;
  double lower, upper;
  Saved factors = {};

  Tensor forward(const Tensor& x) {
    const NoGrad no_grad;
    const Tensor slopes = detail::empty_like(x, float32);  // whatever the dtype of x: one seed, one result
    default_generator().uniform(detail::first_element<float>(slopes), slopes.numel(), lower, upper);
    const Tensor chosen = where(x <= 0, slopes.to(x.dtype()), 1);
    factors = chosen;
    return x * chosen;
  }
  Tensor backward(const Tensor& grad) const { return grad * factors; }
};

}  // namespace

using detail::floating;
using detail::function_of_input;
using detail::function_of_output;
using detail::logistic;

Tensor relu(Operand x) {
  return function_of_output<"relu">(
      *x, [](const auto& v) { return relu(v); }, [](const auto& g, const auto& y) { return where(y <= 0, 0.0, g); });
}

Tensor leaky_relu(Operand x, double negative_slope) {
  return function_of_input<"leaky_relu">(
      *x, [negative_slope](const auto& v) { return where(v > 0, v, negative_slope * v); },
      [negative_slope](const auto& g, const auto& v) { return where(v > 0, g, negative_slope * g); });
}

Tensor elu(Operand x, double alpha) {
  return function_of_input<"elu">(
      *x, [alpha](const auto& v) { return where(v > 0, v, alpha * expm1(v)); },
      [alpha](const auto& g, const auto& v) {
        // Clamped, because the derivative of the branch not taken would be infinite, and 0 times that is NaN.
        return where(v > 0, g, g * (alpha * exp(clamp(v, -infinity, 0.0))));
      });
}

Tensor gelu(Operand x, std::string_view approximate) {
  if (approximate == "tanh") {
    // (1 + tanh(u)) / 2 is sigmoid(2 u), which is long 0 or 1 at the bounds.
    const auto within = [](const auto& v) { return clamp(v, -100, 100); };
    return function_of_input<"gelu">(
        *x,
        [within](const auto& v) {
          const auto c = within(v);
          return v * sigmoid(2 * gelu_scale * (c + gelu_cubic * (c * c * c)));
        },
        [within](const auto& g, const auto& v) {
          const auto c = within(v);
          const auto s = logistic(2 * gelu_scale * (c + gelu_cubic * (c * c * c)));
          const auto slope = 2 * gelu_scale * (1 + 3 * gelu_cubic * (c * c));
          return g * (s.value + v * (s.value * s.rest * slope));
        });
  }
  check(approximate == "none", "gelu: approximate is \"", approximate, "\", expected \"none\" or \"tanh\"");
  return function_of_input<"gelu">(
      *x, [](const auto& v) { return v * (0.5 * erfc(-sqrt_half * v)); },
      [](const auto& g, const auto& v) {
        return g * (0.5 * erfc(-sqrt_half * v) + v * (normal_density_at_0 * exp(-0.5 * (v * v))));
      });
}

Tensor silu(Operand x) {
  return function_of_input<"silu">(
      *x, [](const auto& v) { return v * sigmoid(v); },
      [](const auto& g, const auto& v) {
        const auto s = logistic(v);
        return g * (s.value * (1 + v * s.rest));
      });
}

Tensor softplus(Operand x, double beta, double threshold) {
  check(beta != 0, "softplus: beta is 0");
  return function_of_input<"softplus">(
      *x, [beta, threshold](const auto& v) { return where(beta * v > threshold, v, softplus(beta * v) / beta); },
      [beta, threshold](const auto& g, const auto& v) {
        return where(beta * v > threshold, g, g * logistic(beta * v).value);
      });
}

Tensor logsigmoid(Operand x) {
  return function_of_input<"logsigmoid">(
      *x, [](const auto& v) { return -detail::log_of_one_plus_exp(-v); },
      [](const auto& g, const auto& v) { return g * logistic(v).rest; });
}

Tensor nn::mish(Operand x) {
  // With s = sigmoid(x) and r = 1 - s: tanh(log(1 + e^x)) = s (1 + r) / (1 + r^2) = 1 - 2 r^2 / (1 + r^2). Of
  // these each keeps its digits, and those of its derivatives, on one side of 0.
  return function_of_input<"mish">(
      *x,
      [](const auto& v) {
        const auto s = logistic(v);
        return v * (s.value * (1 + s.rest) / (1 + s.rest * s.rest));
      },
      [](const auto& g, const auto& v) {
        const auto s = logistic(v);
        const auto square = s.rest * s.rest, whole = 1 + square;
        const auto t = where(v > 0, 1 - 2 * square / whole, s.value * (1 + s.rest) / whole);
        return g * (t + v * (4 * square * s.value / (whole * whole)));
      });
}

Tensor selu(Operand x) { return exponential_unit<"selu">(*x, selu_alpha, selu_scale, 1); }

Tensor celu(Operand x, double alpha) {
  check(alpha != 0, "celu: alpha is 0");
  return exponential_unit<"celu">(*x, alpha, 1, alpha);
}

Tensor softsign(Operand x) {
  return function_of_input<"softsign">(
      *x, [](const auto& v) { return v / (1 + abs(v)); },
      [](const auto& g, const auto& v) {
        const auto share = 1 / (1 + abs(v));
        return g * (share * share);
      });
}

Tensor tanhshrink(Operand x) {
  return function_of_input<"tanhshrink">(
      *x, [](const auto& v) { return where(abs(v) < 0.5, less_tanh_near_0(v), v - tanh(v)); },
      [](const auto& g, const auto& v) {
        const auto t = tanh(v);
        const auto s = logistic(2 * v);  // 1 - tanh(x)^2 = 4 s (1 - s) keeps the digits of the tails
        return g * where(abs(v) < 0.5, t * t, 1 - 4 * (s.value * s.rest));
      });
}

Tensor hardtanh(Operand x, double min_val, double max_val) {
  check(min_val <= max_val, "hardtanh: min_val ", min_val, " is above max_val ", max_val);
  return clamped<"hardtanh">(*x, min_val, max_val);
}

Tensor relu6(Operand x) { return clamped<"relu6">(*x, 0, 6); }

Tensor hardsigmoid(Operand x) {
  return function_of_input<"hardsigmoid">(
      *x, [](const auto& v) { return clamp(v + 3, 0.0, 6.0) / 6; },
      [](const auto& g, const auto& v) { return where(abs(v) < 3, g / 6, 0.0); });
}

Tensor hardswish(Operand x) {
  return function_of_input<"hardswish">(
      *x, [](const auto& v) { return v * (clamp(v + 3, 0.0, 6.0) / 6); },
      [](const auto& g, const auto& v) { return where(v <= -3, 0.0, where(v >= 3, g, g * (v / 3 + 0.5))); });
}

Tensor hardshrink(Operand x, double lambd) {
  return function_of_input<"hardshrink">(
      *x, [lambd](const auto& v) { return where(v >= -lambd && v <= lambd, 0.0, v); },
      [lambd](const auto& g, const auto& v) { return where(v > lambd || v < -lambd, g, 0.0); });
}

Tensor softshrink(Operand x, double lambd) {
  check(lambd >= 0, "softshrink: lambd is ", lambd, "; it must not be negative");
  return function_of_input<"softshrink">(
      *x, [lambd](const auto& v) { return v - clamp(v, -lambd, lambd); },
      [lambd](const auto& g, const auto& v) { return where(v > lambd || v < -lambd, g, 0.0); });
}

Tensor threshold(Operand x, double threshold, double value) {
  return function_of_input<"threshold">(
      *x, [threshold, value](const auto& v) { return where(v <= threshold, value, v); },
      [threshold](const auto& g, const auto& v) { return where(v <= threshold, 0.0, g); });
}

Tensor prelu(Operand x, const Tensor& weight) {
  const detail::MaybeOwned in = floating(*x);
  check(weight.dtype() == in->dtype(), "prelu: weight is ", weight.dtype(), ", input ", in->dtype(),
        "; convert one of them with .to()");
  check(weight.dim() <= 1, "prelu: weight of shape ", weight.shape(),
        " is neither one number nor one for each channel");
  const std::int64_t channels = in->dim() > 1 ? in->size(1) : 1;
  check(weight.numel() == 1 || weight.numel() == channels, "prelu: weight of shape ", weight.shape(),
        " for input of shape ", in->shape(), ", which has ", channels, channels == 1 ? " channel" : " channels");
  Shape shape = Shape::filled(in->dim(), 1);
  if (weight.numel() != 1) shape[1] = channels;
  return apply(ParametricRelu{}, in, weight.shape() == shape ? weight : reshape(weight, shape));
}

Tensor rrelu(Operand x, double lower, double upper, bool training) {
  check(lower <= upper, "rrelu: lower ", lower, " is above upper ", upper);
  return training ? apply(RandomLeakyRelu{lower, upper}, floating(*x)) : leaky_relu(*x, (lower + upper) / 2);
}

Tensor glu(Operand x, std::int64_t axis) {
  const detail::MaybeOwned in = floating(*x);
  const std::size_t along = normalize_axis("glu", axis, in->dim());
  const std::int64_t size = in->shape()[along];
  check(size % 2 == 0, "glu: axis ", axis, " of an input of shape ", in->shape(), " has an odd size");
  return narrow(*in, axis, 0, size / 2) * sigmoid(narrow(*in, axis, size / 2, size / 2));
}

}  // namespace xgrad
