#include <xgrad/xgrad.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

// Shifted, because PyTorch's trigamma, the derivative, has nine digits near 1.
static const char* const digamma_of_x = "torch.digamma(x[0] + 20) - (1 / (x[0][..., None] + torch.arange(20))).sum(-1)";

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
      {"asin", "math", "the angle whose sine is x", true,
       [] {
         return unary_samples("torch.asin(x[0])", [](auto& x) { return asin(x); }, {-0.9, 0.9});
       },
       [] { return unary_errors([](auto& x) { return asin(x); }); }},
      {"acos", "math", "the angle whose cosine is x", true,
       [] {
         return unary_samples("torch.acos(x[0])", [](auto& x) { return acos(x); }, {-0.9, 0.9});
       },
       [] { return unary_errors([](auto& x) { return acos(x); }); }},
      {"atan", "math", "the angle whose tangent is x", true,
       [] { return unary_samples("torch.atan(x[0])", [](auto& x) { return atan(x); }); },
       [] { return unary_errors([](auto& x) { return atan(x); }); }},
      {"atan2", "math", "the angle of the point (x, y)", true,
       [] {
         return binary_samples("torch.atan2(x[0], x[1])", [](auto& y, auto& x) { return atan2(y, x); }, {0.5, 2}) +
                binary_samples("torch.atan2(x[0], x[1])", [](auto& y, auto& x) { return atan2(y, x); }, {-2, -0.5});
       },
       [] { return binary_errors([](auto& y, auto& x) { return atan2(y, x); }); }},
      {"sinh", "math", "(e^x - e^-x) / 2", true,
       [] { return unary_samples("torch.sinh(x[0])", [](auto& x) { return sinh(x); }); },
       [] { return unary_errors([](auto& x) { return sinh(x); }); }},
      {"cosh", "math", "(e^x + e^-x) / 2", true,
       [] { return unary_samples("torch.cosh(x[0])", [](auto& x) { return cosh(x); }); },
       [] { return unary_errors([](auto& x) { return cosh(x); }); }},
      {"tanh", "math", "(e^x - e^-x) / (e^x + e^-x)", true,
       [] { return unary_samples("torch.tanh(x[0])", [](auto& x) { return tanh(x); }); },
       [] { return unary_errors([](auto& x) { return tanh(x); }); }},
      {"sigmoid", "math", "1 / (1 + e^-x)", true,
       [] { return unary_samples("torch.sigmoid(x[0])", [](auto& x) { return sigmoid(x); }); },
       [] { return unary_errors([](auto& x) { return sigmoid(x); }); }},
      {"erf", "math", "2 / sqrt(pi) integral of e^(-t^2) from 0 to x", true,
       [] { return unary_samples("torch.erf(x[0])", [](auto& x) { return erf(x); }); },
       [] { return unary_errors([](auto& x) { return erf(x); }); }},
      {"erfc", "math", "1 - erf(x)", true,
       [] { return unary_samples("torch.erfc(x[0])", [](auto& x) { return erfc(x); }); },
       [] { return unary_errors([](auto& x) { return erfc(x); }); }},
      {"lgamma", "math", "log |gamma(x)|", true,
       [] {
         return unary_samples("torch.lgamma(x[0])", [](auto& x) { return lgamma(x); }, {0.5, 3}) +
                unary_samples("torch.lgamma(x[0])", [](auto& x) { return lgamma(x); }, {-2.7, -2.3});
       },
       [] { return unary_errors([](auto& x) { return lgamma(x); }); }},
      {"digamma", "math", "derivative of lgamma(x)", true,
       [] {
         return unary_samples(digamma_of_x, [](auto& x) { return digamma(x); }, {0.5, 3}) +
                unary_samples(digamma_of_x, [](auto& x) { return digamma(x); }, {-1.7, -1.3});
       },
       [] { return unary_errors([](auto& x) { return digamma(x); }); }},
      {"polygamma", "math", "n-th derivative of digamma(x)", true,
       [] {
         return unary_samples(digamma_of_x, [](auto& x) { return polygamma(0, x); }, {0.5, 3}) +
                unary_samples("torch.special.zeta(2, x[0])", [](auto& x) { return polygamma(1, x); }, {0.5, 3}) +
                unary_samples("torch.polygamma(3, x[0])", [](auto& x) { return polygamma(3, x); }, {0.5, 3});
       },
       [] {
         return unary_errors([](auto& x) { return polygamma(1, x); }) +
                std::vector<OpError>{{[] { polygamma(-1, ones({2})); }, "polygamma: n is -1, expected 0 to 64"},
                                     {[] { polygamma(65, ones({2})); }, "polygamma: n is 65, expected 0 to 64"}};
       }},
      {"floor", "math", "the largest integer not above x", false,
       [] { return unary_samples("torch.floor(x[0])", [](auto& x) { return floor(x); }); },
       [] { return unary_errors([](auto& x) { return floor(x); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
