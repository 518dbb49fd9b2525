#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/optim/minimize.hpp>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "../catch.hpp"

using namespace xgrad;

namespace {

using Function = Tensor (*)(const Tensor& x);

Tensor rosenbrock(const Tensor& x) {
  const std::int64_t n = x.size(0);
  const Tensor first = narrow(x, 0, 0, n - 1), second = narrow(x, 0, 1, n - 1);
  return sum(100 * square(second - square(first)) + square(1 - first));
}
Tensor beale(const Tensor& x) {
  const Tensor a = x[0], b = x[1];
  return square(1.5 - a + a * b) + square(2.25 - a + a * pow(b, 2)) + square(2.625 - a + a * pow(b, 3));
}
Tensor himmelblau(const Tensor& x) { return square(square(x[0]) + x[1] - 11) + square(x[0] + square(x[1]) - 7); }
Tensor wood(const Tensor& x) {
  return 100 * square(x[1] - square(x[0])) + square(1 - x[0]) + 90 * square(x[3] - square(x[2])) + square(1 - x[2]) +
         10.1 * (square(x[1] - 1) + square(x[3] - 1)) + 19.8 * (x[1] - 1) * (x[3] - 1);
}
Tensor powell(const Tensor& x) {
  return square(x[0] + 10 * x[1]) + 5 * square(x[2] - x[3]) + pow(x[1] - 2 * x[2], 4) + 10 * pow(x[0] - x[3], 4);
}
Tensor goldstein_price(const Tensor& x) {
  const Tensor a = x[0], b = x[1];
  return (1 + square(a + b + 1) * (19 - 14 * a + 3 * square(a) - 14 * b + 6 * a * b + 3 * square(b))) *
         (30 + square(2 * a - 3 * b) * (18 - 32 * a + 12 * square(a) + 48 * b - 36 * a * b + 27 * square(b)));
}
Tensor styblinski_tang(const Tensor& x) { return 0.5 * sum(pow(x, 4) - 16 * square(x) + 5 * x); }
Tensor quadratic(const Tensor& x) { return 0.5 * sum(square(arange(1, 21, {.dtype = float64}) * x)) - sum(x); }
Tensor logistic(const Tensor& x) {
  return log1p(exp(-x[0] - 2 * x[1])) + log1p(exp(x[0] - x[1])) + log1p(exp(x[1])) + 0.01 * sum(square(x));
}

const std::pair<const char*, Function> functions[] = {{"rosenbrock", rosenbrock},
                                                      {"rosenbrock in 4", rosenbrock},
                                                      {"beale", beale},
                                                      {"himmelblau", himmelblau},
                                                      {"wood", wood},
                                                      {"powell", powell},
                                                      {"goldstein-price", goldstein_price},
                                                      {"styblinski-tang", styblinski_tang},
                                                      {"quadratic", quadratic},
                                                      {"logistic", logistic}};

/// The same minimum as SciPy, or one that is lower, by at most 1.3 times as many evaluations.
void check_against_scipy(const char* method, const optim::MinimizeOptions& options) {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/minimize.json");
  REQUIRE(file);
  const nlohmann::json reference = nlohmann::json::parse(file);
  for (const auto& [name, f] : functions) {
    const auto& expected = reference.at(name).at(method);
    const auto result = optim::minimize(f, tensor(reference.at(name).at("x0").get<std::vector<double>>()), options);
    std::ostringstream text;
    text << result;
    INFO(method << ", " << name << ": " << text.str() << "; SciPy: " << expected.at("value").get<double>() << " by "
                << expected.at("evaluations").get<int>());
    CHECK(result.converged);
    CHECK(result.value <= expected.at("value").get<double>() + 1e-8);
    CHECK(f(result.x).item() == result.value);
    CHECK(static_cast<double>(result.evaluations) <= 1.3 * expected.at("evaluations").get<double>());
  }
}

struct Line {
  Tensor slope = zeros({}, {.dtype = float64, .requires_grad = true});
  Tensor offset = zeros({}, {.dtype = float64, .requires_grad = true});
  Tensor unit = ones({}, {.dtype = float64});  // a buffer
  Tensor operator()(const Tensor& x) const { return slope * x + offset * unit; }
};

const Tensor& places() {
  static const Tensor x = linspace(-1, 1, 11, {.dtype = float64});
  return x;
}
Tensor misfit(const Line& line) { return mean(square(line(places()) - (3 * places() - 1))); }

}  // namespace

TEST_CASE("minimize: L-BFGS, against SciPy") { check_against_scipy("L-BFGS-B", {.tolerance = 1e-6}); }
TEST_CASE("minimize: Newton-CG, against SciPy") {
  check_against_scipy("Newton-CG", {.method = optim::NewtonCG{}, .tolerance = 1e-6});
}
TEST_CASE("minimize: Nelder-Mead, against SciPy") {
  check_against_scipy("Nelder-Mead", {.method = optim::NelderMead{}, .tolerance = 1e-6, .max_iterations = 100000});
}

TEST_CASE("minimize: a tensor of any shape and dtype, which stays what it was") {
  for (const DType dtype : {float32, float64}) {
    const Tensor x0 = tensor({{1.0, 2.0}, {3.0, 4.0}}, {.dtype = dtype});
    const auto result = optim::minimize([](const Tensor& x) { return sum(square(x - 1)); }, x0);
    CHECK(result.converged);
    CHECK(result.x.dtype() == dtype);
    CHECK(amax(abs(result.x - 1)).item() < 1e-5);
    CHECK(x0.at({1, 1}) == 4);
    CHECK_FALSE(result.x.requires_grad());
  }
}

TEST_CASE("minimize: several tensors, and a vector of them") {
  const std::vector<Tensor> x0 = {zeros({2}, {.dtype = float64}), ones({}, {.dtype = float64})};
  const auto f = [](const Tensor& a, const Tensor& b) { return sum(square(a - b)) + square(b - 2); };
  const auto result = optim::minimize(f, x0, {.tolerance = 1e-9});
  CHECK(result.converged);
  REQUIRE(result.x.size() == 2);
  CHECK(result.x[0].at({1}) == Approx(2));
  CHECK(result.x[1].item() == Approx(2));
  const auto of_vector = [](const std::vector<Tensor>& x) { return sum(square(x[0] - x[1])) + square(x[1] - 2); };
  CHECK(optim::minimize(of_vector, x0, {.tolerance = 1e-9}).value == result.value);
}

TEST_CASE("minimize: a module, in place, by every method") {
  using Method = decltype(optim::MinimizeOptions::method);
  for (const Method& method : {Method(optim::LBFGS{}), Method(optim::NewtonCG{}), Method(optim::NelderMead{}),
                               Method(optim::NelderMead{.adaptive = true})}) {
    Line line;
    const auto result = optim::minimize(misfit, line, {.method = method, .tolerance = 1e-9});
    CHECK(result.converged);
    CHECK(line.slope.item() == Approx(3).margin(1e-6));
    CHECK(line.offset.item() == Approx(-1).margin(1e-6));
    CHECK(line.unit.item() == 1);
    CHECK(line.slope.requires_grad());
    CHECK_FALSE(line.slope.grad().defined());
    CHECK(misfit(line).item() == result.value);
  }
}

TEST_CASE("minimize: frozen parameters stay") {
  Line line;
  line.offset.requires_grad_(false);
  CHECK(optim::minimize(misfit, line).converged);
  CHECK(line.offset.item() == 0);
  line.slope.requires_grad_(false);
  CHECK_THROWS_WITH(optim::minimize(misfit, line), Catch::StartsWith("minimize: there is nothing to change"));
}

TEST_CASE("minimize: where the function is not finite, steps are shorter") {
  // -log(x) + x is undefined below 0.
  const auto barrier = [](const Tensor& x) { return sum(x - log(x)); };
  const auto result = optim::minimize(barrier, tensor({40.0, 0.01}, {.dtype = float64}), {.tolerance = 1e-8});
  CHECK(result.converged);
  CHECK(amax(abs(result.x - 1)).item() < 1e-6);
  const auto nowhere = optim::minimize(barrier, tensor({-1.0}, {.dtype = float64}));
  CHECK_FALSE(nowhere.converged);
  CHECK(nowhere.message == "the value or the gradient is not finite at the start");
}

TEST_CASE("minimize: what does not converge says why") {
  const Tensor x0 = tensor({-1.2, 1.0}, {.dtype = float64});
  const auto few = optim::minimize(rosenbrock, x0, {.max_iterations = 3});
  CHECK_FALSE(few.converged);
  CHECK(few.iterations == 3);
  CHECK(few.message == "as many iterations as max_iterations allows");
  CHECK(few.value < rosenbrock(x0).item());
  std::ostringstream text;
  text << optim::minimize(rosenbrock, x0);
  CHECK_THAT(text.str(), Catch::StartsWith("converged after "));
  CHECK_THAT(text.str(), Catch::EndsWith("the gradient is below the tolerance 1e-05"));
  // Along a line it falls for ever.
  CHECK_FALSE(optim::minimize([](const Tensor& x) { return sum(x); }, x0, {.max_iterations = 50}).converged);
}

TEST_CASE("minimize: errors leave a module as it was") {
  Line line;
  int calls = 0;
  const auto fails = [&](const Line& l) {
    if (++calls == 3) fail("test: third call");
    return misfit(l);
  };
  CHECK_THROWS_WITH(optim::minimize(fails, line), Catch::StartsWith("test: third call"));
  CHECK(line.slope.item() == 0);
  CHECK_THROWS_WITH(optim::minimize([](const Tensor& x) { return x; }, ones({2})), Catch::Contains("one element"));
  CHECK_THROWS_WITH(optim::minimize([](const Tensor& x) { return x; }, ones({2}), {.method = optim::NelderMead{}}),
                    Catch::Contains("one element"));
  CHECK_THROWS_WITH(optim::minimize([](const Tensor& x) { return sum(x); }, ones({2}, {.dtype = int64})),
                    Catch::Contains("int64"));
  CHECK_THROWS_WITH(optim::minimize([](const Tensor& x) { return sum(x); }, Tensor()), Catch::Contains("undefined"));
  CHECK_THROWS_WITH(optim::minimize(misfit, line, {.tolerance = -1}),
                    Catch::StartsWith("minimize: the tolerance is -1"));
  CHECK_THROWS_WITH(optim::minimize(misfit, line, {.max_iterations = -1}), Catch::Contains("max_iterations is -1"));
}

TEST_CASE("LBFGS: an optimizer with a closure") {
  Line line;
  optim::LBFGS optimizer(line);
  const auto closure = [&] {
    optimizer.zero_grad();
    const Tensor loss = misfit(line);
    loss.backward();
    return loss;
  };
  const double first = misfit(line).item();
  CHECK(optimizer.step(closure) == first);
  CHECK(misfit(line).item() < 1e-10);
  CHECK(optimizer.parameters().size() == 2);

  Tensor x = tensor({-1.2, 1.0}, {.dtype = float64, .requires_grad = true});
  optim::LBFGS of_tensor({x}, {.max_iter = 5});
  double loss = 0;
  for (int i = 0; i < 12; ++i)
    loss = of_tensor.step([&] {
      of_tensor.zero_grad();
      const Tensor value = rosenbrock(x);
      value.backward();
      return value;
    });
  CHECK(loss < 1e-12);
}

TEST_CASE("LBFGS: errors") {
  CHECK_THROWS_WITH(optim::LBFGS({.lr = 0}), Catch::StartsWith("LBFGS: the learning rate is 0"));
  CHECK_THROWS_WITH(optim::LBFGS({.history_size = 0}), Catch::Contains("history_size 0"));
  CHECK_THROWS_WITH(optim::LBFGS({ones({2})}), Catch::Contains("parameter 0 is no leaf that requires a gradient"));
  CHECK_THROWS_WITH(optim::LBFGS{}.step([] { return ones({}); }), Catch::Contains("made without parameters"));
  Tensor x = ones({2}, {.requires_grad = true});
  optim::LBFGS optimizer({x});
  CHECK_THROWS_WITH(optimizer.step([&] { return x; }),
                    Catch::Contains("must return the loss, a tensor of one element"));
}
