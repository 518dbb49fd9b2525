// A cart learns to balance a pole: policy gradient (REINFORCE; Williams, 1992) with the dynamics of Barto, Sutton and
// Anderson (1983). A network gives the probabilities of a push to the left and to the right; actions that lead to more
// steps than usual become likelier. Draws how long the pole stays up against the number of updates.
//   cart_pole [--updates N] [--episodes N] [--seed N] [--plot FILE.png]
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t longest = 500;  // steps, after which an episode ends well
constexpr double discount = 0.99;

/// A cart on a rail with a pole on top. In meters, radians and seconds.
struct CartPole {
  double place = 0, speed = 0, angle = 0, turning = 0;

  bool is_up() const { return std::abs(place) < 2.4 && std::abs(angle) < 12 * 3.14159265 / 180; }

  /// Pushes the cart for a fiftieth of a second, to the right or to the left.
  void step(bool right) {
    constexpr double gravity = 9.8, cart = 1, pole = 0.1, half_length = 0.5, force = 10, seconds = 0.02;
    const double push = right ? force : -force, sine = std::sin(angle), cosine = std::cos(angle);
    const double swing = (push + pole * half_length * turning * turning * sine) / (cart + pole);
    const double angular =
        (gravity * sine - cosine * swing) / (half_length * (4.0 / 3 - pole * cosine * cosine / (cart + pole)));
    const double linear = swing - pole * half_length * angular * cosine / (cart + pole);
    place += seconds * speed;
    speed += seconds * linear;
    angle += seconds * turning;
    turning += seconds * angular;
  }
};

/// What was seen and done in the steps of several episodes, and how much came of each step.
struct Experience {
  Tensor states, actions, returns;  // (N, 4), (N,), (N,)
  double mean_steps = 0;
};

/// Plays episodes side by side until all have ended.
Experience play(const nn::Sequential& policy, std::int64_t episodes) {
  const NoGrad no_grad;
  const auto count = static_cast<std::size_t>(episodes);
  const std::vector<double> start = (rand({4 * episodes}, {.dtype = float64}) * 0.1 - 0.05).to_vector<double>();
  std::vector<CartPole> carts;
  for (std::size_t i = 0; i < count; ++i)
    carts.push_back({start[4 * i], start[4 * i + 1], start[4 * i + 2], start[4 * i + 3]});
  std::vector<std::int64_t> steps(count, 0);
  std::vector<Tensor> states, actions;
  std::vector<std::vector<std::size_t>> playing;  // which episodes the rows of `states` are of
  for (std::int64_t step = 0; step < longest; ++step) {
    std::vector<float> seen;
    std::vector<std::size_t> up;
    for (std::size_t i = 0; i < count; ++i) {
      const CartPole& cart = carts[i];
      if (!cart.is_up()) continue;
      up.push_back(i);
      for (const double value : {cart.place, cart.speed, cart.angle, cart.turning})
        seen.push_back(static_cast<float>(value));
    }
    if (up.empty()) break;
    states.push_back(reshape(tensor(seen), {-1, 4}));
    actions.push_back(distributions::Categorical({.logits = policy(states.back())}).sample());
    const std::vector<std::int64_t> pushes = actions.back().to_vector<std::int64_t>();
    for (std::size_t row = 0; row < up.size(); ++row) {
      carts[up[row]].step(pushes[row] == 1);
      ++steps[up[row]];
    }
    playing.push_back(std::move(up));
  }
  std::vector<double> returns;  // one for each step to come, those far away counting less
  for (std::size_t step = 0; step < playing.size(); ++step)
    for (const std::size_t i : playing[step])
      returns.push_back((1 - std::pow(discount, steps[i] - static_cast<std::int64_t>(step))) / (1 - discount));
  double sum = 0;
  for (const std::int64_t n : steps) sum += static_cast<double>(n);
  return {concat(states), concat(actions), tensor(returns).to(float32), sum / static_cast<double>(episodes)};
}

void draw(const std::string& file, const std::vector<double>& steps) {
  std::vector<double> rows;
  double smooth = steps.front();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    smooth += 0.3 * (steps[i] - smooth);
    rows.insert(rows.end(), {static_cast<double>(i + 1), steps[i], smooth});
  }
  Gnuplot plot(file, 900, 450);
  plot.define("reward", reshape(tensor(rows), {-1, 3}));
  plot << "set xlabel 'update'\nset ylabel 'steps with the pole up'\nset yrange [0:520]\nset key bottom right\nset "
          "grid\n"
          "plot $reward using 1:2 with lines lc rgb '#bbccee' title 'mean of the episodes', "
          "$reward using 1:3 with lines lw 2 lc rgb '#4477aa' title 'smoothed'\n";
}

}  // namespace

int main(int argc, char** argv) try {
  std::int64_t updates = 100, episodes = 16;
  std::uint64_t seed = 0;
  std::string plot = "cart_pole.png";
  CLI::App app("Balances a pole by policy gradient");
  app.add_option("--updates", updates, "Steps of the optimizer")->check(CLI::Range(10, 100000))->capture_default_str();
  app.add_option("--episodes", episodes, "Played before each")->check(CLI::Range(1, 10000))->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--plot", plot, "picture to write, by gnuplot")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  manual_seed(seed);

  nn::Sequential policy{nn::Linear(4, 64), nn::Tanh(), nn::Linear(64, 2)};
  optim::Adam adam(policy, {.lr = 1e-2});
  std::vector<double> steps;
  for (std::int64_t update = 1; update <= updates; ++update) {
    const Experience seen = play(policy, episodes);
    const Tensor advantage = (seen.returns - mean(seen.returns)) / (stddev(seen.returns) + 1e-6);
    adam.zero_grad();
    const distributions::Categorical actions({.logits = policy(seen.states)});
    (-mean(actions.log_prob(seen.actions) * advantage)).backward();
    adam.step();
    steps.push_back(seen.mean_steps);
    if (update % 10 == 0)
      std::printf("after %3lld updates the pole stays up for %5.1f steps\n", static_cast<long long>(update),
                  seen.mean_steps);
  }
  draw(plot, steps);
  return steps.back() > 3 * steps.front() ? 0 : 1;
} catch (const Error& error) {
  std::cerr << "cart_pole: " << error.what() << '\n';
  return 1;
}
