// A pendulum is filmed, and what it is made of is found: how fast it swings, how much it is damped, where it began. The
// parameters are those whose simulated angles are nearest to the measured ones, by L-BFGS; the gradient goes through
// the simulation.
//   pendulum [--points N] [--seed N] [--plot FILE.png]
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <iostream>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr double true_stiffness = 3.7, true_damping = 0.25, noise = 0.05;

struct Pendulum {
  Tensor log_stiffness = full({}, std::log(2.5), {.dtype = float64, .requires_grad = true});  // of g / length
  Tensor log_damping = full({}, std::log(0.1), {.dtype = float64, .requires_grad = true});
  Tensor start = tensor({1.0, 0.0}, {.dtype = float64, .requires_grad = true});  // angle and its rate

  /// The angles at these times.
  Tensor operator()(const std::vector<double>& times) const {
    const Tensor stiffness = exp(log_stiffness), damping = exp(log_damping);
    const auto motion = [&](double, const Tensor& state) {
      const Tensor angle = slice(state, 0, 0, 1), rate = slice(state, 0, 1, 2);
      return concat({rate, -stiffness * sin(angle) - damping * rate});
    };
    return select(odeint(motion, start, times, {.rtol = 1e-7, .atol = 1e-8}), 1, 0);
  }
};

}  // namespace

int main(int argc, char** argv) {
  std::int64_t count = 80;
  std::uint64_t seed = 1;
  std::string plot = "pendulum.png";
  CLI::App app("A pendulum identified by differentiating through its simulation");
  app.add_option("--points", count, "measurements")->check(CLI::Range(10, 100000))->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--plot", plot, "picture to write, by gnuplot")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  manual_seed(seed);

  std::vector<double> times;
  for (std::int64_t i = 0; i < count; ++i)
    times.push_back(8.0 * static_cast<double>(i) / static_cast<double>(count - 1));
  Pendulum truth;
  {
    const NoGrad no_grad;
    truth.log_stiffness.fill_(std::log(true_stiffness)), truth.log_damping.fill_(std::log(true_damping));
    truth.start.copy_(tensor({1.8, -0.5}, {.dtype = float64}));
  }
  const Tensor exact = truth(times).detach();
  const Tensor measured = exact + noise * randn({count}, {.dtype = float64});

  Pendulum pendulum;
  const Tensor before = pendulum(times).detach();
  // Short times first: over many swings, a wrong rate looks no better than no swings at all.
  optim::MinimizeResult result;
  for (const std::int64_t seen : {count / 4, count / 2, count}) {
    const std::vector<double> shown(times.begin(), times.begin() + seen);
    result = optim::minimize([&](const Pendulum& p) { return mse_loss(p(shown), slice(measured, 0, 0, seen)); },
                             pendulum, {.tolerance = 1e-7});
  }
  const Tensor after = pendulum(times).detach();
  const double stiffness = exp(pendulum.log_stiffness).item(), damping = exp(pendulum.log_damping).item();
  std::cout << result << "\nstiffness " << stiffness << " (" << true_stiffness << "), damping " << damping << " ("
            << true_damping << "), from angle " << pendulum.start.at({0}) << " (1.8) at rate " << pendulum.start.at({1})
            << " (-0.5)\n";
  {
    Gnuplot picture(plot, 900, 450);
    const Tensor at = tensor(times, {.dtype = float64});
    picture.define("angles", stack({at, measured, before, after}, 1));
    picture << "set xlabel 'time'\nset ylabel 'angle'\nplot $angles using 1:2 with points pt 7 ps 0.7 lc rgb '#cc3311' "
               "title 'measured', $angles using 1:3 with lines dt 2 lc rgb '#888888' title 'as guessed', "
               "$angles using 1:4 with lines lw 2 lc rgb '#4477aa' title 'as found'\n";
  }
  return std::abs(stiffness / true_stiffness - 1) < 0.02 && std::abs(damping / true_damping - 1) < 0.15 ? 0 : 1;
}
