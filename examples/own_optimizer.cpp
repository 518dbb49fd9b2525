// Optimizers of one's own are structs: members are options, one function is the update. These two train a network that
// learns a wave, beside Adam. Prints the losses and the time of a step.
//   own_optimizer
#include <xgrad/xgrad.hpp>

#include <chrono>
#include <cmath>
#include <iomanip>
#include <iostream>

using namespace xgrad;

namespace {

/// Adam that moves only where momentum and gradient agree (Liang et al., arXiv 2411.16085): an update of elements.
struct CautiousAdam {
  optim::Option<double> lr = optim::by_default(1e-3), beta1 = optim::by_default(0.9), beta2 = optim::by_default(0.999);
  static constexpr std::array buffers{"exp_avg", "exp_avg_sq"};  // what is kept for each element, zero at first

  template <class T>
  void update(const optim::Elements<T>& elements) const {
    const auto t = static_cast<double>(elements.step);
    const T b1 = static_cast<T>(beta1), b2 = static_cast<T>(beta2);
    const T rate = static_cast<T>(lr / (1 - std::pow(beta1, t)));
    const T root = static_cast<T>(1 / std::sqrt(1 - std::pow(beta2, t)));
    elements.each([=](T& p, T g, T& m, T& v) {
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      const T move = rate * m / (elementary::sqrt(v) * root + T(1e-8));
      p -= m * g > 0 ? move : T(0);
    });
  }
};

/// Steps of the length of the rate, along the gradient of each parameter: an update of parameters as a whole.
struct Normalized {
  optim::Option<double> lr = optim::by_default(1e-3);

  void update(optim::ParameterUpdate& one) const {
    const double length = norm(one.gradient).item();
    if (length > 0) one.parameter.sub_(one.gradient, {.alpha = lr / length});
  }
};

/// The last loss of a network trained by the optimizer that `make` makes for it.
template <class Make>
double train_with(const char* name, const Make& make) {
  manual_seed(0);
  nn::Sequential net{nn::Linear(1, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh(), nn::Linear(64, 1)};
  auto optimizer = make(net);
  optim::Schedule schedule(optimizer, optim::linear_warmup(20) >> optim::cosine(480));
  const Tensor x = rand({256, 1}) * 6.0 - 3.0, y = sin(2.0 * x);
  double loss = 0;
  std::chrono::duration<double, std::micro> in_steps{};
  for (int step = 0; step < 500; ++step) {
    optimizer.zero_grad();
    const Tensor error = mse_loss(net(x), y);
    error.backward();
    const auto begin = std::chrono::steady_clock::now();
    optimizer.step();
    in_steps += std::chrono::steady_clock::now() - begin;
    schedule.step();
    loss = error.item();
  }
  std::cout << std::left << std::setw(14) << name << " loss " << std::setw(12) << loss << std::setprecision(3)
            << in_steps.count() / 500 << " us a step\n";
  return loss;
}

}  // namespace

int main() {
  const double adam = train_with("Adam", [](auto& net) { return optim::Adam(net, {.lr = 1e-2}); });
  const double cautious =
      train_with("CautiousAdam", [](auto& net) { return optim::OptimizerOf<CautiousAdam>(net, {.lr = 1e-2}); });
  const double normalized =
      train_with("Normalized", [](auto& net) { return optim::OptimizerOf<Normalized>(net, {.lr = 3e-2}); });
  return adam < 0.05 && cautious < 0.05 && normalized < 0.3 ? 0 : 1;
}
