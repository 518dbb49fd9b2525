// Gaussian-process regression: what a function may be between its measurements, and how sure that is. The lengths over
// which it changes, its size and the noise are found by maximising the likelihood of the measurements with L-BFGS; the
// gradient goes through a Cholesky factorisation.
//   gaussian_process [--points N] [--seed N] [--plot FILE.png]
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <iostream>
#include <numbers>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions doubles{.dtype = float64};

struct Kernel {  // positive parameters, as logarithms
  Tensor log_scale = zeros({}, {.dtype = float64, .requires_grad = true});
  Tensor log_length = zeros({}, {.dtype = float64, .requires_grad = true});
  Tensor log_noise = full({}, -1.0, {.dtype = float64, .requires_grad = true});

  /// How values at a (n, d) and b (m, d) vary together: (n, m).
  Tensor operator()(const Tensor& a, const Tensor& b) const {
    return exp(2.0 * log_scale) * exp(-0.5 * square(cdist(a, b) / exp(log_length)));
  }
};

/// The Cholesky factor of the covariance of measurements at x.
Tensor factor(const Kernel& kernel, const Tensor& x) {
  return linalg::cholesky(kernel(x, x) + exp(2.0 * kernel.log_noise) * eye(x.size(0), doubles));
}

struct Posterior {
  Tensor mean, deviation;
};

/// Of the function at `places`, after measurements y at x.
Posterior posterior(const Kernel& kernel, const Tensor& x, const Tensor& y, const Tensor& places) {
  const NoGrad no_grad;
  const Tensor L = factor(kernel, x), between = kernel(x, places);
  const Tensor known = linalg::solve_triangular(L, between);
  return {matmul(transpose(between, 0, 1), linalg::cholesky_solve(L, y)),
          sqrt(exp(2.0 * kernel.log_scale) - sum(square(known), 0))};
}

Tensor truth(const Tensor& x) { return sin(2.0 * x) + 0.3 * x; }

void draw(const std::string& file, const Tensor& x, const Tensor& y, const Tensor& places, const Posterior& found) {
  Gnuplot plot(file, 900, 500);
  const Tensor at = select(places, 1, 0);
  plot.define(
      "posterior",
      stack({at, found.mean, found.mean - 2 * found.deviation, found.mean + 2 * found.deviation, truth(at)}, 1));
  plot.define("measured", stack({select(x, 1, 0), y}, 1));
  plot << "set key top left\nset xlabel 'x'\nset style fill solid 0.25 noborder\n"
       << "plot $posterior using 1:3:4 with filledcurves lc rgb '#4477aa' title 'two standard deviations', "
       << "$posterior using 1:2 with lines lw 2 lc rgb '#4477aa' title 'posterior mean', "
       << "$posterior using 1:5 with lines dt 2 lc rgb '#333333' title 'the function', "
       << "$measured using 1:2 with points pt 7 ps 0.7 lc rgb '#cc3311' title 'measurements'\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t count = 40;
  std::uint64_t seed = 3;
  std::string plot = "gaussian_process.png";
  CLI::App app("Gaussian-process regression");
  app.add_option("--points", count, "measurements")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--plot", plot, "picture to write, by gnuplot")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  manual_seed(seed);

  // Measurements to the left of 2 and to the right of 4: between them the function is not known.
  const Tensor left = 2.0 * rand({count - count / 2, 1}, doubles), right = 4.0 + 3.0 * rand({count / 2, 1}, doubles);
  const Tensor x = concat({left, right});
  const Tensor y = truth(select(x, 1, 0)) + 0.1 * randn({count}, doubles);

  Kernel kernel;
  const auto result = optim::minimize(
      [&](const Kernel& k) {
        const Tensor L = factor(k, x);
        const double constant = 0.5 * static_cast<double>(count) * std::log(2 * std::numbers::pi);
        return 0.5 * sum(y * linalg::cholesky_solve(L, y)) + sum(log(diagonal(L))) + constant;
      },
      kernel, {.tolerance = 1e-6});
  std::cout << result << "\nscale " << exp(kernel.log_scale).item() << ", length " << exp(kernel.log_length).item()
            << ", noise " << exp(kernel.log_noise).item() << " (0.1 was added)\n";

  const Tensor places = unsqueeze(linspace(0, 7, 281, doubles), 1);
  const Posterior found = posterior(kernel, x, y, places);
  draw(plot, x, y, places, found);

  const Tensor error = abs(found.mean - truth(select(places, 1, 0)));
  const double covered = mean((error <= 2 * found.deviation).to(float64)).item();
  const double gap = found.deviation.at({120}), beside = found.deviation.at({40});  // at 3, and at 1
  std::cout << "the function lies in the band at " << 100 * covered << "% of all places; it is as wide as " << 4 * gap
            << " where nothing was measured, and " << 4 * beside << " beside measurements\n";
  return result.converged && covered > 0.8 && gap > 2 * beside ? 0 : 1;
}
