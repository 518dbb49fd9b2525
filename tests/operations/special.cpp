#include <xgrad/ops/special.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

namespace {

/// Of parameters without a gradient, which there is none for.
std::vector<OpSample> incomplete_samples(const std::string& reference, BinaryFunction f) {
  const auto of = [&](const Shape& a, const Shape& x) {
    return sample(reference, {sample_uniform(a, 0.3, 4).detach(), sample_uniform(x, 0.1, 5, 2)},
                  [f](auto& inputs) { return f(inputs[0], inputs[1]); });
  };
  return {of({3, 4}, {3, 4}), of({2, 1, 4}, {3, 1}), of({}, {3}), of({0, 3}, {3})};
}

}  // namespace

std::span<const OpInfo> special_ops() {
  static const OpInfo ops[] = {
      {"erfinv", "math", "the y with erf(y) = x", true,
       [] {
         return unary_samples("torch.erfinv(x[0])", [](auto& x) { return erfinv(x); }, {-0.9, 0.9});
       },
       [] { return unary_errors([](auto& x) { return erfinv(x); }); }},
      {"i0", "math", "the modified Bessel function of order 0", true,
       [] { return unary_samples("torch.special.i0(x[0])", [](auto& x) { return i0(x); }); },
       [] { return unary_errors([](auto& x) { return i0(x); }); }},
      {"i1", "math", "the modified Bessel function of order 1", true,
       [] { return unary_samples("torch.special.i1(x[0])", [](auto& x) { return i1(x); }); },
       [] { return unary_errors([](auto& x) { return i1(x); }); }},
      {"i0e", "math", "e^-|x| i0(x)", true,
       [] {
         return unary_samples("torch.special.i0e(x[0])", [](auto& x) { return i0e(x); }, {0.5, 40});
       },
       [] { return unary_errors([](auto& x) { return i0e(x); }); }},
      {"i1e", "math", "e^-|x| i1(x)", true,
       [] {
         return unary_samples("torch.special.i1e(x[0])", [](auto& x) { return i1e(x); }, {-40, -0.5});
       },
       [] { return unary_errors([](auto& x) { return i1e(x); }); }},
      {"sinc", "math", "sin(pi x) / (pi x)", true,
       [] {
         // Not near 0, where PyTorch's gradient loses digits.
         return unary_samples("torch.sinc(x[0])", [](auto& x) { return sinc(x); }, {0.3, 2}) +
                unary_samples("torch.sinc(x[0])", [](auto& x) { return sinc(x); }, {-4, -2});
       },
       [] { return unary_errors([](auto& x) { return sinc(x); }); }},
      {"xlogy", "math", "x log(y), 0 where x is", true,
       [] {
         return binary_samples("torch.xlogy(x[0], x[1])", [](auto& a, auto& b) { return xlogy(a, b); }, {-2, 2},
                               {0.5, 3});
       },
       [] { return binary_errors([](auto& a, auto& b) { return xlogy(a, b); }); }},
      {"gammainc", "math", "integral of t^(a-1) e^-t / gamma(a) from 0 to x", true,
       [] {
         return incomplete_samples("torch.special.gammainc(x[0], x[1])",
                                   [](auto& a, auto& x) { return gammainc(a, x); });
       },
       [] {
         return binary_errors([](auto& a, auto& b) { return gammainc(a, b); }) +
                std::vector<OpError>{{[] { gammainc(ones({2}, {.requires_grad = true}), ones({2})); },
                                      "gammainc: the first input requires a gradient"}};
       }},
      {"gammaincc", "math", "1 - gammainc(a, x)", true,
       [] {
         return incomplete_samples("torch.special.gammaincc(x[0], x[1])",
                                   [](auto& a, auto& x) { return gammaincc(a, x); });
       },
       [] { return binary_errors([](auto& a, auto& b) { return gammaincc(a, b); }); }},
      {"beta", "math", "gamma(a) gamma(b) / gamma(a + b)", true,
       [] {
         return binary_samples("torch.exp(torch.lgamma(x[0]) + torch.lgamma(x[1]) - torch.lgamma(x[0] + x[1]))",
                               [](auto& a, auto& b) { return beta(a, b); }, {0.3, 12}, {0.5, 15});
       },
       [] { return binary_errors([](auto& a, auto& b) { return beta(a, b); }); }},
      {"betaln", "math", "log |beta(a, b)|", true,
       [] {
         return binary_samples("torch.lgamma(x[0]) + torch.lgamma(x[1]) - torch.lgamma(x[0] + x[1])",
                               [](auto& a, auto& b) { return betaln(a, b); }, {0.3, 12}, {0.5, 15});
       },
       [] { return binary_errors([](auto& a, auto& b) { return betaln(a, b); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
