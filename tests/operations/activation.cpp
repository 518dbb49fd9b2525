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
      {"logsigmoid", "activation", "log(sigmoid(x))", true,
       [] { return unary_samples("F.logsigmoid(x[0])", [](auto& x) { return logsigmoid(x); }); },
       [] { return unary_errors([](auto& x) { return logsigmoid(x); }); }},
      {"mish", "activation", "x tanh(log(1 + e^x))", true,
       [] { return unary_samples("F.mish(x[0])", [](auto& x) { return nn::mish(x); }); },
       [] { return unary_errors([](auto& x) { return nn::mish(x); }); }},
      {"selu", "activation", "scale x where x > 0, else scale alpha (e^x - 1)", true,
       [] { return unary_samples("F.selu(x[0])", [](auto& x) { return selu(x); }); },
       [] { return unary_errors([](auto& x) { return selu(x); }); }},
      {"celu", "activation", "x where x > 0, else alpha (e^(x / alpha) - 1)", true,
       [] {
         return unary_samples("F.celu(x[0])", [](auto& x) { return celu(x); }) +
                unary_samples("F.celu(x[0], 0.5)", [](auto& x) { return celu(x, 0.5); });
       },
       [] {
         return unary_errors([](auto& x) { return celu(x); }) +
                std::vector<OpError>{{[] { celu(ones({2}), 0); }, "celu: alpha is 0"}};
       }},
      {"softsign", "activation", "x / (1 + |x|)", true,
       [] { return unary_samples("F.softsign(x[0])", [](auto& x) { return softsign(x); }); },
       [] { return unary_errors([](auto& x) { return softsign(x); }); }},
      {"tanhshrink", "activation", "x - tanh(x)", true,
       [] { return unary_samples("F.tanhshrink(x[0])", [](auto& x) { return tanhshrink(x); }); },
       [] { return unary_errors([](auto& x) { return tanhshrink(x); }); }},
      {"hardtanh", "activation", "x within [min_val, max_val]", true,
       [] {
         return unary_samples("F.hardtanh(x[0])", [](auto& x) { return hardtanh(x); }) +
                unary_samples("F.hardtanh(x[0], -0.5, 1.5)", [](auto& x) { return hardtanh(x, -0.5, 1.5); });
       },
       [] {
         return unary_errors([](auto& x) { return hardtanh(x); }) +
                std::vector<OpError>{{[] { hardtanh(ones({2}), 1, 0); }, "hardtanh: min_val 1 is above max_val 0"}};
       }},
      {"relu6", "activation", "x within [0, 6]", true,
       [] {
         return unary_samples("F.relu6(x[0])", [](auto& x) { return relu6(x); }, {-4, 9});
       },
       [] { return unary_errors([](auto& x) { return relu6(x); }); }},
      {"hardsigmoid", "activation", "relu6(x + 3) / 6", true,
       [] {
         return unary_samples("F.relu6(x[0] + 3) / 6", [](auto& x) { return hardsigmoid(x); }, {-5, 5});
       },
       [] { return unary_errors([](auto& x) { return hardsigmoid(x); }); }},
      {"hardswish", "activation", "x relu6(x + 3) / 6", true,
       [] {
         return unary_samples("F.hardswish(x[0])", [](auto& x) { return hardswish(x); }, {-5, 5});
       },
       [] { return unary_errors([](auto& x) { return hardswish(x); }); }},
      {"hardshrink", "activation", "x where |x| > lambd, else 0", true,
       [] {
         return unary_samples("F.hardshrink(x[0])", [](auto& x) { return hardshrink(x); }) +
                unary_samples("F.hardshrink(x[0], 0.7)", [](auto& x) { return hardshrink(x, 0.7); });
       },
       [] { return unary_errors([](auto& x) { return hardshrink(x); }); }},
      {"softshrink", "activation", "x nearer to 0 by lambd", true,
       [] {
         return unary_samples("F.softshrink(x[0])", [](auto& x) { return softshrink(x); }) +
                unary_samples("F.softshrink(x[0], 0.7)", [](auto& x) { return softshrink(x, 0.7); });
       },
       [] {
         return unary_errors([](auto& x) { return softshrink(x); }) +
                std::vector<OpError>{{[] { softshrink(ones({2}), -1); }, "softshrink: lambd is -1"}};
       }},
      {"threshold", "activation", "x where x > threshold, else value", true,
       [] { return unary_samples("F.threshold(x[0], 0.3, -2.0)", [](auto& x) { return threshold(x, 0.3, -2); }); },
       [] { return unary_errors([](auto& x) { return threshold(x, 0.3, -2); }); }},
      {"prelu", "activation", "x where x > 0, else weight x", true,
       [] {
         const auto f = [](auto& x) { return prelu(x[0], x[1]); };
         const Tensor w = sample_normal({3}, 2), one = sample_normal({1}, 3);
         return std::vector<OpSample>{
             sample("F.prelu(x[0], x[1])", {sample_normal({4, 3, 2}), w}, f),
             sample("F.prelu(x[0], x[1])", {sample_normal({4, 3}), one}, f),
             sample("F.prelu(x[0], x[1])", {sample_normal({4}), one}, f),
             sample("F.prelu(x[0], x[1])", {sample_normal({}), one}, f),
             sample("F.prelu(x[0], x[1])",
                    {sample_normal({2, 3, 2, 2}).detach().contiguous(channels_last).requires_grad_(), w}, f),
             sample("F.prelu(x[0], x[1])", {sample_normal({0, 3}), w}, f)};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        prelu(ones({2, 3}), ones({2}));
                                      },
                                      "weight of shape (2,) for input of shape (2, 3), which has 3 channels"},
                                     {[] { prelu(ones({3}), ones({3})); }, "which has 1 channel"},
                                     {[] {
                                        prelu(ones({2, 3}), ones({1, 3}));
                                      },
                                      "neither one number nor one for each channel"},
                                     {[] {
                                        prelu(ones({2, 3}), ones({3}, {.dtype = float64}));
                                      },
                                      "weight is float64, input float32"}};
       }},
      {"rrelu", "activation", "x where x > 0, else slope x with random slopes in training", true,
       [] {
         return unary_samples("F.rrelu(x[0])", [](auto& x) { return rrelu(x); }) +
                unary_samples("F.rrelu(x[0], 0.25, 0.25, True)", [](auto& x) { return rrelu(x, 0.25, 0.25, true); });
       },
       [] {
         return unary_errors([](auto& x) { return rrelu(x); }) +
                std::vector<OpError>{{[] { rrelu(ones({2}), 1, 0); }, "rrelu: lower 1 is above upper 0"}};
       }},
      {"glu", "activation", "a sigmoid(b), of the halves of x", true,
       [] {
         return std::vector<OpSample>{
             sample("F.glu(x[0])", {sample_normal({3, 4})}, [](auto& x) { return glu(x[0]); }),
             sample("F.glu(x[0], 0)", {sample_normal({2, 3})}, [](auto& x) { return glu(x[0], 0); }),
             sample("F.glu(x[0], 1)", {sample_normal({0, 4})}, [](auto& x) { return glu(x[0], 1); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        glu(ones({2, 3}));
                                      },
                                      "glu: axis -1 of an input of shape (2, 3) has an odd size"},
                                     {[] {
                                        glu(ones({2, 4}), 2);
                                      },
                                      "glu"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
