// Solves the heat equation u_t = k u_xx on a rod with a network, from nothing but the equation: its loss is the square
// of u_t - k u_xx, so that training differentiates second derivatives.
//   heat_equation [--steps N] [--seed N] [--plot FILE.png]
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <numbers>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr double pi = std::numbers::pi, conductivity = 0.05;

/// The temperature at the start.
Tensor initial(const Tensor& x) { return sin(pi * x) + 0.5 * sin(3 * pi * x); }

/// The temperature at time t: each wave decays by itself.
Tensor exact(const Tensor& x, const Tensor& t) {
  return exp(-conductivity * pi * pi * t) * sin(pi * x) + 0.5 * exp(-9 * conductivity * pi * pi * t) * sin(3 * pi * x);
}

/// The temperature u(x, t). It is right at the start and at the ends of the rod whatever the network says.
struct Temperature {
  nn::Sequential network{nn::Linear(2, 32), nn::Tanh(), nn::Linear(32, 32), nn::Tanh(), nn::Linear(32, 1)};

  Tensor operator()(const Tensor& x, const Tensor& t) const {
    return initial(x) + t * x * (1 - x) * network(concat({x, t}, 1));
  }
};

/// Mean square of u_t - k u_xx at points (x, t).
Tensor residual(const Temperature& u, const Tensor& x, const Tensor& t) {
  const auto first = grad(sum(u(x, t)), {x, t}, {.create_graph = true});
  const Tensor u_xx = grad(sum(first[0]), {x}, {.create_graph = true})[0];
  return mean(square(first[1] - conductivity * u_xx));
}

/// Rows of `values`, at every x of 0 to 1 (columns) and t of 0 to 2 (rows).
template <class F>
Tensor on_grid(const F& f, std::int64_t n) {
  const Tensor axis = linspace(0, 1, n);
  const Tensor x = reshape(expand(axis, {n, n}), {n * n, 1});
  const Tensor t = reshape(expand(reshape(2 * axis, {n, 1}), {n, n}), {n * n, 1});
  const NoGrad no_grad;
  return reshape(f(x, t), {n, n});
}

}  // namespace

int main(int argc, char** argv) {
  int steps = 20000;
  std::uint64_t seed = 0;
  std::string plot = "heat_equation.png";
  CLI::App app("Solves the heat equation with a network");
  app.add_option("--steps", steps, "steps of Adam")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--plot", plot, "picture to write, by gnuplot")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  manual_seed(seed);
  Temperature u;
  optim::Adam adam(nn::parameters(u), {.lr = 3e-3});
  optim::CosineAnnealingLR schedule(adam, {.t_max = steps});
  const auto start = std::chrono::steady_clock::now();
  for (int step = 1; step <= steps; ++step) {
    Tensor x = rand({256, 1}).requires_grad_(), t = (2 * rand({256, 1})).requires_grad_();
    adam.zero_grad();
    const Tensor loss = residual(u, x, t);
    loss.backward();
    adam.step();
    schedule.step();
    if (step % (steps / std::min(steps, 6)) == 0)
      std::cout << "step " << step << ": mean square of u_t - k u_xx " << loss.item() << '\n';
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;

  const Tensor solved = on_grid(u, 101), truth = on_grid(exact, 101), error = abs(solved - truth);
  std::cout << "largest error against the exact solution " << max(error).item() << ", in " << took.count() << " s\n";

  Gnuplot gnuplot(plot, 1200, 420);
  gnuplot.define("solved", solved);
  gnuplot.define("truth", truth);
  gnuplot.define("error", error);
  gnuplot
      << "set multiplot layout 1,3 title 'u_t = " << conductivity << " u_{xx}' \n"
      << "set xlabel 'x'; set ylabel 't'; set xrange [0:1]; set yrange [0:2]; set tics out nomirror; set rmargin 9\n"
      << "set palette defined (0 '#0d0887', 0.25 '#7e03a8', 0.5 '#cc4778', 0.75 '#f89540', 1 '#f0f921')\n";
  for (const std::string name : {"solved", "truth", "error"})
    gnuplot << "set title '"
            << (name == "solved"  ? "network"
                : name == "truth" ? "exact"
                                  : "|network - exact|")
            << "'\n"
            << (name == "error" ? "set format cb '%.0e'\n" : "") << "plot $" << name
            << " matrix using ($1/100):($2/50):3 with image notitle\n";
  return max(error).item() < 0.02 ? 0 : 1;
}
