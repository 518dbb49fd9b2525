#include <xgrad/ops/exponential.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> exponential_ops() {
  static const OpInfo ops[] = {
      {"log2", "math", "log(x) / log(2)", true,
       [] {
         return unary_samples("torch.log2(x[0])", [](auto& x) { return log2(x); }, {0.5, 4});
       },
       [] { return unary_errors([](auto& x) { return log2(x); }); }},
      {"log10", "math", "log(x) / log(10)", true,
       [] {
         return unary_samples("torch.log10(x[0])", [](auto& x) { return log10(x); }, {0.5, 4});
       },
       [] { return unary_errors([](auto& x) { return log10(x); }); }},
      {"exp2", "math", "2^x", true, [] { return unary_samples("torch.exp2(x[0])", [](auto& x) { return exp2(x); }); },
       [] { return unary_errors([](auto& x) { return exp2(x); }); }},
      {"asinh", "math", "the number whose hyperbolic sine is x", true,
       [] { return unary_samples("torch.asinh(x[0])", [](auto& x) { return asinh(x); }); },
       [] { return unary_errors([](auto& x) { return asinh(x); }); }},
      {"acosh", "math", "the number whose hyperbolic cosine is x", true,
       [] {
         return unary_samples("torch.acosh(x[0])", [](auto& x) { return acosh(x); }, {1.3, 4});
       },
       [] { return unary_errors([](auto& x) { return acosh(x); }); }},
      {"atanh", "math", "the number whose hyperbolic tangent is x", true,
       [] {
         return unary_samples("torch.atanh(x[0])", [](auto& x) { return atanh(x); }, {-0.9, 0.9});
       },
       [] { return unary_errors([](auto& x) { return atanh(x); }); }},
      {"logaddexp", "math", "log(e^a + e^b)", true,
       [] { return binary_samples("torch.logaddexp(x[0], x[1])", [](auto& a, auto& b) { return logaddexp(a, b); }); },
       [] { return binary_errors([](auto& a, auto& b) { return logaddexp(a, b); }); }},
      {"logaddexp2", "math", "log2(2^a + 2^b)", true,
       [] { return binary_samples("torch.logaddexp2(x[0], x[1])", [](auto& a, auto& b) { return logaddexp2(a, b); }); },
       [] { return binary_errors([](auto& a, auto& b) { return logaddexp2(a, b); }); }},
      {"hypot", "math", "sqrt(a^2 + b^2)", true,
       [] { return binary_samples("torch.hypot(x[0], x[1])", [](auto& a, auto& b) { return hypot(a, b); }); },
       [] { return binary_errors([](auto& a, auto& b) { return hypot(a, b); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
