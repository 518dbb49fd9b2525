#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/solvers/odeint.hpp>
#include <xgrad/solvers/root.hpp>

#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>
#include "../catch.hpp"

using namespace xgrad;

namespace {

Tensor vector(const std::vector<double>& numbers) {
  return from_values(numbers, {static_cast<std::int64_t>(numbers.size())}, {.dtype = float64});
}

Tensor slope(const std::string& problem, double t, const Tensor& y) {
  if (problem == "decay") return -0.5 * y;
  const Tensor a = slice(y, 0, 0, 1), b = slice(y, 0, 1, 2);
  if (problem == "pendulum") return concat({b, -sin(a) - 0.1 * b + 0.3 * std::cos(t)});
  if (problem == "van_der_pol") return concat({b, 5 * (1 - square(a)) * b - a});
  return concat({b, -a});
}

double largest(const Tensor& x) { return amax(abs(x)).item<double>(); }

}  // namespace

TEST_CASE("odeint: the steps and values of SciPy's RK45") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/odeint.json");
  REQUIRE(file);
  for (const auto& c : nlohmann::json::parse(file)) {
    const std::string name = c["name"];
    INFO(name << " with rtol " << c["rtol"].dump());
    std::int64_t evaluations = 0;
    const Tensor y = odeint(
        [&](double t, const Tensor& state) {
          ++evaluations;
          return slope(name, t, state);
        },
        vector(c["y0"]), c["t"].get<std::vector<double>>(), {.rtol = c["rtol"], .atol = c["atol"]});
    CHECK(evaluations == c["evaluations"].get<std::int64_t>());
    const std::vector<double> values = y.to_vector<double>();
    std::size_t i = 0;
    for (const auto& row : c["y"])
      for (const double expected : row) CHECK(values[i++] == Approx(expected).margin(1e-9).epsilon(1e-7));
  }
}

TEST_CASE("odeint: RK4 is of fourth order") {
  const auto error = [](double step) {
    const Tensor y = odeint([](double, const Tensor& x) { return -x; }, vector({1}), {0, 1},
                            {.method = OdeMethod::rk4, .first_step = step});
    return std::abs(select(y, 0, 1).item<double>() - std::exp(-1));
  };
  CHECK(error(0.1) / error(0.05) == Approx(16).epsilon(0.1));
}

TEST_CASE("odeint: derivatives of every order go through the steps") {
  const Tensor a = tensor({{-0.2, 1.0}, {-1.1, -0.1}}, {.dtype = float64, .requires_grad = true}),
               y0 = tensor({0.7, -0.4}, {.dtype = float64, .requires_grad = true});
  for (const OdeMethod method : {OdeMethod::dopri5, OdeMethod::rk4}) {
    const auto f = [&](const std::vector<Tensor>& x) {
      return std::vector<Tensor>{odeint([&](double, const Tensor& y) { return sin(matmul(x[0], y)); }, x[1],
                                        {0, 0.4, 1},
                                        {.method = method, .rtol = 1e-4, .atol = 1e-4, .first_step = 0.25})};
    };
    const auto first = gradcheck(f, {a, y0}), second = gradgradcheck(f, {a, y0});
    INFO(first.message << second.message);
    CHECK(first);
    CHECK(second);
  }
}

TEST_CASE("odeint: a hessian by the matrix and the start together is symmetric and right") {
  const Tensor x = tensor({-0.2, 1.0, -1.1, -0.1, 0.7, -0.4}, {.dtype = float64}), units = eye(6, {.dtype = float64});
  for (const OdeMethod method : {OdeMethod::dopri5, OdeMethod::rk4}) {
    const auto f = [&](const Tensor& at) {
      const Tensor matrix = reshape(slice(at, 0, 0, 4), {2, 2});
      return sum(square(odeint([&](double, const Tensor& y) { return sin(matmul(matrix, y)); }, slice(at, 0, 4, 6),
                               {0, 0.4, 1}, {.method = method, .rtol = 1e-4, .atol = 1e-4, .first_step = 0.25})));
    };
    const Tensor h = hessian(f, x);
    CHECK(largest(h - transpose(h, 0, 1)) <= 1e-9 * largest(h));
    for (std::int64_t i = 0; i < 6; ++i) {
      const Tensor step = 1e-4 * select(units, 0, i);
      CHECK(largest((grad(f, x + step) - grad(f, x - step)) / 2e-4 - select(h, 0, i)) <= 1e-6 * largest(h));
    }
  }
}

TEST_CASE("odeint: the adjoint's gradients are those through the steps, to the tolerances") {
  const Tensor a = tensor({{-0.2, 1.0}, {-1.1, -0.1}}, {.dtype = float64, .requires_grad = true}),
               y0 = tensor({0.7, -0.4}, {.dtype = float64, .requires_grad = true});
  const auto gradients = [&](bool adjoint) {
    OdeintOptions options{.rtol = 1e-9, .atol = 1e-10, .adjoint = adjoint};
    if (adjoint) options.adjoint_parameters = {a};
    const Tensor y =
        odeint([&](double t, const Tensor& x) { return sin(matmul(a, x)) * std::cos(t); }, y0, {0, 0.5, 3}, options);
    return grad(sum(y * tensor({{0, 0}, {1.0, -2.0}, {0.5, 3}}, {.dtype = float64})), {y0, a});
  };
  const auto direct = gradients(false), adjoint = gradients(true);
  CHECK(allclose(adjoint[0], direct[0], {.rtol = 1e-6, .atol = 1e-8}));
  CHECK(allclose(adjoint[1], direct[1], {.rtol = 1e-6, .atol = 1e-8}));
}

TEST_CASE("odeint: what is wrong") {
  const auto f = [](double, const Tensor& y) { return y; };
  CHECK_THROWS_WITH(odeint(f, vector({1}), {}), Catch::StartsWith("odeint: there are no times"));
  CHECK_THROWS_WITH(odeint(f, vector({1}), {0, 2, 1}), Catch::StartsWith("odeint: time 1 follows 2"));
  CHECK_THROWS_WITH(odeint(f, tensor({1}), {0, 1}), Catch::StartsWith("odeint: y0 is int64"));
  CHECK_THROWS_WITH(odeint(
                        [](double, const Tensor&) {
                          return vector({1, 2});
                        },
                        vector({1}), {0, 1}),
                    Catch::StartsWith("odeint: f gave a tensor of shape (2,)"));
  CHECK_THROWS_WITH(odeint([](double, const Tensor& y) { return y * y; }, vector({1}), {0, 2}),
                    Catch::Contains("the solution may have no value there"));
  CHECK(odeint(f, vector({}), {0, 1}).shape() == Shape{2, 0});
  CHECK(odeint(f, vector({3}), {1}).shape() == Shape{1, 1});
}

TEST_CASE("root, fixed_point: the solution and its derivatives up to the third") {
  const Tensor a = tensor({0.5, 2, 7}, {.dtype = float64, .requires_grad = true});
  const auto lambert = [](const Tensor& at) {
    return root([&](const Tensor& x) { return x * exp(x) - at; }, ones({3}, {.dtype = float64}));
  };
  const Tensor x = lambert(a);
  CHECK(largest(x * exp(x) - a) <= 1e-10);
  const Tensor first = grad(sum(x), a, {.create_graph = true}), w = x.detach();
  CHECK(allclose(first, w / (a * (1 + w)), {.rtol = 1e-9}));
  const Tensor second = grad(sum(first), a, {.create_graph = true});
  CHECK(allclose(second, -square(w) * (w + 2) / (square(a) * pow(1 + w, 3)), {.rtol = 1e-8}));
  const Tensor third = grad(sum(second), a), h = full({}, 1e-5, {.dtype = float64});
  const auto second_at = [&](const Tensor& at) {
    const Tensor v = lambert(at).detach();
    return -square(v) * (v + 2) / (square(at) * pow(1 + v, 3));
  };
  CHECK(allclose(third, ((second_at(a + h) - second_at(a - h)) / (2 * h)).detach(), {.rtol = 1e-5}));

  const Tensor c = tensor({0.3, -0.8}, {.dtype = float64, .requires_grad = true});
  const Tensor y = fixed_point([&](const Tensor& at) { return 0.5 * cos(at) + c; }, zeros({2}, {.dtype = float64}));
  CHECK(largest(0.5 * cos(y) + c - y) <= 1e-9);
  CHECK(allclose(grad(sum(y), c), 1 / (1 + 0.5 * sin(y.detach())), {.rtol = 1e-8}));
}

TEST_CASE("root, fixed_point: what is wrong") {
  CHECK_THROWS_WITH(root([](const Tensor& x) { return x * x + 1; }, vector({0.3})), Catch::StartsWith("root: "));
  CHECK_THROWS_WITH(fixed_point([](const Tensor& x) { return 2 * x; }, vector({1})),
                    Catch::StartsWith("fixed_point: after"));
  CHECK_THROWS_WITH(root(
                        [](const Tensor&) {
                          return vector({1, 2});
                        },
                        vector({1})),
                    Catch::StartsWith("root: the function gave a tensor of shape (2,)"));
  CHECK(root([](const Tensor& x) { return x; }, vector({})).shape() == Shape{0});
}
