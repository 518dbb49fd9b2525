// Logistic regression by Newton's method: the gradient and the Hessian of the loss are one call each, and a handful of
// steps reach the last bit of the minimum, where gradient descent takes thousands to come near.
//   newton [--points N] [--seed N] [--plot FILE.png]
#include <xgrad/xgrad.hpp>
#include <xgrad/xtensor.hpp>

#include <xtensor-blas/xlinalg.hpp>

#include <CLI/CLI.hpp>

#include <iostream>
#include <numbers>
#include <vector>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions doubles{.dtype = float64};

struct Points {
  Tensor positions, labels;  // (N, 2) and (N,), 0 or 1
};

/// Two interleaved half circles, blurred.
Points two_moons(std::int64_t n) {
  const Tensor angle = std::numbers::pi * rand({n}, doubles), label = (rand({n}, doubles) < 0.5).to(float64);
  const Tensor side = 1 - 2 * label;
  const Tensor x = side * cos(angle) + label, y = side * sin(angle) + 0.5 * label;
  return {stack({x, y}, 1) + 0.15 * randn({n, 2}, doubles), label};
}

/// Every product of powers of x and y up to the third: (N, 2) to (N, 10).
Tensor features(const Tensor& positions) {
  const Tensor x = select(positions, 1, 0), y = select(positions, 1, 1);
  std::vector<Tensor> columns;
  for (int degree = 0; degree <= 3; ++degree)
    for (int i = 0; i <= degree; ++i) columns.push_back(pow(x, degree - i) * pow(y, i));
  return stack(columns, 1);
}

/// The solution of A x = b.
Tensor solve(const Tensor& a, const Tensor& b) {
  const xt::xarray<double> matrix = as_xtensor<double>(a), right = as_xtensor<double>(b);
  return from_xtensor(xt::linalg::solve(matrix, right));
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t count = 400;
  std::uint64_t seed = 0;
  std::string plot = "newton.png";
  CLI::App app("Logistic regression by Newton's method");
  app.add_option("--points", count, "points to classify")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--plot", plot, "picture to write, by gnuplot")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  manual_seed(seed);
  const Points points = two_moons(count);
  const Tensor inputs = features(points.positions);
  const auto loss = [&](const Tensor& w) {
    return binary_cross_entropy_with_logits(matmul(inputs, w), points.labels) + 1e-4 * sum(square(w));
  };

  std::cout << "Newton's method\n";
  Tensor w = zeros({inputs.size(1)}, doubles);
  std::vector<double> newton, descent;
  for (int step = 0; step <= 12; ++step) {
    const auto [value, gradient] = value_and_grad(loss, w);
    newton.push_back(value.item());
    std::cout << "  step " << step << "  loss " << value.item() << "  gradient " << norm(gradient).item() << '\n';
    if (norm(gradient).item() < 1e-12) break;
    w = w - solve(hessian(loss, w), gradient);
  }
  const double least = newton.back();

  Tensor slow = zeros_like(w);
  int steps = 0;
  for (; steps < 5000; ++steps) {
    const auto [value, gradient] = value_and_grad(loss, slow);
    descent.push_back(value.item());
    slow = slow - 0.1 * gradient;
  }
  std::cout << "gradient descent: " << descent.back() - least << " above the minimum after " << steps << " steps\n";

  constexpr std::int64_t n = 121;
  const Tensor axis = linspace(0, 1, n, doubles);
  const Tensor x = reshape(expand(-1.75 + 4.5 * axis, {n, n}), {n * n});
  const Tensor y = reshape(expand(reshape(-1.25 + 3 * axis, {n, 1}), {n, n}), {n * n});
  const Tensor surface = concat({stack({x, y}, 1), unsqueeze(sigmoid(matmul(features(stack({x, y}, 1)), w)), 1)}, 1);
  const auto above = [&](const std::vector<double>& losses) {
    std::vector<double> rows;
    for (std::size_t i = 0; i < losses.size(); ++i)
      if (losses[i] > least) rows.insert(rows.end(), {static_cast<double>(i), losses[i] - least});
    return from_values<double>(rows, {static_cast<std::int64_t>(rows.size() / 2), 2});
  };

  Gnuplot gnuplot(plot, 1100, 460);
  gnuplot.define("surface", surface);
  gnuplot.define("points", concat({points.positions, unsqueeze(points.labels, 1)}, 1));
  gnuplot.define("newton", above(newton));
  gnuplot.define("descent", above(descent));
  gnuplot << "set multiplot layout 1,2\nset tics out nomirror\n"
          << "set title 'probability of the second class'; set xlabel 'x'; set ylabel 'y'\n"
          << "set xrange [-1.75:2.75]; set yrange [-1.25:1.75]; set cbrange [0:1]\n"
          << "set palette defined (0 '#2166ac', 0.5 '#f7f7f7', 1 '#b2182b')\n"
          << "plot $surface using 1:2:3 with image notitle, "
          << "$points using 1:($3 == 0 ? $2 : NaN) with points pt 7 ps 0.6 lc rgb '#053061' notitle, "
          << "$points using 1:($3 == 1 ? $2 : NaN) with points pt 7 ps 0.6 lc rgb '#67001f' notitle\n"
          << "set key bottom right; set title 'loss above its minimum'; set xlabel 'steps'; unset ylabel\n"
          << "set xrange [*:5000]; set yrange [1e-16:1]; set logscale y; set logscale x; set format y '10^{%L}'\n"
          << "plot $newton using ($1 + 1):2 with linespoints pt 7 lc rgb '#b2182b' title \"Newton's method\", "
          << "$descent using ($1 + 1):2 with lines lw 2 lc rgb '#2166ac' title 'gradient descent'\n";
  return norm(grad(loss, w)).item() < 1e-10 ? 0 : 1;
}
