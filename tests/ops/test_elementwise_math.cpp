#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/ops/elementwise_math.hpp>
#include <xgrad/ops/reduce.hpp>

#include "../catch.hpp"

using namespace xgrad;

namespace {

/// Values are those of the operations on tensors, derivatives those of differences.
template <class F, class G>
void check_lambda(const F& inside, const G& outside, const std::vector<Tensor>& x) {
  const auto f = [&](const std::vector<Tensor>& inputs) {
    return std::vector<Tensor>{inputs.size() == 1 ? inside(inputs[0], inputs[0]) : inside(inputs[0], inputs[1])};
  };
  CHECK(allclose(f(x)[0], outside(x[0], x.back()), {.rtol = 1e-14, .atol = 1e-15}));
  const auto first = gradcheck(f, x), second = gradgradcheck(f, x);
  INFO(first.message << second.message);
  CHECK(first);
  CHECK(second);
}

}  // namespace

TEST_CASE("elementwise: more functions of numbers have the values and derivatives of those of tensors") {
  const Tensor x = tensor({0.2, 0.45, 0.7}, {.dtype = float64, .requires_grad = true}),
               y = tensor({1.3, 0.6, -0.4}, {.dtype = float64, .requires_grad = true});
  check_lambda(elementwise("logarithms", [](auto a, auto) { return log2(a) * log10(a) + exp2(a) * atanh(a); }),
               [](auto& a, auto&) { return log2(a) * log10(a) + exp2(a) * atanh(a); }, {x, y});
  check_lambda(elementwise("inverse", [](auto a, auto b) { return asinh(b) * acosh(1 + a) + erfinv(a) * frac(b); }),
               [](auto& a, auto& b) { return asinh(b) * acosh(1 + a) + erfinv(a) * frac(b); }, {x, y});
  check_lambda(elementwise("bessel", [](auto a, auto b) { return i0(a) * i1(b) + i0e(b) * i1e(a) + sinc(b); }),
               [](auto& a, auto& b) { return i0(a) * i1(b) + i0e(b) * i1e(a) + sinc(b); }, {x, y});
  check_lambda(elementwise("pairs", [](auto a, auto b) { return hypot(a, b) * logaddexp(b, 0.5) + xlogy(b, a); }),
               [](auto& a, auto& b) { return hypot(a, b) * logaddexp(b, full_like(b, 0.5).detach()) + xlogy(b, a); },
               {x, y});
  check_lambda(
      elementwise("steps",
                  [](auto a, auto b) { return a * (ceil(b) + 2 * trunc(b) + 3 * round(b)) + logaddexp2(a, b); }),
      [](auto& a, auto& b) { return a * (ceil(b) + 2 * trunc(b) + 3 * round(b)) + logaddexp2(a, b); }, {x, y});
  check_lambda(elementwise("incomplete", [](auto a, auto b) { return gammainc(a, b * b) * gammaincc(2, a) + a; }),
               [](auto& a, auto& b) { return gammainc(a, b * b) * gammaincc(full_like(a, 2).detach(), a) + a; },
               {x, y});
  check_lambda(elementwise("beta", [](auto a, auto b) { return beta(a, b * b) * betaln(1.5, a); }),
               [](auto& a, auto& b) { return beta(a, b * b) * betaln(full_like(a, 1.5).detach(), a); }, {x, y});
  check_lambda(
      elementwise("rest", [](auto a, auto b) { return remainder(b, a) * fmod(b, a) + a * floor_divide(b, 0.35); }),
      [](auto& a, auto& b) { return remainder(b, a) * fmod(b, a) + a * floor_divide(b, 0.35); }, {x, y});
}

TEST_CASE("elementwise: nan_to_num, remainders and decimals of float32") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Tensor x = tensor({-infinity, std::nan(""), 2.5, infinity}, {.dtype = float32, .requires_grad = true});
  const auto finite = elementwise("finite", [](auto v) { return 0.5 * nan_to_num(v); });
  CHECK(finite(x).to_vector<float>() == (0.5 * nan_to_num(x)).to_vector<float>());
  CHECK(grad(sum(finite(x)), x).to_vector<float>() == std::vector<float>{0, 0, 0.5f, 0});
  const Tensor a = tensor({-7.25, 7.25, 0.3}, {.dtype = float32});
  for (const int decimals : {-1, 0, 2, 40}) {
    const auto rounded = elementwise("rounded", [decimals](auto v) { return v + round(v, decimals); });
    const Tensor numbers = tensor({-27.275, 0.125, 35.0}, {.dtype = float32, .requires_grad = true});
    CHECK(rounded(numbers).to_vector<float>() == (numbers + round(numbers, decimals)).to_vector<float>());
    CHECK(grad(sum(rounded(numbers)), numbers).to_vector<float>() == std::vector<float>{1, 1, 1});
    CHECK(gradgradcheck([&](const std::vector<Tensor>& inputs) { return std::vector<Tensor>{rounded(inputs[0])}; },
                        {numbers.detach().to(float64).requires_grad_()}));
  }
  CHECK(elementwise("rest", [](auto v) { return remainder(v, 0.1); })(a).to_vector<float>() ==
        remainder(a, 0.1).to_vector<float>());
}
