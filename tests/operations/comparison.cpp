#include <xgrad/xgrad.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> comparison_ops() {
  static const OpInfo ops[] = {
      {"eq", "comparison", "a == b", false,
       [] {
         return binary_samples("x[0] == x[1]", [](auto& a, auto& b) { return a == b; }) +
                unary_samples("x[0] == x[0]", [](auto& x) { return x == x; }) +
                unary_samples("x[0] == 0.5", [](auto& x) { return x == 0.5; }) +
                unary_samples("1 == x[0]", [](auto& x) { return 1 == x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a == b; }); }},
      {"ne", "comparison", "a != b", false,
       [] {
         return binary_samples("x[0] != x[1]", [](auto& a, auto& b) { return a != b; }) +
                unary_samples("x[0] != x[0]", [](auto& x) { return x != x; }) +
                unary_samples("x[0] != 0.5", [](auto& x) { return x != 0.5; }) +
                unary_samples("1 != x[0]", [](auto& x) { return 1 != x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a != b; }); }},
      {"lt", "comparison", "a < b", false,
       [] {
         return binary_samples("x[0] < x[1]", [](auto& a, auto& b) { return a < b; }) +
                unary_samples("x[0] < x[0]", [](auto& x) { return x < x; }) +
                unary_samples("x[0] < 0.5", [](auto& x) { return x < 0.5; }) +
                unary_samples("1 < x[0]", [](auto& x) { return 1 < x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a < b; }); }},
      {"le", "comparison", "a <= b", false,
       [] {
         return binary_samples("x[0] <= x[1]", [](auto& a, auto& b) { return a <= b; }) +
                unary_samples("x[0] <= x[0]", [](auto& x) { return x <= x; }) +
                unary_samples("x[0] <= 0.5", [](auto& x) { return x <= 0.5; }) +
                unary_samples("1 <= x[0]", [](auto& x) { return 1 <= x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a <= b; }); }},
      {"gt", "comparison", "a > b", false,
       [] {
         return binary_samples("x[0] > x[1]", [](auto& a, auto& b) { return a > b; }) +
                unary_samples("x[0] > x[0]", [](auto& x) { return x > x; }) +
                unary_samples("x[0] > 0.5", [](auto& x) { return x > 0.5; }) +
                unary_samples("1 > x[0]", [](auto& x) { return 1 > x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a > b; }); }},
      {"ge", "comparison", "a >= b", false,
       [] {
         return binary_samples("x[0] >= x[1]", [](auto& a, auto& b) { return a >= b; }) +
                unary_samples("x[0] >= x[0]", [](auto& x) { return x >= x; }) +
                unary_samples("x[0] >= 0.5", [](auto& x) { return x >= 0.5; }) +
                unary_samples("1 >= x[0]", [](auto& x) { return 1 >= x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a >= b; }); }},
      {"isnan", "comparison", "x is NaN", false,
       [] {
         return unary_samples("torch.isnan(1 / (x[0] - x[0]))", [](auto& x) { return isnan(1 / (x - x)); }) +
                unary_samples("torch.isnan(x[0])", [](auto& x) { return isnan(x); });
       },
       [] { return unary_errors([](auto& x) { return isnan(x); }); }},
      {"isinf", "comparison", "x is infinite", false,
       [] {
         return unary_samples("torch.isinf(1 / (x[0] - x[0]))", [](auto& x) { return isinf(1 / (x - x)); }) +
                unary_samples("torch.isinf(x[0])", [](auto& x) { return isinf(x); });
       },
       [] { return unary_errors([](auto& x) { return isinf(x); }); }},
      {"isfinite", "comparison", "x is neither infinite nor NaN", false,
       [] {
         return unary_samples("torch.isfinite(1 / (x[0] - x[0]))", [](auto& x) { return isfinite(1 / (x - x)); }) +
                unary_samples("torch.isfinite(x[0])", [](auto& x) { return isfinite(x); });
       },
       [] { return unary_errors([](auto& x) { return isfinite(x); }); }},
      {"logical_and", "comparison", "a and b", false,
       [] {
         return binary_samples("torch.logical_and(x[0] > 0, x[1] > 0)",
                               [](auto& a, auto& b) { return a > 0 && b > 0; }) +
                binary_samples("torch.logical_and(x[0], x[1])", [](auto& a, auto& b) { return logical_and(a, b); });
       },
       [] { return binary_errors([](auto& a, auto& b) { return logical_and(a, b); }); }},
      {"logical_or", "comparison", "a or b", false,
       [] {
         return binary_samples("torch.logical_or(x[0] > 0, x[1] > 0)",
                               [](auto& a, auto& b) { return a > 0 || b > 0; }) +
                binary_samples("torch.logical_or(x[0], x[1])", [](auto& a, auto& b) { return logical_or(a, b); });
       },
       [] { return binary_errors([](auto& a, auto& b) { return logical_or(a, b); }); }},
      {"logical_xor", "comparison", "either a or b", false,
       [] {
         return binary_samples("torch.logical_xor(x[0] > 0, x[1] > 0)",
                               [](auto& a, auto& b) { return logical_xor(a > 0, b > 0); }) +
                binary_samples("torch.logical_xor(x[0], x[1])", [](auto& a, auto& b) { return logical_xor(a, b); });
       },
       [] { return binary_errors([](auto& a, auto& b) { return logical_xor(a, b); }); }},
      {"logical_not", "comparison", "not x", false,
       [] {
         return unary_samples("torch.logical_not(x[0] > 0)", [](auto& x) { return !(x > 0); }) +
                unary_samples("torch.logical_not(x[0])", [](auto& x) { return logical_not(x); });
       },
       [] { return unary_errors([](auto& x) { return logical_not(x); }); }},
      {"where", "comparison", "a where the condition is true, else b", true,
       [] {
         return binary_samples("torch.where(x[0] > x[1], x[0], x[1])",
                               [](auto& a, auto& b) { return where(a > b, a, b); }) +
                binary_samples("torch.where(x[1] > 0, x[0], x[1])",
                               [](auto& a, auto& b) { return where(b > 0, a, b); }) +
                unary_samples("torch.where(x[0] > 0, x[0], 0.5)", [](auto& x) { return where(x > 0, x, 0.5); }) +
                unary_samples("torch.where(x[0] > 0, 2, x[0])", [](auto& x) { return where(x > 0, 2, x); });
       },
       [] {
         return binary_errors([](auto& a, auto& b) { return where(tensor(true, {.dtype = bool_}), a, b); }) +
                std::vector<OpError>{
                    {[] { where(ones({2}), ones({2}), 0); }, "where: the condition has dtype float32"}};
       }},
      {"masked_fill", "comparison", "value where the mask is true, else x", true,
       [] {
         return unary_samples("x[0].masked_fill(x[0] > 0.5, -1.5)",
                              [](auto& x) { return masked_fill(x, x > 0.5, -1.5); });
       },
       [] {
         return std::vector<OpError>{
             {[] { masked_fill(ones({2}), ones({3}) > 0, 1); }, "masked_fill: shapes (2,) and (3,) do not broadcast"},
             {[] { masked_fill(ones({2}, {.dtype = int64}), ones({2}) > 0, 0.5); }, "masked_fill: the value 0.5"},
             {[] { masked_fill(ones({2}), ones({2}), 1); }, "expected bool"}};
       }},
      {"clamp", "comparison", "min(max(x, low), high)", true,
       [] {
         return unary_samples("torch.clamp(x[0], -1, 0.5)", [](auto& x) { return clamp(x, -1, 0.5); }) +
                unary_samples("torch.clamp(x[0], min=0.25)", [](auto& x) { return clamp(x, 0.25); }) +
                unary_samples("torch.clamp(x[0], max=0.25)", [](auto& x) { return clamp(x, {}, 0.25); }) +
                binary_samples("torch.clamp(x[0], x[1], x[1] + 0.5)",
                               [](auto& x, auto& low) { return clamp(x, low, low + 0.5); }) +
                binary_samples("torch.clamp(x[0], min=x[1])", [](auto& x, auto& low) { return clamp(x, low); }) +
                binary_samples("torch.clamp(x[0], max=x[1])", [](auto& x, auto& high) { return clamp(x, {}, high); }) +
                std::vector<OpSample>{sample("torch.clamp(x[0], x[1], x[2])",
                                             {sample_normal({3, 4}), sample_normal({4}, 2), sample_normal({3, 1}, 3)},
                                             [](auto& x) { return clamp(x[0], x[1], x[2]); })};
       },
       [] {
         return binary_errors([](auto& x, auto& low) { return clamp(x, low); }) +
                std::vector<OpError>{{[] { clamp(ones({2}), {}); }, "clamp: neither min nor max"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
