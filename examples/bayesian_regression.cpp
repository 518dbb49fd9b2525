// Bayesian regression by Hamiltonian Monte Carlo: not one curve through measurements, but draws of all that they allow.
// The gradient of the log-density of the weights drives a simulated particle; of this model the posterior is known, and
// the draws are held against it.
//   bayesian_regression [--draws N] [--seed N] [--plot FILE.png]
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <iostream>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions doubles{.dtype = float64};
constexpr std::int64_t weights = 4;
constexpr double noise = 0.3;

/// 1, x, x^2, x^3 of places (n,): (n, 4).
Tensor features(const Tensor& x) { return stack({ones_like(x), x, x * x, x * x * x}, 1); }

struct Draws {
  Tensor values;  // (draws, weights)
  double accepted;
};

/// Draws from a density by its logarithm: each follows a particle of random momentum for a while (Neal 2011).
template <class F>
Draws hamiltonian_monte_carlo(const F& log_density, Tensor at, std::int64_t draws, double step, int leaps) {
  const NoGrad no_grad;
  std::vector<Tensor> found;
  std::int64_t accepted = 0;
  auto [value, slope] = value_and_grad(log_density, at);
  const std::int64_t warm_up = draws / 5;
  for (std::int64_t i = -warm_up; i < draws; ++i) {
    Tensor p = randn(at.shape(), doubles), q = at, next_value = value, next_slope = slope;
    const double before = value.item() - 0.5 * sum(p * p).item();
    for (int leap = 0; leap < leaps; ++leap) {
      p = p + 0.5 * step * next_slope;
      q = q + step * p;
      std::tie(next_value, next_slope) = value_and_grad(log_density, q);
      p = p + 0.5 * step * next_slope;
    }
    const double after = next_value.item() - 0.5 * sum(p * p).item();
    if (std::log(rand({}, doubles).item()) < after - before) {
      at = q, value = next_value, slope = next_slope;
      if (i >= 0) ++accepted;
    }
    if (i >= 0) found.push_back(at);
  }
  return {stack(found), static_cast<double>(accepted) / static_cast<double>(draws)};
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t draws = 3000;
  std::uint64_t seed = 4;
  std::string plot = "bayesian_regression.png";
  CLI::App app("Bayesian regression by Hamiltonian Monte Carlo");
  app.add_option("--draws", draws)->check(CLI::Range(100, 10000000))->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--plot", plot, "picture to write, by gnuplot")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  manual_seed(seed);

  const Tensor x = 1.6 * rand({25}, doubles) - 1.0, truth = tensor({0.5, -1.0, 0.3, 1.5}, {.dtype = float64});
  const Tensor X = features(x), y = matmul(X, truth) + noise * randn({25}, doubles);

  const distributions::Normal prior(zeros({weights}, doubles), 2);
  const auto log_posterior = [&](const Tensor& w) {
    return sum(prior.log_prob(w)) + sum(distributions::Normal(matmul(X, w), noise).log_prob(y));
  };
  const Draws found = hamiltonian_monte_carlo(log_posterior, zeros({weights}, doubles), draws, 0.08, 20);

  const Tensor precision = matmul(transpose(X, 0, 1), X) / (noise * noise) + 0.25 * eye(weights, doubles);
  const Tensor covariance = linalg::inv(precision),
               exact = matmul(covariance, matmul(transpose(X, 0, 1), y)) / (noise * noise);
  const Tensor deviation = sqrt(diagonal(covariance));
  const double off = amax(abs(mean(found.values, 0) - exact) / deviation).item();
  const double spread = amax(abs(stddev(found.values, 0) / deviation - 1)).item();
  std::cout << "accepted " << 100 * found.accepted << "%\nmean of the draws " << mean(found.values, 0) << "\nexact "
            << exact << "\nthe means are off by up to " << off << " standard deviations, these by up to "
            << 100 * spread << "%\n";
  {
    const Tensor places = linspace(-1.5, 1.5, 121, doubles),
                 curves = matmul(found.values, transpose(features(places), 0, 1));
    const Tensor middle = mean(curves, 0), width = 2 * stddev(curves, 0);
    Gnuplot picture(plot, 900, 500);
    picture.define("posterior",
                   stack({places, middle, middle - width, middle + width, matmul(features(places), truth)}, 1));
    picture.define(
        "draws",
        concat({unsqueeze(places, 1), transpose(slice(curves, 0, 0, 12 * (draws / 13), draws / 13), 0, 1)}, 1));
    picture.define("measured", stack({x, y}, 1));
    picture << "set key top left\nset xlabel 'x'\nset yrange [-6:8]\nset style fill solid 0.25 noborder\n"
            << "plot $posterior using 1:3:4 with filledcurves lc rgb '#4477aa' title 'two standard deviations', "
            << "for [i=2:13] $draws using 1:i with lines lc rgb '#aabbcc' notitle, "
            << "$posterior using 1:2 with lines lw 2 lc rgb '#4477aa' title 'mean of the draws', "
            << "$posterior using 1:5 with lines dt 2 lc rgb '#333333' title 'the curve', "
            << "$measured using 1:2 with points pt 7 ps 0.7 lc rgb '#cc3311' title 'measurements'\n";
  }
  return found.accepted > 0.6 && off < 0.25 && spread < 0.15 ? 0 : 1;
}
