// A neural network that is the right-hand side of a differential equation: it learns to wind into a spiral from short
// pieces of one, and is then followed from the beginning. After Chen, Rubanova, Bettencourt and Duvenaud, "Neural
// ordinary differential equations" (2018).
//   neural_ode [--steps N] [--seed N] [--plot FILE.png]
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t points = 400, piece = 12, batch = 32;
constexpr double spacing = 0.025;

struct Motion {
  nn::Linear inner{2, 48}, outer{48, 2};
  Tensor operator()(const Tensor& y) const { return outer(tanh(inner(y * y * y))); }
};

std::vector<double> times(std::int64_t count) {
  std::vector<double> t;
  for (std::int64_t i = 0; i < count; ++i) t.push_back(spacing * static_cast<double>(i));
  return t;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t steps = 4000;
  std::uint64_t seed = 2;
  std::string plot = "neural_ode.png";
  CLI::App app("A spiral learnt by a neural differential equation");
  app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--plot", plot, "picture to write, by gnuplot")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  manual_seed(seed);

  const Tensor turn = tensor({{-0.1, 2.0}, {-2.0, -0.1}}), start = tensor({{2.0, 0.0}});
  const Tensor spiral = squeeze(odeint([&](double, const Tensor& y) { return matmul(y * y * y, turn); }, start,
                                       times(points), {.rtol = 1e-6, .atol = 1e-7}),
                                1);  // (points, 2)

  Motion motion;
  optim::Adam optimizer(motion, {.lr = 5e-3});
  optim::CosineAnnealingLR schedule(optimizer, steps);
  const auto field = [&](double, const Tensor& y) { return motion(y); };
  const OdeintOptions by_steps{.method = OdeMethod::rk4};
  for (std::int64_t step = 0; step < steps; ++step) {
    const Tensor begin = randint(0, points - piece, {batch});
    std::vector<Tensor> wanted;
    for (std::int64_t i = 0; i < piece; ++i) wanted.push_back(index_select(spiral, 0, begin + i));
    const Tensor path = odeint(field, wanted[0], times(piece), by_steps);
    optimizer.zero_grad();
    const Tensor loss = l1_loss(path, stack(wanted));
    loss.backward();
    optimizer.step();
    schedule.step();
    if ((step + 1) % 1000 == 0) std::cout << "step " << step + 1 << ": loss " << loss.item() << '\n';
  }

  const NoGrad no_grad;
  const Tensor learnt = squeeze(odeint(field, start, times(points), by_steps), 1);
  const double error = mean(abs(learnt - spiral)).item(), size = mean(abs(spiral)).item();
  std::cout << "followed for " << spacing * points << " time units, the learnt spiral is off by " << error << " of "
            << size << " on average\n";
  {
    Gnuplot picture(plot, 600, 600);
    picture.define("spirals", concat({spiral, learnt}, 1));
    picture << "set size square\nset key center\nplot $spirals using 1:2 with points pt 7 ps 0.4 lc rgb '#cc3311' "
               "title 'the spiral', "
               "$spirals using 3:4 with lines lw 2 lc rgb '#4477aa' title 'learnt'\n";
  }
  return error < 0.1 * size ? 0 : 1;
}
