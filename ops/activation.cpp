#include "activation.hpp"

#include <limits>
#include <numbers>

#include "arithmetic.hpp"
#include "comparison.hpp"
#include "logistic.hpp"
#include "math.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double sqrt_half = 1 / std::numbers::sqrt2;
constexpr double normal_density_at_0 = sqrt_half * std::numbers::inv_sqrtpi;
// Of the approximation of gelu by tanh(gelu_scale (x + gelu_cubic x^3)).
constexpr double gelu_scale = 2 * normal_density_at_0, gelu_cubic = 0.044715;

}  // namespace

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

}  // namespace xgrad
