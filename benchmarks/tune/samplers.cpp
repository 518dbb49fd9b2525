// How good the samplers are: writes JSON with the best value after 25, 50, 100 and 200 trials of TPE on the functions
// of optuna_functions.py.
//   benchmark_samplers [SEEDS] > xgrad.json

#include <xgrad/tune/samplers/tpe.hpp>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <numbers>

#include "search.hpp"

using namespace xgrad::tune;

namespace {

std::vector<double> floats(Search& trial, int dimensions, double low, double high) {
  std::vector<double> x;
  for (int i = 0; i < dimensions; ++i)
    x.push_back(trial(std::string("x") + std::to_string(i), FloatDistribution{low, high}));
  return x;
}

double branin(Search& trial) {
  constexpr double pi = std::numbers::pi;
  const double x = trial("x", FloatDistribution{-5, 10}), y = trial("y", FloatDistribution{0, 15});
  const double a = y - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6;
  return a * a + 10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
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
    double square = 0;
    for (std::size_t i = 0; i < 6; ++i) square += a[k][i] * (x[i] - p[k][i]) * (x[i] - p[k][i]);
    total -= alpha[k] * std::exp(-square);
  }
  return total;
}

double sphere(Search& trial) {
  double sum = 0;
  for (const double x : floats(trial, 10, -5, 5)) sum += x * x;
  return sum;
}

double rosenbrock(Search& trial) {
  const auto x = floats(trial, 10, -5, 5);
  double sum = 0;
  for (std::size_t i = 0; i < 9; ++i) sum += 100 * std::pow(x[i + 1] - x[i] * x[i], 2) + std::pow(1 - x[i], 2);
  return sum;
}

double mixed(Search& trial) {
  const double lr = trial("lr", FloatDistribution{1e-5, 1, log_scale});
  const double layers = trial("layers", IntDistribution{1, 4});
  const double kind =
      trial("kind", CategoricalDistribution{{std::string("plain"), std::string("dropout"), std::string("none")}});
  double loss = std::pow(std::log10(lr) + 2.5, 2) + 0.1 * std::abs(layers - 3);
  if (kind == 0) {
    loss += 0.5 + 0.1 * std::pow(trial("x", FloatDistribution{-5, 5}) - 1, 2);
  } else if (kind == 1) {
    loss += 0.1 * std::pow(std::log2(trial("width", IntDistribution{1, 128, log_scale})) - 5, 2);
    loss += 10 * std::pow(trial("rate", FloatDistribution{0, 0.5, Scale::linear, 0.1}) - 0.2, 2);
  } else {
    loss += 1;
  }
  for (int i = 0; i < layers; ++i)
    loss += 0.05 *
            std::pow(
                std::log(trial(std::string("units_") + std::to_string(i), IntDistribution{8, 512, log_scale}) / 64), 2);
  return loss;
}

}  // namespace

int main(int argc, char** argv) {
  const int seeds = argc > 1 ? std::atoi(argv[1]) : 100;
  const std::vector<std::pair<const char*, std::function<double(Search&)>>> functions{
      {"branin", branin}, {"hartmann6", hartmann6}, {"sphere", sphere}, {"rosenbrock", rosenbrock}, {"mixed", mixed}};
  std::cout.precision(17);
  const char* separator = "{";
  for (const auto& [name, function] : functions) {
    std::cout << separator << '"' << name << "\": [";
    for (int seed = 0; seed < seeds; ++seed) {
      const auto best = best_values(TPE{}, static_cast<std::uint64_t>(seed), 200, function);
      std::cout << (seed ? ", [" : "[") << best[24] << ", " << best[49] << ", " << best[99] << ", " << best[199] << ']';
    }
    std::cout << ']';
    separator = ", ";
  }
  std::cout << "}\n";
}
