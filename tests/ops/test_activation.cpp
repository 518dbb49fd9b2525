#include <xgrad/array/random.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/reduce.hpp>

#include "../catch.hpp"
#include "accuracy.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

const Doubles points = {0, -1, inf, -inf, NaN, 2};

struct Expected {
  const char* name;
  Tensor (*f)(const Tensor&);
  Doubles value, gradient;  // as PyTorch 1.13 gives them
};

const Expected table[] = {
    {"relu", [](auto& x) { return relu(x); }, {0, 0, inf, 0, NaN, 2}, {0, 0, 1, 0, 1, 1}},
    {"leaky_relu",
     [](auto& x) { return leaky_relu(x); },
     {0, -0.01, inf, -inf, NaN, 2},
     {0.01, 0.01, 1, 0.01, 0.01, 1}},
    {"elu", [](auto& x) { return elu(x); }, {0, std::expm1(-1), inf, -1, NaN, 2}, {1, std::exp(-1), 1, 0, NaN, 1}},
    {"gelu",
     [](auto& x) { return gelu(x); },
     {0, -0.15865525393145702, inf, NaN, NaN, 1.9544997361036416},
     {0.5, -0.08331547058768635, NaN, NaN, NaN, 1.085231801078197}},
    {"gelu tanh",
     [](auto& x) { return gelu(x, "tanh"); },
     {0, -0.15880800939172324, inf, NaN, NaN, 1.954597694087775},
     {0.5, -0.08296408384578252, NaN, NaN, NaN, 1.0860992566236183}},
    {"silu",
     [](auto& x) { return silu(x); },
     {0, -0.2689414213699951, inf, NaN, NaN, 1.7615941559557646},
     {0.5, 0.07232948812851325, NaN, NaN, NaN, 1.0907842487848955}},
    {"softplus",
     [](auto& x) { return softplus(x); },
     {0.6931471805599453, 0.31326168751822286, inf, 0, NaN, 2.1269280110429727},
     {0.5, 0.2689414213699951, 1, 0, NaN, 0.8807970779778824}},
    {"logsigmoid",
     [](auto& x) { return logsigmoid(x); },
     {-0.6931471805599453, -1.3132616875182228, 0, -inf, NaN, -0.1269280110429725},
     {0.5, 0.7310585786300049, 0, 1, NaN, 0.11920292202211755}},
    {"mish",
     [](auto& x) { return nn::mish(x); },
     {0, -0.30340146137410895, inf, NaN, NaN, 1.9439589595339946},
     {0.6, 0.059216755877395, NaN, NaN, NaN, 1.0693179342794896}},
    {"selu",
     [](auto& x) { return selu(x); },
     {0, -1.1113307378125625, inf, -1.7580993408473766, NaN, 2.101401974710961},
     {1.7580993408473766, 0.646768603034814, 1.0507009873554805, 0, 1.0507009873554805, 1.0507009873554805}},
    {"celu",
     [](auto& x) { return celu(x, 2); },
     {0, -0.7869386805747332, inf, -2, NaN, 2},
     {1, 0.6065306597126334, 1, 0, 1, 1}},
    {"softsign", [](auto& x) { return softsign(x); }, {0, -0.5, NaN, NaN, NaN, 2.0 / 3}, {1, 0.25, 0, 0, NaN, 1.0 / 9}},
    {"tanhshrink",
     [](auto& x) { return tanhshrink(x); },
     {0, -0.23840584404423515, inf, -inf, NaN, 1.035972419924183},
     {0, 0.5800256583859739, 1, 1, NaN, 0.9293491751468356}},
    {"hardtanh", [](auto& x) { return hardtanh(x); }, {0, -1, 1, -1, NaN, 1}, {1, 0, 0, 0, 0, 0}},
    {"hardtanh with bounds at points",
     [](auto& x) { return hardtanh(x, 0, 2); },
     {0, 0, 2, 0, NaN, 2},
     {0, 0, 0, 0, 0, 0}},
    {"relu6", [](auto& x) { return relu6(x); }, {0, 0, 6, 0, NaN, 2}, {0, 0, 0, 0, 0, 1}},
    {"hardsigmoid",
     [](auto& x) { return hardsigmoid(x); },
     {0.5, 1.0 / 3, 1, 0, NaN, 5.0 / 6},
     {1.0 / 6, 1.0 / 6, 0, 0, 0, 1.0 / 6}},
    {"hardswish",
     [](auto& x) { return hardswish(x); },
     {0, -1.0 / 3, inf, NaN, NaN, 5.0 / 3},
     {0.5, 1.0 / 6, 1, 0, NaN, 7.0 / 6}},
    {"hardshrink", [](auto& x) { return hardshrink(x); }, {0, -1, inf, -inf, NaN, 2}, {0, 1, 1, 1, 0, 1}},
    {"hardshrink at a bound", [](auto& x) { return hardshrink(x, 2); }, {0, 0, inf, -inf, NaN, 0}, {0, 0, 1, 1, 0, 0}},
    {"softshrink", [](auto& x) { return softshrink(x); }, {0, -0.5, inf, -inf, NaN, 1.5}, {0, 1, 1, 1, 0, 1}},
    {"softshrink at a bound", [](auto& x) { return softshrink(x, 1); }, {0, 0, inf, -inf, NaN, 1}, {0, 0, 1, 1, 0, 1}},
    {"threshold", [](auto& x) { return threshold(x, 0.5, 7); }, {7, 7, inf, 7, NaN, 2}, {0, 0, 1, 0, 1, 1}},
    {"threshold at a point", [](auto& x) { return threshold(x, 2, 7); }, {7, 7, inf, 7, NaN, 7}, {0, 0, 1, 0, 1, 0}},
    {"rrelu",
     [](auto& x) { return rrelu(x); },
     {0, -0.22916666666666666, inf, -inf, NaN, 2},
     {0.22916666666666666, 0.22916666666666666, 1, 0.22916666666666666, 0.22916666666666666, 1}},
    {"prelu",
     [](auto& x) { return prelu(x, full({1}, 0.25, {.dtype = float64})); },
     {0, -0.25, inf, -inf, NaN, 2},
     {0.25, 0.25, 1, 0.25, 0.25, 1}},
};

// A function with its first and second derivative, and the sizes of the terms these are sums of.
struct Known {
  long double value, first, second, first_scale, second_scale;
};

Known known_gelu(long double v) {
  const long double below = std::erfc(-v / std::sqrt(2.0L)) / 2,
                    density = std::exp(-v * v / 2) / std::sqrt(2 * 3.14159265358979323846L);
  return {v * below, below + v * density, (2 - v * v) * density, below + std::fabs(v) * density, (2 + v * v) * density};
}
Known known_gelu_tanh(long double v) {
  const long double scale = 2 * std::sqrt(2 / 3.14159265358979323846L), cubic = 0.044715;
  const long double u = scale * (v + cubic * v * v * v), slope = scale * (1 + 3 * cubic * v * v),
                    bend = scale * 6 * cubic * v;
  const long double s = 1 / (1 + std::exp(-u)), rest = 1 / (1 + std::exp(u)), product = s * rest;
  return {v * s, s + v * product * slope, product * (2 * slope + v * ((rest - s) * slope * slope + bend)),
          s + std::fabs(v) * product * slope, product * (2 * slope + std::fabs(v) * (slope * slope + std::fabs(bend)))};
}
Known known_silu(long double v) {
  const long double s = 1 / (1 + std::exp(-v)), rest = 1 / (1 + std::exp(v));
  return {v * s, s * (1 + v * rest), s * rest * (2 + v * (rest - s)), s * (1 + std::fabs(v) * rest),
          s * rest * (2 + std::fabs(v))};
}
Known known_softplus(long double v) {
  const long double s = 1 / (1 + std::exp(-v)), rest = 1 / (1 + std::exp(v));
  return {std::max(v, 0.0L) + std::log1p(std::exp(-std::fabs(v))), s, s * rest, s, s * rest};
}
Known known_elu(long double v) {
  const long double e = std::exp(v);
  return v > 0 ? Known{v, 1, 0, 1, 1} : Known{std::expm1(v), e, e, e, e};
}

Known known_logsigmoid(long double v) {
  const Known plus = known_softplus(-v);
  return {-plus.value, plus.first, -plus.second, plus.first, plus.second};
}
Known known_mish(long double v) {
  const long double s = 1 / (1 + std::exp(-v)), r = 1 / (1 + std::exp(v)), whole = 1 + r * r;
  const long double t = s * (1 + r) / whole, slope = 4 * r * r * s / (whole * whole);
  // slope' = slope (2 r' / r + s' / s - 4 r r' / whole), with s' = s r = -r'
  const long double bend = slope * (-2 * s + r + 4 * r * r * s / whole);
  return {v * t, t + v * slope, 2 * slope + v * bend, t + std::fabs(v) * slope,
          2 * slope + std::fabs(v) * slope * (2 * s + r + 4 * r * r * s / whole)};
}
Known known_softsign(long double v) {
  const long double share = 1 / (1 + std::fabs(v)), second = -2 * (v > 0 ? 1 : v < 0 ? -1 : 0) * share * share * share;
  return {v * share, share * share, second, share * share, std::fabs(second)};
}
Known known_tanhshrink(long double v) {
  long double value = v - std::tanh(v);
  if (std::fabs(v) < 0.5L) {  // as (v cosh v - sinh v) / cosh v, by the power series of the numerator
    long double term = v * v * v / 6, sum = 0;
    for (int k = 1; k < 20; ++k) {
      sum += term * 2 * k;
      term *= v * v / ((2 * k + 2) * (2 * k + 3));
    }
    value = sum / std::cosh(v);
  }
  const long double t = std::tanh(v), rest = 1 / (std::cosh(v) * std::cosh(v));
  return {value, t * t, 2 * t * rest, t * t, std::fabs(2 * t * rest)};
}

template <class T>
void check_tails(const char* name, Tensor (*f)(const Tensor&), Known (*known)(long double), T from, T to,
                 long double (*growth)(long double)) {
  for (int i = 0; i <= 400; ++i) {
    const T at = from + (to - from) * static_cast<T>(i) / 400;
    const Known want = known(at);
    const Tensor x = full({1}, at, {.dtype = dtype_of<T>(), .requires_grad = true}), y = f(x);
    const Tensor first = grad(y, {x}, {.retain_graph = true})[0], recorded = grad(y, {x}, {.create_graph = true})[0];
    const Tensor second = grad(recorded, {x})[0];
    CAPTURE(name, sizeof(T), at, y.item(), want.value, first.item(), want.first, second.item(), want.second);
    const double bound = static_cast<double>(growth(at));
    CHECK(units(y.item<T>(), want.value) <= bound);
    CHECK(units(first.item<T>(), want.first, want.first_scale) <= bound);
    CHECK(units(recorded.item<T>(), want.first, want.first_scale) <= bound);
    CHECK(units(second.item<T>(), want.second, want.second_scale) <= bound);
  }
}

template <class T>
void check_all_tails() {
  const auto gelu_tanh = [](const Tensor& x) { return gelu(x, "tanh"); };
  const auto unbounded = [](const Tensor& x) { return softplus(x, 1, inf); };
  const auto even = [](long double) { return 8.0L; };
  // The exponent of e^-(x^2 / 2), and so on, is rounded.
  const auto square = [](long double x) { return 8 + x * x; };
  const auto cubic = [](long double x) { return 8 + std::fabs(x) + std::fabs(x * x * x) / 4; };
  const T end = sizeof(T) == 4 ? 80 : 700, square_end = sizeof(T) == 4 ? 12 : 35, cubic_end = sizeof(T) == 4 ? 8 : 18;
  check_tails<T>(
      "silu", [](const Tensor& x) { return silu(x); }, known_silu, -end, end, even);
  check_tails<T>("softplus", unbounded, known_softplus, -end, end, even);
  check_tails<T>(
      "elu", [](const Tensor& x) { return elu(x); }, known_elu, -end, end, even);
  check_tails<T>(
      "gelu", [](const Tensor& x) { return gelu(x); }, known_gelu, -square_end, square_end, square);
  check_tails<T>(
      "logsigmoid", [](const Tensor& x) { return logsigmoid(x); }, known_logsigmoid, -end, end, even);
  check_tails<T>(
      "mish", [](const Tensor& x) { return nn::mish(x); }, known_mish, -end / 2, end / 2, even);
  check_tails<T>(
      "softsign", [](const Tensor& x) { return softsign(x); }, known_softsign, -end, end, even);
  check_tails<T>(
      "tanhshrink", [](const Tensor& x) { return tanhshrink(x); }, known_tanhshrink, T(-4), T(4),
      [](long double) { return 16.0L; });
  check_tails<T>(
      "tanhshrink", [](const Tensor& x) { return tanhshrink(x); }, known_tanhshrink, T(-1e-3), T(1e-3), even);
  check_tails<T>("gelu tanh", gelu_tanh, known_gelu_tanh, -cubic_end, cubic_end, cubic);
}

}  // namespace

TEST_CASE("activations: values, first and second derivatives are right in both tails") {
  check_all_tails<float>();
  check_all_tails<double>();
}

TEST_CASE("activations: values and gradients at 0, infinity and NaN are PyTorch's") {
  for (const Expected& op : table) {
    INFO(op.name);
    for (const bool recorded : {false, true}) {
      const Tensor x = doubles_of(points);
      const Tensor y = op.f(x);
      const Doubles value = values<double>(y);
      const GradOptions options = {.create_graph = recorded, .grad_outputs = {ones({6}, {.dtype = float64})}};
      const Doubles gradient = values<double>(grad(y, {x}, options)[0]);
      CAPTURE(recorded, value, gradient);
      CHECK(alike(value, op.value));
      CHECK(alike(gradient, op.gradient));
    }
  }
}

TEST_CASE("activations: second derivatives are finite far from 0") {
  const auto second = [](Tensor (*f)(const Tensor&), double at) {
    const Tensor x = doubles({at});
    const Tensor first = grad(f(x), {x}, {.create_graph = true})[0];
    return grad(first, {x}, {.allow_unused = true})[0];
  };
  for (const double at : {-1000.0, 1000.0}) {
    CAPTURE(at);
    for (Tensor (*f)(const Tensor&) :
         {+[](const Tensor& x) { return elu(x); }, +[](const Tensor& x) { return gelu(x); },
          +[](const Tensor& x) { return gelu(x, "tanh"); }, +[](const Tensor& x) { return silu(x); },
          +[](const Tensor& x) { return softplus(x); }}) {
      const Tensor d = second(f, at);
      REQUIRE(d.defined());
      CHECK(d.item() == Approx(0).margin(1e-12));
    }
  }
}

TEST_CASE("softplus: linear above the threshold") {
  CHECK(softplus(doubles({21})).item() == 21);
  CHECK(softplus(doubles({2}), 2, 3).item() == 2);
  CHECK(softplus(doubles({-800})).item() == Approx(0).margin(1e-300));
  CHECK_THROWS_WITH(softplus(ones({1}), 0), Catch::Contains("softplus: beta is 0"));
}

TEST_CASE("hardswish and hardsigmoid: derivatives at -3 and 3 are PyTorch's") {
  const Tensor x = doubles({-3, 3});
  CHECK(values<double>(grad(hardswish(x), {x}, {.grad_outputs = {ones_like(x)}})[0]) == Doubles{0, 1});
  CHECK(values<double>(grad(hardsigmoid(x), {x}, {.grad_outputs = {ones_like(x)}})[0]) == Doubles{0, 0});
}

TEST_CASE("rrelu: in training each element has a slope within the bounds, the same forward and backward") {
  manual_seed(3);
  const Tensor x = full({1000}, -1, {.requires_grad = true}), y = rrelu(x, 0.25, 0.5, true);
  y.backward(ones({1000}));
  const Floats slopes = values<float>(x.grad());
  CHECK(values<float>(-y) == slopes);
  for (const float slope : slopes) CHECK((slope >= 0.25f && slope < 0.5f));
  CHECK(std::abs(mean(y).item() + 0.375) < 0.01);
  CHECK(slopes[0] != slopes[1]);
  manual_seed(3);
  CHECK(values<float>(rrelu(x, 0.25, 0.5, true)) == values<float>(y));
  CHECK(values<float>(rrelu(ones({3}), 0.25, 0.5, true)) == Floats{1, 1, 1});
}

TEST_CASE("gelu: an unknown approximation is an error") {
  CHECK_THROWS_WITH(gelu(ones({1}), "erf"),
                    Catch::StartsWith("gelu: approximate is \"erf\", expected \"none\" or \"tanh\""));
}

TEST_CASE("relu: saves its output alone") {
  Tensor x = tensor({-1.0, 2.0}, {.requires_grad = true});
  const Tensor y = relu(x);
  x.impl().storage->raise_version();
  CHECK_NOTHROW(sum_to(y, {}).backward());
  CHECK(values<float>(x.grad()) == Floats{0, 1});
}
