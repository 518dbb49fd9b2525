#include "functions.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace xgrad::tune;

namespace {

constexpr double pi = std::numbers::pi;

std::vector<double> floats(Search& trial, int dimensions, double low, double high) {
  std::vector<double> x;
  for (int i = 0; i < dimensions; ++i)
    x.push_back(trial(std::string("x") + std::to_string(i), FloatDistribution{low, high}));
  return x;
}

double square(double x) { return x * x; }

double branin(Search& trial) {
  const double x = trial("x", FloatDistribution{-5, 10}), y = trial("y", FloatDistribution{0, 15});
  return square(y - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6) + 10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
}

double hartmann6(Search& trial) {
  constexpr double alpha[4] = {1, 1.2, 3, 3.2};
  constexpr double a[4][6] = {
      {10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}};
  constexpr double p[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                              {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                              {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                              {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
  const auto x = floats(trial, 6, 0, 1);
  double total = 0;
  for (int k = 0; k < 4; ++k) {
    double sum = 0;
    for (std::size_t i = 0; i < 6; ++i) sum += a[k][i] * square(x[i] - p[k][i]);
    total -= alpha[k] * std::exp(-sum);
  }
  return total;
}

double ackley(Search& trial) {
  double squares = 0, cosines = 0;
  for (const double x : floats(trial, 5, -32.768, 20)) {
    squares += x * x;
    cosines += std::cos(2 * pi * x);
  }
  return 20 + std::numbers::e - 20 * std::exp(-0.2 * std::sqrt(squares / 5)) - std::exp(cosines / 5);
}

double griewank(Search& trial) {
  double sum = 0, product = 1, i = 0;
  for (const double x : floats(trial, 5, -600, 400)) {
    sum += x * x / 4000;
    product *= std::cos(x / std::sqrt(++i));
  }
  return sum - product + 1;
}

double sphere(Search& trial) {
  double sum = 0;
  for (const double x : floats(trial, 10, -5, 5)) sum += x * x;
  return sum;
}

double rosenbrock(Search& trial, int dimensions) {
  const auto x = floats(trial, dimensions, -5, 5);
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) sum += 100 * square(x[i + 1] - x[i] * x[i]) + square(1 - x[i]);
  return sum;
}

double levy(Search& trial) {
  auto w = floats(trial, 8, -10, 10);
  for (double& each : w) each = 1 + (each - 1) / 4;
  double sum = square(std::sin(pi * w[0])) + square(w[7] - 1) * (1 + square(std::sin(2 * pi * w[7])));
  for (std::size_t i = 0; i < 7; ++i) sum += square(w[i] - 1) * (1 + 10 * square(std::sin(pi * w[i] + 1)));
  return sum;
}

double styblinski_tang(Search& trial) {
  double sum = 0;
  for (const double x : floats(trial, 10, -5, 5)) sum += 0.5 * (square(x * x) - 16 * x * x + 5 * x);
  return sum;
}

double rastrigin(Search& trial) {
  double sum = 0;
  for (const double x : floats(trial, 4, -5.12, 4)) sum += x * x - 10 * std::cos(2 * pi * x) + 10;
  return sum;
}

// An ellipsoid off the middle, its axes 1 to 100 long.
double ellipsoid(Search& trial) {
  const auto x = floats(trial, 20, -5, 5);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += std::pow(100.0, static_cast<double>(i) / 19) * square(x[i] - 1.5 * std::sin(3.0 * static_cast<double>(i)));
  return sum;
}

// As the settings of a training: logarithms, whole numbers, choices that change where the others are best.
double mixed(Search& trial) {
  const double lr = std::log10(trial("lr", FloatDistribution{1e-5, 1, log_scale}));
  const double momentum = std::log10(1 - trial("momentum", FloatDistribution{0, 0.999}));
  const double decay = std::log10(trial("weight_decay", FloatDistribution{1e-6, 1e-1, log_scale}));
  const double batch = std::log2(trial("batch", IntDistribution{8, 1024, log_scale}));
  const double layers = trial("layers", IntDistribution{1, 8});
  const double dropout = trial("dropout", FloatDistribution{0, 0.8, Scale::linear, 0.1});
  const double optimizer =
      trial("optimizer", CategoricalDistribution{{std::string("sgd"), std::string("adam"), std::string("rmsprop")}});
  const double norm = trial("norm", CategoricalDistribution{{true, false}});
  const double best_lr = optimizer == 0 ? -1 : optimizer == 1 ? -3 : -3.5;
  double loss = 0.3 * square(lr - best_lr - 0.2 * (batch - 6)) + 0.1 * square(momentum + 1) + 0.03 * square(decay + 4);
  loss += 0.05 * square(layers - 4) + square(dropout - 0.3) + 0.02 * square(batch - 6);
  return loss + 0.2 * norm * layers / 4 + (optimizer == 0 ? 0.15 : optimizer == 1 ? 0 : 0.1);
}

double conditional(Search& trial) {
  const double lr = trial("lr", FloatDistribution{1e-5, 1, log_scale});
  const double layers = trial("layers", IntDistribution{1, 4});
  const double kind =
      trial("kind", CategoricalDistribution{{std::string("plain"), std::string("dropout"), std::string("none")}});
  double loss = square(std::log10(lr) + 2.5) + 0.1 * std::abs(layers - 3);
  if (kind == 0) {
    loss += 0.5 + 0.1 * square(trial("x", FloatDistribution{-5, 5}) - 1);
  } else if (kind == 1) {
    loss += 0.1 * square(std::log2(trial("width", IntDistribution{1, 128, log_scale})) - 5);
    loss += 10 * square(trial("rate", FloatDistribution{0, 0.5, Scale::linear, 0.1}) - 0.2);
  } else {
    loss += 1;
  }
  for (int i = 0; i < layers; ++i) {
    const double units = trial(std::string("units_") + std::to_string(i), IntDistribution{8, 512, log_scale});
    loss += 0.05 * square(std::log(units / 64));
  }
  return loss;
}

// Which of two models, each with its own parameters, and one they share.
double two_models(Search& trial) {
  const double shared = trial("shared", FloatDistribution{0, 1});
  if (trial("model", CategoricalDistribution{{std::string("forest"), std::string("network")}}) == 0) {
    const double depth = trial("depth", IntDistribution{1, 32, log_scale}),
                 leaf = trial("leaf", IntDistribution{1, 20});
    return 0.2 + square(shared - 0.3) + 0.05 * square(std::log2(depth) - 3) + 0.01 * square(leaf - 5);
  }
  const double lr = std::log10(trial("lr", FloatDistribution{1e-5, 1e-1, log_scale}));
  const double width = std::log2(trial("width", IntDistribution{8, 512, log_scale}));
  const double decay = std::log10(trial("decay", FloatDistribution{1e-6, 1e-2, log_scale}));
  return square(shared - 0.7) + 0.2 * square(lr + 3 - 0.2 * (width - 6)) + 0.05 * square(width - 7) +
         0.05 * square(decay + 4);
}

std::vector<double> zdt1(Search& trial) {
  const auto x = floats(trial, 6, 0, 1);
  double sum = 0;
  for (std::size_t i = 1; i < 6; ++i) sum += x[i];
  const double g = 1 + 9 * sum / 5;
  return {x[0], g * (1 - std::sqrt(x[0] / g))};
}

std::vector<double> dtlz2(Search& trial) {
  const auto x = floats(trial, 7, 0, 1);
  double g = 0;
  for (std::size_t i = 2; i < 7; ++i) g += square(x[i] - 0.5);
  const double a = x[0] * pi / 2, b = x[1] * pi / 2;
  return {(1 + g) * std::cos(a) * std::cos(b), (1 + g) * std::cos(a) * std::sin(b), (1 + g) * std::sin(a)};
}

// Error against cost of a network.
std::vector<double> error_and_cost(Search& trial) {
  const double lr = std::log10(trial("lr", FloatDistribution{1e-5, 1, log_scale}));
  const double layers = trial("layers", IntDistribution{1, 6});
  const double width = std::log2(trial("width", IntDistribution{8, 1024, log_scale}));
  const double kind = trial("kind", CategoricalDistribution{{std::string("dense"), std::string("separable")}});
  const double size = width + std::log2(layers) - 2 * kind;
  return {
      0.3 * std::exp(-0.25 * (size + 1.2 * kind)) + 0.05 * square(lr + 3 + 0.1 * layers) + 0.01 * square(layers - 3),
      size / 13};
}

std::function<std::vector<double>(Search&)> one(double (*f)(Search&)) {
  return [f](Search& trial) { return std::vector<double>{f(trial)}; };
}
std::function<std::vector<double>(Search&)> rosenbrock_of(int dimensions) {
  return [dimensions](Search& trial) { return std::vector<double>{rosenbrock(trial, dimensions)}; };
}

}  // namespace

const std::vector<Function>& functions() {
  static const std::vector<Function> all{
      {"branin", one(branin), 0.397887},
      {"hartmann6", one(hartmann6), -3.32237},
      {"ackley5", one(ackley)},
      {"griewank5", one(griewank)},
      {"rosenbrock4", rosenbrock_of(4)},
      {"levy8", one(levy)},
      {"rastrigin4", one(rastrigin)},
      {"styblinski_tang10", one(styblinski_tang), -391.6617},
      {"sphere10", one(sphere)},
      {"rosenbrock10", rosenbrock_of(10)},
      {"ellipsoid20", one(ellipsoid)},
      {"mixed8", one(mixed)},
      {"conditional", one(conditional)},
      {"two_models", one(two_models)},
      {"zdt1", zdt1, 0, {1.1, 7}},
      {"dtlz2", dtlz2, 0, {2, 2, 2}},
      {"error_and_cost", error_and_cost, 0, {1, 1.2}},
  };
  return all;
}
