#include <xgrad/xgrad.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> division_ops() {
  static const OpInfo ops[] = {
      {"floor_divide", "arithmetic", "floor(a / b)", false,
       [] {
         return binary_samples("torch.div(x[0], x[1], rounding_mode='floor')",
                               [](auto& a, auto& b) { return floor_divide(a, b); }, {-4, 4}, {0.5, 2}) +
                binary_samples("torch.div(x[0], x[1], rounding_mode='trunc')",
                               [](auto& a, auto& b) { return div(a, b, {.rounding_mode = RoundingMode::trunc}); },
                               {-4, 4}, {0.5, 2}) +
                unary_samples("torch.div(x[0], -0.7, rounding_mode='floor')",
                              [](auto& x) { return div(x, -0.7, {.rounding_mode = RoundingMode::floor}); });
       },
       [] {
         return binary_errors([](auto& a, auto& b) { return floor_divide(a, b); }) +
                std::vector<OpError>{
                    {[] { floor_divide(ones({2}, {.dtype = int64}), 0); }, "floor_divide: an integer is divided by 0"}};
       }},
      {"remainder", "arithmetic", "a - b floor(a / b)", true,
       [] {
         return binary_samples("torch.remainder(x[0], x[1])", [](auto& a, auto& b) { return remainder(a, b); }, {-4, 4},
                               {0.5, 2}) +
                unary_samples("torch.remainder(x[0], -0.7)", [](auto& x) { return remainder(x, -0.7); });
       },
       [] {
         return binary_errors([](auto& a, auto& b) { return remainder(a, b); }) +
                std::vector<OpError>{
                    {[] { remainder(1, zeros({2}, {.dtype = int64})); }, "remainder: an integer is divided by 0"}};
       }},
      {"fmod", "arithmetic", "a - b trunc(a / b)", true,
       [] {
         return binary_samples("torch.fmod(x[0], x[1])", [](auto& a, auto& b) { return fmod(a, b); }, {-4, 4},
                               {0.5, 2}) +
                unary_samples("torch.fmod(x[0], -0.7)", [](auto& x) { return fmod(x, -0.7); });
       },
       [] { return binary_errors([](auto& a, auto& b) { return fmod(a, b); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
