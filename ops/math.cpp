#include "math.hpp"

#include <numbers>

#include "arithmetic.hpp"
#include "elementwise_samples.hpp"
#include "unary.hpp"

namespace xgrad {

using detail::function_of_input;
using detail::function_of_output;

Tensor exp(Operand x) {
  return function_of_output<"exp">(
      *x, [](const auto& v) { return exp(v); }, [](const auto& g, const auto& y) { return g * y; });
}
Tensor expm1(Operand x) {
  return function_of_output<"expm1">(
      *x, [](const auto& v) { return expm1(v); }, [](const auto& g, const auto& y) { return g * (y + 1); });
}
Tensor log(Operand x) {
  return function_of_input<"log">(
      *x, [](const auto& v) { return log(v); }, [](const auto& g, const auto& v) { return g / v; });
}
Tensor log1p(Operand x) {
  return function_of_input<"log1p">(
      *x, [](const auto& v) { return log1p(v); }, [](const auto& g, const auto& v) { return g / (1 + v); });
}
Tensor sqrt(Operand x) {
  return function_of_output<"sqrt">(
      *x, [](const auto& v) { return sqrt(v); }, [](const auto& g, const auto& y) { return g / (2 * y); });
}
Tensor rsqrt(Operand x) {
  return function_of_output<"rsqrt">(
      *x, [](const auto& v) { return rsqrt(v); }, [](const auto& g, const auto& y) { return -0.5 * g * (y * y * y); });
}
Tensor sin(Operand x) {
  return function_of_input<"sin">(
      *x, [](const auto& v) { return sin(v); }, [](const auto& g, const auto& v) { return g * cos(v); });
}
Tensor cos(Operand x) {
  return function_of_input<"cos">(
      *x, [](const auto& v) { return cos(v); }, [](const auto& g, const auto& v) { return g * -sin(v); });
}
Tensor tan(Operand x) {
  return function_of_output<"tan">(
      *x, [](const auto& v) { return tan(v); }, [](const auto& g, const auto& y) { return g * (1 + y * y); });
}
Tensor tanh(Operand x) {
  return function_of_output<"tanh">(
      *x, [](const auto& v) { return tanh(v); }, [](const auto& g, const auto& y) { return g * (1 - y * y); });
}
Tensor sigmoid(Operand x) {
  return function_of_output<"sigmoid">(
      *x, [](const auto& v) { return sigmoid(v); }, [](const auto& g, const auto& y) { return g * ((1 - y) * y); });
}
Tensor erf(Operand x) {
  return function_of_input<"erf">(
      *x, [](const auto& v) { return erf(v); },
      [](const auto& g, const auto& v) { return g * (2 * std::numbers::inv_sqrtpi * exp(-(v * v))); });
}

namespace detail {

std::span<const OpInfo> math_ops() {
  static const OpInfo ops[] = {
      {"exp", "math", "e^x", true, [] { return unary_samples("torch.exp(x[0])", [](auto& x) { return exp(x); }); },
       [] { return unary_errors([](auto& x) { return exp(x); }); }},
      {"expm1", "math", "e^x - 1", true,
       [] { return unary_samples("torch.expm1(x[0])", [](auto& x) { return expm1(x); }); },
       [] { return unary_errors([](auto& x) { return expm1(x); }); }},
      {"log", "math", "log(x)", true,
       [] {
         return unary_samples("torch.log(x[0])", [](auto& x) { return log(x); }, {0.5, 2});
       },
       [] { return unary_errors([](auto& x) { return log(x); }); }},
      {"log1p", "math", "log(1 + x)", true,
       [] {
         return unary_samples("torch.log1p(x[0])", [](auto& x) { return log1p(x); }, {-0.5, 2});
       },
       [] { return unary_errors([](auto& x) { return log1p(x); }); }},
      {"sqrt", "math", "sqrt(x)", true,
       [] {
         return unary_samples("torch.sqrt(x[0])", [](auto& x) { return sqrt(x); }, {0.5, 2});
       },
       [] { return unary_errors([](auto& x) { return sqrt(x); }); }},
      {"rsqrt", "math", "1 / sqrt(x)", true,
       [] {
         return unary_samples("torch.rsqrt(x[0])", [](auto& x) { return rsqrt(x); }, {0.5, 2});
       },
       [] { return unary_errors([](auto& x) { return rsqrt(x); }); }},
      {"sin", "math", "sin(x)", true, [] { return unary_samples("torch.sin(x[0])", [](auto& x) { return sin(x); }); },
       [] { return unary_errors([](auto& x) { return sin(x); }); }},
      {"cos", "math", "cos(x)", true, [] { return unary_samples("torch.cos(x[0])", [](auto& x) { return cos(x); }); },
       [] { return unary_errors([](auto& x) { return cos(x); }); }},
      {"tan", "math", "sin(x) / cos(x)", true,
       [] {
         return unary_samples("torch.tan(x[0])", [](auto& x) { return tan(x); }, {-1, 1});
       },
       [] { return unary_errors([](auto& x) { return tan(x); }); }},
      {"tanh", "math", "(e^x - e^-x) / (e^x + e^-x)", true,
       [] { return unary_samples("torch.tanh(x[0])", [](auto& x) { return tanh(x); }); },
       [] { return unary_errors([](auto& x) { return tanh(x); }); }},
      {"sigmoid", "math", "1 / (1 + e^-x)", true,
       [] { return unary_samples("torch.sigmoid(x[0])", [](auto& x) { return sigmoid(x); }); },
       [] { return unary_errors([](auto& x) { return sigmoid(x); }); }},
      {"erf", "math", "2 / sqrt(pi) integral of e^(-t^2) from 0 to x", true,
       [] { return unary_samples("torch.erf(x[0])", [](auto& x) { return erf(x); }); },
       [] { return unary_errors([](auto& x) { return erf(x); }); }},
  };
  return ops;
}

}  // namespace detail

}  // namespace xgrad
