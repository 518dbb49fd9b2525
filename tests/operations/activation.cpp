#include <xgrad/xgrad.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> activation_ops() {
  static const OpInfo ops[] = {
      {"relu", "activation", "max(x, 0)", true,
       [] { return unary_samples("F.relu(x[0])", [](auto& x) { return relu(x); }); },
       [] { return unary_errors([](auto& x) { return relu(x); }); }},
      {"leaky_relu", "activation", "x where x > 0, else slope x", true,
       [] {
         return unary_samples("F.leaky_relu(x[0])", [](auto& x) { return leaky_relu(x); }) +
                unary_samples("F.leaky_relu(x[0], 0.2)", [](auto& x) { return leaky_relu(x, 0.2); });
       },
       [] { return unary_errors([](auto& x) { return leaky_relu(x); }); }},
      {"elu", "activation", "x where x > 0, else alpha (e^x - 1)", true,
       [] {
         return unary_samples("F.elu(x[0])", [](auto& x) { return elu(x); }) +
                unary_samples("F.elu(x[0], 0.5)", [](auto& x) { return elu(x, 0.5); });
       },
       [] { return unary_errors([](auto& x) { return elu(x); }); }},
      {"gelu", "activation", "x Phi(x)", true,
       [] {
         return unary_samples("F.gelu(x[0])", [](auto& x) { return gelu(x); }) +
                unary_samples("F.gelu(x[0], approximate='tanh')", [](auto& x) { return gelu(x, "tanh"); });
       },
       [] {
         return unary_errors([](auto& x) { return gelu(x); }) +
                std::vector<OpError>{{[] { gelu(ones({2}), "sigmoid"); }, "gelu: approximate is \"sigmoid\""}};
       }},
      {"silu", "activation", "x sigmoid(x)", true,
       [] { return unary_samples("F.silu(x[0])", [](auto& x) { return silu(x); }); },
       [] { return unary_errors([](auto& x) { return silu(x); }); }},
      {"softplus", "activation", "log(1 + e^(beta x)) / beta", true,
       [] {
         return unary_samples("F.softplus(x[0])", [](auto& x) { return softplus(x); }) +
                unary_samples("F.softplus(x[0], beta=2, threshold=1)", [](auto& x) { return softplus(x, 2, 1); });
       },
       [] {
         return unary_errors([](auto& x) { return softplus(x); }) +
                std::vector<OpError>{{[] { softplus(ones({2}), 0); }, "softplus: beta is 0"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
