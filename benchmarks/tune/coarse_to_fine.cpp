// The claims of the course note on hyperparameters, on functions of two dimensions that matter and two that do not:
// random draws find better values than a grid, and going from coarse to fine better ones than random draws, at equal
// budgets. The last function is made to mislead. Writes JSON: best value after BUDGET trials, for each function,
// sampler and seed.
//   benchmark_coarse_to_fine [SEEDS [BUDGET]]

#include <xgrad/tune/samplers/coarse_to_fine.hpp>
#include <xgrad/tune/samplers/grid.hpp>
#include <xgrad/tune/trials/draws.hpp>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <numbers>

#include "search.hpp"

using namespace xgrad::tune;

namespace {

constexpr double pi = std::numbers::pi;

// Of x and y in [0, 1]; each has its minimum, 0, at a place that the seed moves, since a grid is lucky or unlucky with
// one place.
double sphere(double x, double y) { return x * x + y * y; }
double ridge(double x, double y) { return 25 * (x - y) * (x - y) + (x + y) * (x + y); }
double valley(double x, double y) { return 100 * std::pow(4 * y - 16 * x * x, 2) + 16 * x * x; }  // Rosenbrock's
double ripples(double x, double y) {                                                              // Rastrigin's
  return 4 * (x * x + y * y) + 0.2 * (2 - std::cos(10 * pi * x) - std::cos(10 * pi * y));
}
double needle(double x, double y) { return 1 - std::exp(-40 * (x * x + y * y)) + 0.1 * (std::abs(x) + std::abs(y)); }

// A narrow basin, and far from it a wide one half as deep: a coarse look is misled.
double trap(double x, double y) {
  const auto basin = [](double a, double b, double width) { return std::exp(-(a * a + b * b) / (2 * width * width)); };
  return 2 - 2 * basin(x, y, 0.06) - basin(x + 0.5, y + 0.55, 0.2);
}

}  // namespace

int main(int argc, char** argv) {
  const int seeds = argc > 1 ? std::atoi(argv[1]) : 100, budget = argc > 2 ? std::atoi(argv[2]) : 81;
  const int points = static_cast<int>(std::round(std::pow(budget, 0.25)));  // a dimension of the grid
  const std::vector<std::pair<const char*, double (*)(double, double)>> functions{
      {"sphere", sphere},   {"ridge", ridge},   {"valley", valley},
      {"ripples", ripples}, {"needle", needle}, {"trap", trap}};
  std::vector<Choice> ticks(static_cast<std::size_t>(points));
  for (std::size_t i = 0; i < ticks.size(); ++i) ticks[i] = static_cast<double>(i) / (points - 1);
  const Grid grid{{{"x", ticks}, {"y", ticks}, {"u", ticks}, {"v", ticks}}};
  const std::vector<std::pair<const char*, AnySampler>> samplers{
      {"grid", grid}, {"random", Random{}}, {"zoom", CoarseToFine{}}};
  std::cout.precision(17);
  const char* comma = "{";
  for (const auto& [name, function] : functions) {
    std::cout << comma << '"' << name << "\": {";
    comma = ", ";
    const char* inner = "";
    for (const auto& [label, sampler] : samplers) {
      std::cout << inner << '"' << label << "\": [";
      inner = ", ";
      for (int seed = 0; seed < seeds; ++seed) {
        Draws place(static_cast<std::uint64_t>(seed), 0, "place of the minimum");
        const double x = function == trap ? 0.75 : place.uniform(), y = function == trap ? 0.8 : place.uniform();
        const auto best = best_values(sampler, static_cast<std::uint64_t>(seed), budget, [&](Search& trial) {
          const FloatDistribution unit{0, 1};
          const double a = trial("x", unit), b = trial("y", unit);
          trial("u", unit), trial("v", unit);  // without effect
          return function(a - x, b - y);
        });
        std::cout << (seed ? ", " : "") << best.back();
      }
      std::cout << ']';
    }
    std::cout << '}';
  }
  std::cout << "}\n";
}
