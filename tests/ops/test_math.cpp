#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include <functional>
#include <numbers>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

// 0, -1, infinities, NaN and an ordinary number.
const Doubles points = {0, -1, inf, -inf, NaN, 2};

struct Expected {
  const char* name;
  Tensor (*f)(const Tensor&);
  Doubles value, gradient, gradient_of_zero;  // for an upstream gradient of 1 and of 0, as PyTorch 1.13 gives them
};

const Expected table[] = {
    {"exp",
     [](auto& x) { return exp(x); },
     {1, std::exp(-1), inf, 0, NaN, std::exp(2)},
     {1, std::exp(-1), inf, 0, NaN, std::exp(2)},
     {0, 0, NaN, 0, NaN, 0}},
    {"expm1",
     [](auto& x) { return expm1(x); },
     {0, std::expm1(-1), inf, -1, NaN, std::expm1(2)},
     {1, std::exp(-1), inf, 0, NaN, std::exp(2)},
     {0, 0, NaN, 0, NaN, 0}},
    {"log",
     [](auto& x) { return log(x); },
     {-inf, NaN, inf, NaN, NaN, std::log(2)},
     {inf, -1, 0, 0, NaN, 0.5},
     {NaN, 0, 0, 0, NaN, 0}},
    {"log1p",
     [](auto& x) { return log1p(x); },
     {0, -inf, inf, NaN, NaN, std::log(3)},
     {1, inf, 0, 0, NaN, 1.0 / 3},
     {0, NaN, 0, 0, NaN, 0}},
    {"sqrt",
     [](auto& x) { return sqrt(x); },
     {0, NaN, inf, NaN, NaN, std::sqrt(2)},
     {inf, NaN, 0, NaN, NaN, 0.5 / std::sqrt(2)},
     {NaN, NaN, 0, NaN, NaN, 0}},
    {"rsqrt",
     [](auto& x) { return rsqrt(x); },
     {inf, NaN, 0, NaN, NaN, 1 / std::sqrt(2)},
     {-inf, NaN, 0, NaN, NaN, -0.25 / std::sqrt(2)},
     {NaN, NaN, 0, NaN, NaN, 0}},
    {"sin",
     [](auto& x) { return sin(x); },
     {0, std::sin(-1), NaN, NaN, NaN, std::sin(2)},
     {1, std::cos(-1), NaN, NaN, NaN, std::cos(2)},
     {0, 0, NaN, NaN, NaN, 0}},
    {"cos",
     [](auto& x) { return cos(x); },
     {1, std::cos(-1), NaN, NaN, NaN, std::cos(2)},
     {0, -std::sin(-1), NaN, NaN, NaN, -std::sin(2)},
     {0, 0, NaN, NaN, NaN, 0}},
    {"tan",
     [](auto& x) { return tan(x); },
     {0, std::tan(-1), NaN, NaN, NaN, std::tan(2)},
     {1, 3.42551882081476, NaN, NaN, NaN, 5.774399204041917},
     {0, 0, NaN, NaN, NaN, 0}},
    {"asin",
     [](auto& x) { return asin(x); },
     {0, -std::numbers::pi / 2, NaN, NaN, NaN, NaN},
     {1, inf, NaN, NaN, NaN, NaN},
     {0, NaN, NaN, NaN, NaN, NaN}},
    {"acos",
     [](auto& x) { return acos(x); },
     {std::numbers::pi / 2, std::numbers::pi, NaN, NaN, NaN, NaN},
     {-1, -inf, NaN, NaN, NaN, NaN},
     {0, NaN, NaN, NaN, NaN, NaN}},
    {"atan",
     [](auto& x) { return atan(x); },
     {0, std::atan(-1), std::numbers::pi / 2, -std::numbers::pi / 2, NaN, std::atan(2)},
     {1, 0.5, 0, 0, NaN, 0.2},
     {0, 0, 0, 0, NaN, 0}},
    {"sinh",
     [](auto& x) { return sinh(x); },
     {0, std::sinh(-1), inf, -inf, NaN, std::sinh(2)},
     {1, std::cosh(1), inf, inf, NaN, std::cosh(2)},
     {0, 0, NaN, NaN, NaN, 0}},
    {"cosh",
     [](auto& x) { return cosh(x); },
     {1, std::cosh(1), inf, inf, NaN, std::cosh(2)},
     {0, std::sinh(-1), inf, -inf, NaN, std::sinh(2)},
     {0, 0, NaN, NaN, NaN, 0}},
    {"erfc",
     [](auto& x) { return erfc(x); },
     {1, std::erfc(-1), 0, 2, NaN, std::erfc(2)},
     {-1.1283791670955126, -0.4151074974205947, 0, 0, NaN, -0.020666985354092053},
     {0, 0, 0, 0, NaN, 0}},
    {"floor",
     [](auto& x) { return floor(x + 0.5); },
     {0, -1, inf, -inf, NaN, 2},
     {0, 0, 0, 0, 0, 0},
     {0, 0, 0, 0, 0, 0}},
    {"tanh",
     [](auto& x) { return tanh(x); },
     {0, std::tanh(-1), 1, -1, NaN, std::tanh(2)},
     {1, 0.41997434161402614, 0, 0, NaN, 0.07065082485316443},
     {0, 0, 0, 0, NaN, 0}},
    {"sigmoid",
     [](auto& x) { return sigmoid(x); },
     {0.5, 0.2689414213699951, 1, 0, NaN, 0.8807970779778823},
     {0.25, 0.19661193324148185, 0, 0, NaN, 0.10499358540350662},
     {0, 0, 0, 0, NaN, 0}},
    {"erf",
     [](auto& x) { return erf(x); },
     {0, std::erf(-1), 1, -1, NaN, std::erf(2)},
     {1.1283791670955126, 0.4151074974205947, 0, 0, NaN, 0.020666985354092053},
     {0, 0, 0, 0, NaN, 0}},
    {"square",
     [](auto& x) { return square(x); },
     {0, 1, inf, inf, NaN, 4},
     {0, -2, inf, -inf, NaN, 4},
     {0, 0, NaN, NaN, NaN, 0}},
    {"abs", [](auto& x) { return abs(x); }, {0, 1, inf, inf, NaN, 2}, {0, -1, 1, -1, 0, 1}, {0, 0, 0, 0, 0, 0}},
    {"sign", [](auto& x) { return sign(x); }, {0, -1, 1, -1, 0, 1}, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}},
    {"reciprocal",
     [](auto& x) { return reciprocal(x); },
     {inf, -1, 0, 0, NaN, 0.5},
     {-inf, -1, 0, 0, NaN, -0.25},
     {NaN, 0, 0, 0, NaN, 0}},
    {"pow 0", [](auto& x) { return pow(x, 0); }, {1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}},
    {"pow 1", [](auto& x) { return pow(x, 1); }, points, {1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0}},
    {"pow 2",
     [](auto& x) { return pow(x, 2); },
     {0, 1, inf, inf, NaN, 4},
     {0, -2, inf, -inf, NaN, 4},
     {0, 0, NaN, NaN, NaN, 0}},
    {"pow 3",
     [](auto& x) { return pow(x, 3); },
     {0, -1, inf, -inf, NaN, 8},
     {0, 3, inf, inf, NaN, 12},
     {0, 0, NaN, NaN, NaN, 0}},
    {"pow -1",
     [](auto& x) { return pow(x, -1); },
     {inf, -1, 0, 0, NaN, 0.5},
     {-inf, -1, 0, 0, NaN, -0.25},
     {NaN, 0, 0, 0, NaN, 0}},
    {"pow -2",
     [](auto& x) { return pow(x, -2); },
     {inf, 1, 0, 0, NaN, 0.25},
     {-inf, 2, 0, 0, NaN, -0.25},
     {NaN, 0, 0, 0, NaN, 0}},
    {"pow 0.5",
     [](auto& x) { return pow(x, 0.5); },
     {0, NaN, inf, NaN, NaN, std::sqrt(2)},
     {inf, NaN, 0, NaN, NaN, 0.5 / std::sqrt(2)},
     {NaN, NaN, 0, NaN, NaN, 0}},
    {"pow -0.5",
     [](auto& x) { return pow(x, -0.5); },
     {inf, NaN, 0, NaN, NaN, 1 / std::sqrt(2)},
     {-inf, NaN, 0, 0, NaN, -0.25 / std::sqrt(2)},
     {NaN, NaN, 0, 0, NaN, 0}},
    {"pow 1.5",
     [](auto& x) { return pow(x, 1.5); },
     {0, NaN, inf, inf, NaN, std::pow(2, 1.5)},
     {0, NaN, inf, NaN, NaN, 1.5 * std::sqrt(2)},
     {0, NaN, NaN, NaN, NaN, 0}},
    {"0 pow",
     [](auto& x) { return pow(0.0, x); },
     {1, inf, 0, inf, NaN, 0},
     {0, -inf, 0, -inf, NaN, 0},
     {0, NaN, 0, NaN, NaN, 0}},
    {"1 pow", [](auto& x) { return pow(1.0, x); }, {1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}},
    {"2 pow",
     [](auto& x) { return pow(2.0, x); },
     {1, 0.5, inf, 0, NaN, 4},
     {std::log(2), 0.5 * std::log(2), inf, 0, NaN, 4 * std::log(2)},
     {0, 0, NaN, 0, NaN, 0}},
};

Doubles gradient(const Expected& op, double upstream, bool recorded) {
  const Tensor x = doubles_of(points);
  const Tensor seed = full({6}, upstream, {.dtype = float64});
  return values<double>(grad(op.f(x), {x}, {.create_graph = recorded, .grad_outputs = {seed}})[0]);
}

}  // namespace

TEST_CASE("elementary functions: values and gradients at 0, infinity and NaN are PyTorch's") {
  for (const Expected& op : table) {
    INFO(op.name);
    const Doubles value = values<double>(op.f(doubles_of(points)));
    CAPTURE(value);
    CHECK(alike(value, op.value));
    for (const bool recorded : {false, true}) {
      const Doubles of_one = gradient(op, 1, recorded), of_zero = gradient(op, 0, recorded);
      CAPTURE(recorded, of_one, of_zero);
      CHECK(alike(of_one, op.gradient));
      CHECK(alike(of_zero, op.gradient_of_zero));
    }
  }
}

TEST_CASE("elementary functions: float32 has the same values, within its precision") {
  for (const Expected& op : table) {
    INFO(op.name);
    const Floats value = values<float>(op.f(tensor({0.0, -1.0, inf, -inf, NaN, 2.0})));
    CAPTURE(value);
    for (std::size_t i = 0; i < value.size(); ++i) {
      CAPTURE(i);
      if (std::isnan(op.value[i]))
        CHECK(std::isnan(value[i]));
      else
        CHECK((value[i] == op.value[i] || std::abs(value[i] / op.value[i] - 1) < 4e-7));
    }
  }
}

TEST_CASE("pow: a base or a power of 0 has the gradient of PyTorch") {
  const Tensor a = doubles({0, 0, 0, -1, -1, 2, inf, NaN, 1, 0});
  const Tensor b = doubles({0, 1, -1, 2, .5, 0, 0, 0, NaN, 2});
  const Tensor y = pow(a, b);
  CHECK(alike(values<double>(y), {1, 0, inf, 1, NaN, 1, 1, 1, 1, 0}));
  for (const bool recorded : {false, true}) {
    const auto g = grad(
        y, {a, b}, {.retain_graph = true, .create_graph = recorded, .grad_outputs = {ones({10}, {.dtype = float64})}});
    CAPTURE(values<double>(g[0]), values<double>(g[1]));
    CHECK(alike(values<double>(g[0]), {0, 1, -inf, -2, NaN, 0, 0, 0, NaN, 0}));
    CHECK(alike(values<double>(g[1]), {0, 0, -inf, NaN, NaN, std::log(2), inf, NaN, 0, 0}));
  }
}

TEST_CASE("pow: second derivatives at special points are symmetric, and PyTorch's where that has them") {
  const auto f = [](const Tensor& v) { return pow(select(v, 0, 0), select(v, 0, 1)); };
  const double log2 = std::log(2);
  const struct {
    Doubles at, expected;
  } cases[] = {
      {{2, 0}, {0, 0.5, 0.5, log2 * log2}},
      {{2, 1}, {0, 1 + log2, 1 + log2, 2 * log2 * log2}},
      {{0, 0}, {0, 0, 0, 0}},
      {{0, 1}, {0, 1, 1, 0}},
      {{0, 2}, {2, 0, 0, 0}},
      {{0, 3}, {0, 0, 0, 0}},
      {{-0.0, 3}, {0, 0, 0, 0}},
  };
  for (const auto& each : cases) {
    CAPTURE(each.at);
    CHECK(alike(values<double>(hessian(f, doubles_of(each.at).detach())), each.expected));
  }
  const auto of_two = [](const Tensor& a, const Tensor& b) { return pow(a, b); };
  CHECK(gradgradcheck(of_two, {doubles({2, 0.5}), doubles({0, 1})}));
}

TEST_CASE("pow: the gradient of 0^b is linear in the upstream gradient") {
  const auto zero_to = [](const Tensor& b) { return pow(zeros({}, {.dtype = float64}), b); };
  for (const auto& f : {std::function<Tensor(const Tensor&)>(zero_to),
                        std::function<Tensor(const Tensor&)>([](const Tensor& b) { return pow(0, b); })})
    for (const double exponent : {0.0, 0.5, 1.0, 2.0}) {
      const Tensor b = full({}, exponent, {.dtype = float64, .requires_grad = true});
      const Tensor seed = ones({}, {.dtype = float64, .requires_grad = true});
      const Tensor gradient = grad(f(b), {b}, {.create_graph = true, .grad_outputs = {seed}})[0];
      const auto second = grad(gradient, {seed, b}, {.allow_unused = true});
      CAPTURE(exponent);
      CHECK(gradient.item() == 0);
      CHECK(second[0].item() == 0);
      if (second[1].defined()) CHECK(second[1].item() == 0);
    }
}

TEST_CASE("atan2: gradients at the origin, of tiny, huge and infinite points, and beside a lambda") {
  const auto lambda = elementwise("angle", [](auto y, auto x) { return atan2(y, x); });
  const struct {
    double y, x, by_y, by_x;
  } cases[] = {
      {0, 0, 0, 0},
      {0, -0.0, 0, 0},
      {1e-200, 1e-200, 5e199, -5e199},
      {1e200, 1e200, 5e-201, -5e-201},
      {3e-160, -4e-160, -1.6e159, -1.2e159},
      {1, 1e-320, 1e-320, -1},
      {0, 1, 1, 0},
      {2, 0, 0, -0.5},
      {0, 1e-300, 1e300, 0},
      {1, inf, 0, 0},   // PyTorch NaN
      {-inf, 1, 0, 0},  // PyTorch NaN
      {inf, inf, NaN, NaN},
      {NaN, 1, NaN, NaN},
  };
  const auto same = [](double got, double want) {
    return std::isnan(want) ? std::isnan(got) : std::abs(got - want) <= 4e-16 * std::abs(want);
  };
  for (const auto& each : cases) {
    CAPTURE(each.y, each.x);
    const Tensor y = doubles({each.y}), x = doubles({each.x}), one = ones({1}, {.dtype = float64});
    for (const Tensor& angle : {atan2(y, x), lambda(y, x)})
      for (const bool recorded : {false, true}) {
        const auto g = grad(angle, {y, x}, {.retain_graph = true, .create_graph = recorded, .grad_outputs = {one}});
        CAPTURE(recorded, g[0].item(), g[1].item());
        CHECK(same(g[0].item(), each.by_y));
        CHECK(same(g[1].item(), each.by_x));
      }
    const Tensor tangent = jvp([&](const Tensor& v) { return atan2(v, x.detach()); }, y.detach(), one).second;
    CHECK(same(tangent.item(), each.by_y));
  }
  const Tensor tiny = tensor({1e-25}, {.requires_grad = true});
  atan2(tiny, full({1}, 1e-25)).backward();
  CHECK(tiny.grad().item<float>() == Approx(5e24));
  const auto f = [](const Tensor& v) { return atan2(select(v, 0, 0), select(v, 0, 1)); };
  CHECK(alike(values<double>(hessian(f, tensor({0, 0}, {.dtype = float64}))), {0, 0, 0, 0}));
  const Doubles huge = values<double>(hessian(f, tensor({3e150, 4e150}, {.dtype = float64})));
  for (const std::size_t i : {0, 1, 2, 3})
    CHECK(huge[i] == Approx(Doubles{-24. / 625, -7. / 625, -7. / 625, 24. / 625}[i] * 1e-300).epsilon(1e-12));
}

TEST_CASE("asin and acos: second derivatives at the branch points are PyTorch's") {
  const auto second = [](Tensor (*f)(Operand), double at) {
    const Tensor x = full({}, at, {.dtype = float64, .requires_grad = true});
    return grad(grad(f(x), {x}, {.create_graph = true})[0], {x})[0].item();
  };
  CHECK(second(asin, 1) == inf);
  CHECK(second(asin, -1) == -inf);
  CHECK(second(acos, 1) == -inf);
  CHECK(second(acos, 0) == 0);
  CHECK(second(asin, 0.6) == Approx(0.6 / 0.512));
}

TEST_CASE("pow: integers stay integers") {
  const Tensor i = integers({-2, -1, 0, 1, 3});
  CHECK(values<std::int64_t>(pow(i, 2)) == Integers{4, 1, 0, 1, 9});
  CHECK(values<std::int64_t>(pow(2, abs(i))) == Integers{4, 2, 1, 2, 8});
  CHECK(values<std::int64_t>(pow(i, integers({-1, -3, -1, -5, 2}))) == Integers{0, -1, 0, 1, 9});
  CHECK(values<std::int64_t>(pow(integers({3, 10}), integers({40, 20}))) ==
        Integers{-6289078614652622815, 7766279631452241920});  // modulo 2^64
  CHECK(pow(i, 0.5).dtype() == float32);
  CHECK(pow(2.5, i).dtype() == float32);
  CHECK_THROWS_WITH(pow(i, -1), Catch::Contains("pow: integers to the power -1"));
}

TEST_CASE("elementary functions: integers are converted to float32") {
  CHECK(values<float>(sqrt(integers({4, 9}))) == Floats{2, 3});
  CHECK(values<float>(exp(bools({0, 1})))[0] == 1);
  CHECK(reciprocal(integers({1})).dtype() == float32);
  CHECK(values<std::int64_t>(square(integers({-3}))) == Integers{9});
  CHECK(values<std::int64_t>(abs(integers({-3, 3}))) == Integers{3, 3});
  CHECK(values<std::int64_t>(abs(integers({std::numeric_limits<std::int64_t>::min()})))[0] < 0);  // wraps around
  CHECK(values<std::int64_t>(sign(integers({-3, 0, 3}))) == Integers{-1, 0, 1});
}

TEST_CASE("maximum and minimum: a tie shares the gradient, NaN wins") {
  for (const bool recorded : {false, true}) {
    const Tensor a = doubles({1, 2, NaN, 1, 0}), b = doubles({1, 1, 1, NaN, -0.0});
    const Tensor seed = ones({5}, {.dtype = float64});
    const Tensor most = maximum(a, b), least = minimum(a, b);
    CHECK(alike(values<double>(most), {1, 2, NaN, NaN, 0}));
    CHECK(alike(values<double>(least), {1, 1, NaN, NaN, 0}));
    const auto upper = grad(most, {a, b}, {.create_graph = recorded, .grad_outputs = {seed}});
    CHECK(values<double>(upper[0]) == Doubles{0.5, 1, 1, 1, 0.5});
    CHECK(values<double>(upper[1]) == Doubles{0.5, 0, 1, 1, 0.5});
    const auto lower = grad(least, {a, b}, {.create_graph = recorded, .grad_outputs = {seed}});
    CHECK(values<double>(lower[0]) == Doubles{0.5, 0, 1, 1, 0.5});
    CHECK(values<double>(lower[1]) == Doubles{0.5, 1, 1, 1, 0.5});
  }
  CHECK(values<std::int64_t>(maximum(integers({1, -5}), integers({0, -2}))) == Integers{1, -2});
  CHECK(values<bool>(minimum(bools({0, 1}), bools({1, 1}))) == Bools{false, true});
}

TEST_CASE("a function saves one tensor: its input or its output") {
  Tensor x = doubles({1, 2});
  Tensor y = exp(x);
  {
    const NoGrad no_grad;
    x.impl().storage->raise_version();
  }
  CHECK_NOTHROW(sum_to(y, {}).backward());
  Tensor z = sin(x);
  x.impl().storage->raise_version();
  CHECK_THROWS_WITH(sum_to(z, {}).backward(), Catch::Contains("sin"));
}

TEST_CASE("sine, cosine and tangent of wide angles") {
  const Doubles wide = {1e10, -3e15, 0.5, 1e300, 2147483649.0, 2};
  for (const bool recorded : {false, true}) {
    const Tensor x = doubles_of(wide), seed = full({6}, 2, {.dtype = float64});
    const auto gradient = [&](const Tensor& y) {
      return values<double>(grad(y, {x}, {.create_graph = recorded, .grad_outputs = {seed}})[0]);
    };
    Doubles sines, cosines, tangents, minus_sines, slopes;
    for (const double angle : wide) {
      const double s = std::sin(angle), c = std::cos(angle);
      sines.push_back(s), cosines.push_back(c), tangents.push_back(std::tan(angle));
      minus_sines.push_back(-2 * s), slopes.push_back(2 * (1 + std::tan(angle) * std::tan(angle)));
    }
    CHECK(alike(values<double>(sin(x)), sines));
    CHECK(alike(values<double>(cos(x)), cosines));
    CHECK(alike(values<double>(tan(x)), tangents));
    for (double& c : cosines) c *= 2;
    CHECK(alike(gradient(sin(x)), cosines));
    CHECK(alike(gradient(cos(x)), minus_sines));
    CHECK(alike(gradient(tan(x)), slopes));
  }
  const Tensor spread = transpose(full({300, 200}, 1e10), 0, 1);
  CHECK(values<float>(sin(spread)) == Floats(60000, std::sin(1e10f)));
}

TEST_CASE("gamma functions at poles, reflected and far out") {
  const Tensor x = doubles_of({0, -1, inf, NaN, -0.5, -100.25, 1e6});
  // PyTorch's, except that polygamma of negative numbers is right.
  CHECK(alike(values<double>(lgamma(x)),
              {inf, inf, inf, NaN, 1.2655121234846454, std::lgamma(-100.25), std::lgamma(1e6)}));
  CHECK(alike(values<double>(digamma(x)),
              {-inf, NaN, inf, NaN, 0.03648997397857652, 7.754238959208646, 13.815510057964191}));
  CHECK(alike(values<double>(polygamma(1, x)),
              {inf, inf, 0, NaN, 8.934802200544679, 19.729283325349364, 1.0000005000001667e-6}));
  CHECK(alike(values<double>(polygamma(2, x)),
              {-inf, -inf, 0, NaN, -0.82879664423432, 124.0250082069177, -1.000001000000500e-12}));
  CHECK(alike(values<double>(polygamma(5, doubles({0.75, -2.3}))), {678.7533428745797, 165660.05361165214}));
  CHECK(alike(values<double>(polygamma(20, doubles({2.5}))), {-10709198259.124132}));
}
