// Derivatives of functions: what they give, of any order, what is recorded, and what is an error.
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <thread>

#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions f64{.dtype = float64};
constexpr TensorOptions leaf64{.dtype = float64, .requires_grad = true};

bool close(const Tensor& a, const Tensor& b, double tolerance = 1e-12) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && allclose(a, b, {.rtol = tolerance, .atol = tolerance});
}

const auto cubes = [](const Tensor& x) { return sum(x * x * x); };

}  // namespace

TEST_CASE("derivatives: grad and value_and_grad of functions of one tensor and of several") {
  const Tensor x = tensor({1, -2, 3}, f64), y = tensor({{2}, {5}}, f64);
  CHECK(close(grad(cubes, x), 3.0 * x * x));
  const auto [value, gradient] = value_and_grad(cubes, x);
  CHECK(value.item() == 1 - 8 + 27);
  CHECK(close(gradient, 3.0 * x * x));

  const auto product = [](const Tensor& a, const Tensor& b) { return sum(a * b * b); };
  const auto gradients = grad(product, {x, y});
  REQUIRE(gradients.size() == 2);
  CHECK(close(gradients[0], full({3}, 4 + 25, f64)));
  CHECK(close(gradients[1], 2.0 * y * sum(x)));
  const auto [total, both] =
      value_and_grad([](const std::vector<Tensor>& t) { return sum(t[0] * t[1] * t[1]); }, {x, y});
  CHECK(total.item() == 2 * 29);
  CHECK(close(both[1], gradients[1]));
  // The gradient of a sum is a tensor of its own, dense.
  CHECK(grad([](const Tensor& t) { return sum(t); }, x).is_contiguous());
  // grad of tensors is as it was
  const Tensor leaf = x.clone().requires_grad_();
  CHECK(close(grad(cubes(leaf), {leaf})[0], 3.0 * x * x));
  CHECK_FALSE(leaf.grad().defined());
}

TEST_CASE("derivatives: jvp and vjp in the shapes in which the function gives its outputs") {
  const Tensor x = tensor({1, -2, 3}, f64), v = tensor({0.5, 2, -1}, f64);
  const auto [y, change] = jvp([](const Tensor& t) { return exp(t); }, x, v);
  CHECK(close(change, y * v));
  const auto [z, pullback] = vjp([](const Tensor& t) { return exp(t); }, x);
  CHECK(close(pullback(v), z * v));
  CHECK(close(pullback(2.0 * v), 2.0 * z * v));  // any number of times
  Tensor first = pullback(v);
  first.fill_(0);
  CHECK(close(pullback(v), z * v));

  const auto two = [](const Tensor& a, const Tensor& b) { return std::array{a * b, sum(a)}; };
  const auto [values, tangents] = jvp(two, {x, v}, {v, x});
  CHECK(close(tangents[0], v * v + x * x));
  CHECK(close(tangents[1], sum(v)));
  const auto [outputs, pull] = vjp(two, {x, v});
  CHECK(close(outputs[1], sum(x)));
  const auto pulled = pull({v, full({}, 10, f64)});
  CHECK(close(pulled[0], v * v + 10.0));
  CHECK(close(pulled[1], x * v));
  // <u, J v> = <J^T u, v>
  CHECK(sum(v * change).item() == Approx(sum(pullback(v) * v).item()));
}

TEST_CASE("derivatives: jacobian in the shape of output and input, forward and reverse") {
  const Tensor a = tensor({{1, 2, 3}, {4, 5, 6}}, f64), x = tensor({1, -1, 2}, f64);
  for (const auto mode : {DerivativeMode::automatic, DerivativeMode::forward, DerivativeMode::reverse}) {
    CHECK(close(jacobian([&](const Tensor& t) { return matmul(a, t); }, x, {mode}), a));
    const Tensor j = jacobian([](const Tensor& t) { return transpose(t, 0, 1) * 2.0; }, a, {mode});
    REQUIRE(j.shape() == Shape{3, 2, 2, 3});
    for (std::int64_t p = 0; p < 3; ++p)
      for (std::int64_t q = 0; q < 2; ++q)
        for (std::int64_t r = 0; r < 2; ++r)
          for (std::int64_t s = 0; s < 3; ++s)
            CHECK(j.data<double>()[((p * 2 + q) * 2 + r) * 3 + s] == (p == s && q == r ? 2 : 0));
    const auto by_input = jacobian([](const Tensor& s, const Tensor& t) { return s * sum(t); }, {x, a}, {mode});
    REQUIRE(by_input.size() == 2);
    CHECK(close(by_input[0], 21.0 * eye(3).to(float64)));
    CHECK(by_input[1].shape() == Shape{3, 2, 3});
    CHECK(close(by_input[1], reshape(x, {3, 1, 1}) * ones({2, 3}, f64)));
    const auto by_output = jacobian([](const Tensor& t) { return std::pair(t * t, sum(t)); }, x, {mode});
    CHECK(close(by_output[0], 2.0 * eye(3).to(float64) * x));
    CHECK(close(by_output[1], ones({3}, f64)));
    const auto both = jacobian([](const Tensor& s, const Tensor& t) { return std::vector{s * t, t}; }, {x, x}, {mode});
    CHECK(close(both[0][1], eye(3).to(float64) * x));
    CHECK(close(both[1][0], zeros({3, 3}, f64)));
    CHECK(close(both[1][1], eye(3).to(float64)));
  }
}

TEST_CASE("derivatives: hessian and hvp, of several inputs too") {
  const Tensor x = tensor({1, -2}, f64), y = tensor({3, 4, 5}, f64), v = tensor({0.5, 1}, f64),
               w = tensor({1, 0, -1}, f64);
  const auto f = [](const Tensor& a, const Tensor& b) { return sum(a * a) * sum(b * b * b); };
  const auto h = hessian(f, {x, y});
  CHECK(close(h[0][0], 2.0 * sum(y * y * y) * eye(2).to(float64)));
  CHECK(close(h[0][1], reshape(2.0 * x, {2, 1}) * (3.0 * y * y)));
  CHECK(close(h[1][0], transpose(h[0][1], 0, 1)));
  CHECK(close(h[1][1], 6.0 * sum(x * x) * eye(3).to(float64) * y));
  const auto product = hvp(f, {x, y}, {v, w});
  CHECK(close(product[0], matmul(h[0][0], v) + matmul(h[0][1], w)));
  CHECK(close(product[1], matmul(h[1][0], v) + matmul(h[1][1], w)));
  const Tensor m = tensor({{1, 2}, {3, 4}}, f64);
  CHECK(hessian(cubes, m).shape() == Shape{2, 2, 2, 2});
  CHECK(close(hvp(cubes, m, m), 6.0 * m * m));
}

TEST_CASE("derivatives: zeros where nothing depends on the input") {
  const Tensor x = tensor({1, -2, 3}, leaf64), w = full({}, 2, leaf64);
  const Tensor none = zeros({3}, f64);
  const auto constant = [&](const Tensor&) { return w * w; };
  const auto linear = [](const Tensor& t) { return sum(t); };
  const auto captured = [&](const Tensor&) { return sum(x * x); };
  CHECK(close(grad(constant, x), none));
  CHECK(close(grad(captured, x), none));
  CHECK(close(jvp(constant, x, x).second, zeros({}, f64)));
  CHECK(close(vjp(constant, x).second(ones({}, f64)), none));
  CHECK(close(jacobian(captured, x), none));
  CHECK(close(hessian(linear, x), zeros({3, 3}, f64)));
  CHECK(close(hvp(linear, x, x), none));
  CHECK(close(hvp(constant, x, x), none));
  CHECK(close(jacobian([](const Tensor&) { return ones({2}, f64); }, x), zeros({2, 3}, f64)));
}

TEST_CASE("derivatives: empty tensors") {
  const Tensor x = zeros({0}, f64), y = tensor({1, 2}, f64);
  CHECK(grad(cubes, x).shape() == Shape{0});
  CHECK(jvp([](const Tensor& t) { return mean(t, 0, {.keepdim = true}) * 0.0 + 1.0; }, zeros({0, 2}, f64),
            zeros({0, 2}, f64))
            .second.shape() == Shape{1, 2});
  CHECK(jvp(cubes, x, x).second.item() == 0);
  CHECK(jacobian([](const Tensor& t) { return t * t; }, x).shape() == Shape{0, 0});
  CHECK(hessian(cubes, x).shape() == Shape{0, 0});
  CHECK(hvp(cubes, x, x).shape() == Shape{0});
  for (const auto mode : {DerivativeMode::forward, DerivativeMode::reverse}) {
    CHECK(jacobian([&](const Tensor& t) { return y * sum(t); }, x, {mode}).shape() == Shape{2, 0});
    CHECK(jacobian([&](const Tensor& t) { return slice(t, 0, 0, 0); }, y, {mode}).shape() == Shape{0, 2});
  }
}

TEST_CASE("derivatives: the third derivative of exp, pow and tanh, four ways") {
  const Tensor x = tensor({0.3, 0.9, 1.7}, f64), one = ones({3}, f64);
  struct Case {
    std::function<Tensor(const Tensor&)> f;
    std::function<double(double)> third;
  };
  const Case cases[] = {
      {[](const Tensor& t) { return exp(t); }, [](double t) { return std::exp(t); }},
      {[](const Tensor& t) { return pow(t, 3.5); }, [](double t) { return 3.5 * 2.5 * 1.5 * std::sqrt(t); }},
      {[](const Tensor& t) { return pow(t, full({3}, 3.5, f64)); },
       [](double t) { return 3.5 * 2.5 * 1.5 * std::sqrt(t); }},
      {[](const Tensor& t) { return tanh(t); },
       [](double t) {
         const double y = std::tanh(t), d = 1 - y * y;
         return -2 * d * (d - 2 * y * y);
       }}};
  for (const Case& c : cases) {
    const auto slope = [&](const Tensor& t) { return grad([&](const Tensor& s) { return sum(c.f(s)); }, t); };
    const auto bend = [&](const Tensor& t) { return grad([&](const Tensor& s) { return sum(slope(s)); }, t); };
    const auto forward1 = [&](const Tensor& t) { return jvp(c.f, t, one).second; };
    const auto forward2 = [&](const Tensor& t) { return jvp(forward1, t, one).second; };
    const Tensor leaf = x.clone().requires_grad_();
    Tensor repeated = c.f(leaf);
    for (int order = 0; order < 3; ++order) repeated = grad(sum(repeated), {leaf}, {.create_graph = true})[0];
    const Tensor found[] = {
        repeated, grad([&](const Tensor& t) { return sum(bend(t)); }, x), jvp(forward2, x, one).second,
        sum(jacobian([&](const Tensor& t) { return hvp([&](const Tensor& s) { return sum(c.f(s)); }, t, one); }, x),
            0)};
    for (const Tensor& third : found)
      for (std::int64_t i = 0; i < 3; ++i) {
        const double expected = c.third(x.data<double>()[i]);
        CHECK(std::abs(third.data<double>()[i] - expected) <= 1e-8 * (1 + std::abs(expected)));
      }
  }
}

TEST_CASE("derivatives: what is recorded follows the caller's grad mode and what lies outside") {
  const Tensor x = tensor({1, -2, 3}, f64), v = tensor({0.5, 2, -1}, f64), w = tensor({2, 3, 4}, leaf64);
  const Tensor leaf = x.clone().requires_grad_();
  const auto f = [&](const Tensor& t) { return sum(t * t * t * w); };

  // nothing outside
  CHECK_FALSE(grad(cubes, x).requires_grad());
  CHECK_FALSE(value_and_grad(cubes, x).first.requires_grad());
  CHECK_FALSE(jvp(cubes, x, v).second.requires_grad());
  CHECK_FALSE(jacobian(cubes, x).requires_grad());
  CHECK_FALSE(hessian(cubes, x).requires_grad());
  CHECK_FALSE(hvp(cubes, x, v).requires_grad());
  CHECK_FALSE(vjp(cubes, x).second(ones({}, f64)).requires_grad());
  // the input itself
  CHECK(close(grad(sum(grad(cubes, leaf)), {leaf})[0], 6.0 * x));
  CHECK(close(grad(sum(jvp(cubes, leaf, v).second), {leaf})[0], 6.0 * x * v));
  CHECK(close(grad(sum(hessian(cubes, leaf)), {leaf})[0], full({3}, 6, f64)));
  for (const auto mode : {DerivativeMode::forward, DerivativeMode::reverse})
    CHECK(close(grad(sum(square(jacobian([](const Tensor& t) { return t * t * t; }, leaf, {mode}))), {leaf})[0],
                36.0 * x * x * x));
  // a tensor that f captures
  CHECK(close(grad(sum(grad(f, x) * v), {w})[0], 3.0 * x * x * v));
  CHECK(close(grad(sum(hvp(f, x, v)), {w})[0], 6.0 * x * v));
  const auto [value, pullback] = vjp(f, x);
  CHECK(close(grad(value, {w}, {.retain_graph = true})[0], x * x * x));
  CHECK(close(grad(sum(pullback(full({}, 2, f64))), {w})[0], 6.0 * x * x));
  // a direction
  const Tensor u = v.clone().requires_grad_();
  CHECK(close(grad(sum(jvp(cubes, x, u).second), {u})[0], 3.0 * x * x));
  CHECK(close(grad(sum(hvp(cubes, x, u)), {u})[0], 6.0 * x));
  CHECK(close(grad(sum(vjp([](const Tensor& t) { return t * t; }, x).second(u)), {u})[0], 2.0 * x));
  {
    const NoGrad no_grad;
    CHECK(close(grad(f, leaf), 3.0 * x * x * w));
    CHECK_FALSE(grad(f, leaf).requires_grad());
    CHECK_FALSE(jvp(f, leaf, u).first.requires_grad());
    CHECK_FALSE(jvp(f, leaf, u).second.requires_grad());
    CHECK_FALSE(hessian(f, leaf).requires_grad());
    CHECK_FALSE(pullback(full({}, 2, f64)).requires_grad());
    CHECK(close(jacobian([&](const Tensor& t) { return hvp(cubes, t, v); }, x), eye(3).to(float64) * (6.0 * v)));
  }
  CHECK_FALSE(w.grad().defined());
  CHECK_FALSE(leaf.grad().defined());
}

TEST_CASE("derivatives: second derivatives in a loss reach the parameters") {
  // u(x) = tanh(a x); u'' = -2 a^2 tanh (1 - tanh^2)
  const Tensor a = full({}, 0.7, leaf64), x = linspace(-1, 1, 5, f64), one = ones({5}, f64);
  const auto residual = [&](const Tensor& slope) {
    const auto u = [&](const Tensor& t) { return tanh(slope * t); };
    const auto first = [&](const Tensor& t) { return jvp(u, t, one).second; };
    return mean(square(jvp(first, x, one).second + u(x)));
  };
  const auto formula = [&](const Tensor& slope) {
    const Tensor t = tanh(slope * x);
    return mean(square(-2.0 * slope * slope * t * (1.0 - t * t) + t));
  };
  Tensor loss = residual(a);
  CHECK(loss.item() == Approx(formula(a).item()).epsilon(1e-12));
  loss.backward();
  CHECK(a.grad().item() == Approx(grad(formula, a.detach()).item()).epsilon(1e-12));
  CHECK(gradcheck(residual, {a}));
}

TEST_CASE("derivatives: plausible mistakes and what is said of them") {
  const Tensor x = tensor({1, 2, 3}, f64);
  const auto twice = [](const Tensor& t) { return t * 2.0; };
  CHECK_THROWS_WITH(grad(twice, x),
                    "grad: the function gave a tensor of shape (3,); it must give one element: reduce it, as with sum");
  CHECK_THROWS_WITH(value_and_grad(twice, x),
                    Catch::StartsWith("value_and_grad: the function gave a tensor of shape (3,)"));
  CHECK_THROWS_WITH(
      hessian(twice, x),
      "hessian: the function gave a tensor of shape (3,); it must give one element: reduce it, as with sum");
  CHECK_THROWS_WITH(hvp(twice, x, x), Catch::StartsWith("hvp: the function gave a tensor of shape (3,)"));
  CHECK_THROWS_WITH(grad([](const Tensor& t) { return std::pair(sum(t), sum(t)); }, x),
                    "grad: the function gave 2 tensors; it must give one, of one element");
  CHECK_THROWS_WITH(jvp(twice, x, ones({2}, f64)),
                    "jvp: tangent 0 has shape (2,) and dtype float64; input 0 has shape (3,) and dtype float64");
  CHECK_THROWS_WITH(jvp(twice, x, ones({3})),
                    "jvp: tangent 0 has shape (3,) and dtype float32; input 0 has shape (3,) and dtype float64");
  CHECK_THROWS_WITH(hvp(cubes, x, ones({3, 1}, f64)),
                    "hvp: vector 0 has shape (3, 1) and dtype float64; input 0 has shape (3,) and dtype float64");
  CHECK_THROWS_WITH(jvp(twice, x, Tensor()), "jvp: tangent 0 is undefined");
  CHECK_THROWS_WITH(jvp([](const Tensor& a, const Tensor& b) { return a + b; }, {x, x}, std::vector<Tensor>{x}),
                    "jvp: 1 tangents for 2 inputs");
  CHECK_THROWS_WITH(vjp(twice, x).second(ones({}, f64)),
                    "pullback: gradient 0 has shape () and dtype float64; output 0 has shape (3,) and dtype float64");
  CHECK_THROWS_WITH(grad(cubes, arange(3, {.dtype = int64})),
                    "grad: input 0 is int64, which has no derivatives; convert it with .to(float32)");
  CHECK_THROWS_WITH(jacobian(twice, Tensor()), "jacobian: input 0 is undefined");
  CHECK_THROWS_WITH(vjp([](const Tensor&) { return Tensor(); }, x), "vjp: output 0 of the function is undefined");
  CHECK_THROWS_WITH(jvp([](const Tensor& t) { return argmax(t); }, x, x),
                    "jvp: output 0 of the function is int64, which has no derivatives");
  CHECK_THROWS_WITH(jacobian([](const Tensor& a, const Tensor& b) { return a + b; }, {x, x, x}),
                    "the function takes 2 tensors, 3 were given");
  CHECK_THROWS_WITH(
      hessian([](const Tensor& t) { return sum(t * t); }, zeros({1, 1, 1, 1, 2}, f64)),
      "hessian: the derivative of an output of shape (1, 1, 1, 1, 2) by an input of shape (1, 1, 1, 1, 2) has "
      "10 axes, more than 8; flatten them");
  Tensor changed = x.clone();
  const auto [y, pullback] = vjp([](const Tensor& t) { return t * t; }, changed);
  changed.add_(1);
  CHECK_THROWS_WITH(pullback(x), Catch::StartsWith("mul: a tensor of shape (3,) saved for backward was changed") &&
                                     Catch::Contains("was changed in place by add_"));
}

TEST_CASE("derivatives: nothing is left behind") {
  const Tensor x = tensor({1, 2, 3}, leaf64), v = ones({3}, f64);
  const auto run = [&] {
    hessian(cubes, x);
    jvp([&](const Tensor& t) { return jvp(cubes, t, v).second; }, x, v);
    jacobian([](const Tensor& t) { return softmax(t, 0); }, x);
    vjp(cubes, x).second(ones({}, f64));
  };
  run();
  const auto before = memory_stats();
  for (int i = 0; i < 10; ++i) run();
  CHECK(memory_stats().live_blocks == before.live_blocks);
}

TEST_CASE("derivatives: threads, one function and one parameter among them", "[threads]") {
  const Tensor w = tensor({2, 3, 4}, leaf64);
  std::vector<Tensor> results(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < results.size(); ++i)
    threads.emplace_back([&, i] {
      const Tensor x = full({3}, static_cast<double>(i + 1), f64);
      for (int repeat = 0; repeat < 20; ++repeat)
        results[i] = hessian([&](const Tensor& t) { return sum(t * t * t * w); }, x);
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < results.size(); ++i)
    CHECK(close(results[i].detach(), 6.0 * static_cast<double>(i + 1) * eye(3).to(float64) * w.detach()));
}
