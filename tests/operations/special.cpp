#include <xgrad/ops/special.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

namespace {

/// Integrals in PyTorch, which has no gradients by parameters: from 0 to x of f(t), by Gauss's rule for t = x u^8.
std::string integral(const std::string& f, const std::string& x) {
  return "(lambda end, u, w: sum(8 * w[i] * u[i]**7 * end * (lambda t: " + f +
         ")(end * u[i]**8) for i in range(60)))(" + x +
         ", *(lambda rule: ((rule[0] + 1) / 2, rule[1] / 2))(__import__('numpy').polynomial.legendre.leggauss(60)))";
}
const std::string of_gamma = "torch.exp((x[0] - 1) * torch.log(t) - t - torch.lgamma(x[0]))";
const std::string of_beta =
    "torch.exp((x[0] - 1) * torch.log(t) + (x[1] - 1) * torch.log1p(-t)"
    " - torch.lgamma(x[0]) - torch.lgamma(x[1]) + torch.lgamma(x[0] + x[1]))";

std::vector<OpSample> gamma_samples(const std::string& reference, BinaryFunction f) {
  const auto of = [&](const Shape& a, const Shape& x) {
    return sample(reference, {sample_uniform(a, 0.6, 4), sample_uniform(x, 0.1, 5, 2)},
                  [f](auto& inputs) { return f(inputs[0], inputs[1]); });
  };
  return {of({3, 4}, {3, 4}), of({2, 1, 4}, {3, 1}), of({}, {3}), of({0, 3}, {3})};
}

std::vector<OpSample> inverse_gamma_samples() {
  // One step of Newton's method in PyTorch, from the solution without its gradients.
  const std::string solved =
      "(lambda y: y - (" + integral(of_gamma, "y") + " - x[1]) / (lambda t: " + of_gamma +
      ")(y).detach())(torch.from_numpy(__import__('numpy').asarray("
      "__import__('scipy.special').special.gammaincinv(x[0].detach().numpy(), x[1].detach().numpy()))))";
  const auto of = [&](const Shape& a, const Shape& p) {
    return sample(solved, {sample_uniform(a, 0.6, 4), sample_uniform(p, 0.1, 0.9, 2)},
                  [](auto& x) { return gammaincinv(x[0], x[1]); });
  };
  return {of({3, 4}, {3, 4}), of({2, 1, 4}, {3, 1}), of({}, {3}), of({0, 3}, {3})};
}

std::vector<OpSample> beta_samples() {
  const auto of = [&](const Shape& a, const Shape& b, const Shape& x) {
    return sample(integral(of_beta, "x[2]"),
                  {sample_uniform(a, 0.6, 4), sample_uniform(b, 0.7, 5, 2), sample_uniform(x, 0.1, 0.8, 3)},
                  [](auto& in) { return betainc(in[0], in[1], in[2]); });
  };
  return {of({3, 4}, {3, 4}, {3, 4}), of({2, 1, 4}, {3, 1}, {4}), of({}, {3}, {}), of({0, 3}, {3}, {})};
}

std::vector<OpSample> inverse_beta_samples() {
  const std::string solved =
      "(lambda y: y - (" + integral(of_beta, "y") + " - x[2]) / (lambda t: " + of_beta +
      ")(y).detach())(torch.from_numpy(__import__('numpy').asarray(__import__('scipy.special').special.betaincinv("
      "x[0].detach().numpy(), x[1].detach().numpy(), x[2].detach().numpy()))))";
  const auto of = [&](const Shape& a, const Shape& b, const Shape& p) {
    return sample(solved, {sample_uniform(a, 0.6, 4), sample_uniform(b, 1.5, 5, 2), sample_uniform(p, 0.1, 0.8, 3)},
                  [](auto& in) { return betaincinv(in[0], in[1], in[2]); });
  };
  return {of({3, 4}, {3, 4}, {3, 4}), of({2, 1, 4}, {3, 1}, {4}), of({0, 3}, {3}, {})};
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
       [] { return gamma_samples(integral(of_gamma, "x[1]"), [](auto& a, auto& x) { return gammainc(a, x); }); },
       [] { return binary_errors([](auto& a, auto& b) { return gammainc(a, b); }); }},
      {"gammaincc", "math", "1 - gammainc(a, x)", true,
       [] {
         return gamma_samples("1 - " + integral(of_gamma, "x[1]"), [](auto& a, auto& x) { return gammaincc(a, x); });
       },
       [] { return binary_errors([](auto& a, auto& b) { return gammaincc(a, b); }); }},
      {"gammaincinv", "math", "the x with gammainc(a, x) = p", true, inverse_gamma_samples,
       [] { return binary_errors([](auto& a, auto& b) { return gammaincinv(a, b); }); }},
      {"betainc", "math", "integral of t^(a-1) (1-t)^(b-1) / beta(a, b) from 0 to x", true, beta_samples,
       [] { return binary_errors([](auto& a, auto& b) { return betainc(a, a, b); }); }},
      {"betaincinv", "math", "the x with betainc(a, b, x) = p", true, inverse_beta_samples,
       [] { return binary_errors([](auto& a, auto& b) { return betaincinv(a, a, b); }); }},
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
