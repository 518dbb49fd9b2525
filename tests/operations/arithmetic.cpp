#include <xgrad/xgrad.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> arithmetic_ops() {
  static const OpInfo ops[] = {
      {"add", "arithmetic", "a + b", true,
       [] {
         return binary_samples("x[0] + x[1]", [](auto& a, auto& b) { return a + b; }) +
                binary_samples("torch.add(x[0], x[1], alpha=0.5)",
                               [](auto& a, auto& b) { return add(a, b, {.alpha = 0.5}); }) +
                unary_samples("x[0] + 1.5", [](auto& x) { return x + 1.5; }) +
                unary_samples("2 + x[0]", [](auto& x) { return 2 + x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a + b; }); }},
      {"sub", "arithmetic", "a - b", true,
       [] {
         return binary_samples("x[0] - x[1]", [](auto& a, auto& b) { return a - b; }) +
                binary_samples("torch.sub(x[0], x[1], alpha=3)",
                               [](auto& a, auto& b) { return sub(a, b, {.alpha = 3}); }) +
                unary_samples("x[0] - 1.5", [](auto& x) { return x - 1.5; }) +
                unary_samples("2 - x[0]", [](auto& x) { return 2 - x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a - b; }); }},
      {"mul", "arithmetic", "a b", true,
       [] {
         return binary_samples("x[0] * x[1]", [](auto& a, auto& b) { return a * b; }) +
                unary_samples("x[0] * 1.5", [](auto& x) { return x * 1.5; }) +
                unary_samples("x[0] * x[0]", [](auto& x) { return x * x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a * b; }); }},
      {"div", "arithmetic", "a / b", true,
       [] {
         return binary_samples("x[0] / x[1]", [](auto& a, auto& b) { return a / b; }, {}, {0.5, 2}) +
                unary_samples("x[0] / 1.5", [](auto& x) { return x / 1.5; }) +
                unary_samples("2 / x[0]", [](auto& x) { return 2 / x; }, {-2, -0.5});
       },
       [] { return binary_errors([](auto& a, auto& b) { return a / b; }); }},
      {"neg", "arithmetic", "-x", true, [] { return unary_samples("-x[0]", [](auto& x) { return -x; }); },
       [] { return unary_errors([](auto& x) { return -x; }); }},
      {"pow", "arithmetic", "a^b", true,
       [] {
         return binary_samples("x[0] ** x[1]", [](auto& a, auto& b) { return pow(a, b); }, {0.5, 2}, {-2, 2}) +
                unary_samples("x[0] ** 2", [](auto& x) { return pow(x, 2); }) +
                unary_samples("x[0] ** 3", [](auto& x) { return pow(x, 3); }) +
                unary_samples("x[0] ** -1", [](auto& x) { return pow(x, -1); }, {0.5, 2}) +
                unary_samples("x[0] ** -2", [](auto& x) { return pow(x, -2); }, {0.5, 2}) +
                unary_samples("x[0] ** 0.5", [](auto& x) { return pow(x, 0.5); }, {0.5, 2}) +
                unary_samples("x[0] ** 1.7", [](auto& x) { return pow(x, 1.7); }, {0.5, 2}) +
                unary_samples("2.5 ** x[0]", [](auto& x) { return pow(2.5, x); });
       },
       [] {
         return binary_errors([](auto& a, auto& b) { return pow(a, b); }) +
                std::vector<OpError>{{[] { pow(ones({2}, {.dtype = int64}), -1); }, "pow: integers to the power -1"}};
       }},
      {"square", "arithmetic", "x^2", true,
       [] { return unary_samples("torch.square(x[0])", [](auto& x) { return square(x); }); },
       [] { return unary_errors([](auto& x) { return square(x); }); }},
      {"reciprocal", "arithmetic", "1 / x", true,
       [] {
         return unary_samples("torch.reciprocal(x[0])", [](auto& x) { return reciprocal(x); }, {0.5, 2});
       },
       [] { return unary_errors([](auto& x) { return reciprocal(x); }); }},
      {"abs", "arithmetic", "|x|", true,
       [] { return unary_samples("torch.abs(x[0])", [](auto& x) { return abs(x); }); },
       [] { return unary_errors([](auto& x) { return abs(x); }); }},
      {"sign", "arithmetic", "-1, 0 or 1", false,
       [] { return unary_samples("torch.sign(x[0])", [](auto& x) { return sign(x); }); },
       [] { return unary_errors([](auto& x) { return sign(x); }); }},
      {"maximum", "arithmetic", "the larger of a and b", true,
       [] {
         return binary_samples("torch.maximum(x[0], x[1])", [](auto& a, auto& b) { return maximum(a, b); }) +
                unary_samples("torch.clamp(x[0], min=0.25)", [](auto& x) { return maximum(x, 0.25); });
       },
       [] { return binary_errors([](auto& a, auto& b) { return maximum(a, b); }); }},
      {"minimum", "arithmetic", "the smaller of a and b", true,
       [] {
         return binary_samples("torch.minimum(x[0], x[1])", [](auto& a, auto& b) { return minimum(a, b); }) +
                unary_samples("torch.clamp(x[0], max=0.25)", [](auto& x) { return minimum(0.25, x); });
       },
       [] { return binary_errors([](auto& a, auto& b) { return minimum(a, b); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
