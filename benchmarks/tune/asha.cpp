// After how many epochs successive halving has what random search ends with, on Fashion-MNIST, with the model and the
// space of examples/tune_fashion_mnist.cpp. For each seed three searches, one worker, one thread:
//   random         TRIALS trials of 9 epochs, none of them pruned; its result is the best value of all
//   random + ASHA  the same draws, paused and promoted by ASHA{.eta = 3}
//   TPE + ASHA     as the example
// The latter two begin as many trials as they like. They have reached the result with the epoch that brings a trial to
// its end, the 9th epoch, with at least that value; all epochs trained until then count, whatever trial they belong to.
// Those that have not reached it when they have used as many epochs as random search are given up.
//   benchmark_asha TRIALS IMAGES SEEDS...     IMAGES: of the 50,000 for training
#include <xgrad/tune.hpp>
#include <xgrad/xgrad.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

using namespace xgrad;

namespace {

constexpr int epochs_of_a_trial = 9;

/// Trains until the trial pauses or ends; the number of epochs.
int train(tune::Trial& trial, const data::Dataset& fit, const data::Dataset& validation) {
  const double lr = trial.suggest_float("lr", 1e-4, 1.0, tune::log_scale);
  const double beta1 = trial.suggest_float("beta1", 0.9, 0.999, tune::log_one_minus);
  const double beta2 = trial.suggest_float("beta2", 0.9, 0.9999, tune::log_one_minus);
  const double eps = trial.suggest_float("eps", 1e-10, 1e-4, tune::log_scale);
  const double decay = trial.suggest_float("lr_decay", 0.5, 1.0);
  const auto layers = trial.suggest_int("layers", 1, 4);
  const auto batch = trial.suggest_categorical("batch_size", {32, 64, 128, 256, 512});

  manual_seed(trial.seed());  // as optimize() does
  nn::Sequential net;
  net.add(nn::Flatten());
  std::int64_t width = 784;
  for (int i = 0; i < layers; ++i) {
    const auto units = trial.suggest_int("units_" + std::to_string(i), 32, 512, tune::log_scale);
    net.add(nn::Linear(width, units, {.bias = false}), nn::BatchNorm1d(units), nn::ReLU());
    width = units;
  }
  net.add(nn::Linear(width, 10));

  optim::Adam adam(nn::parameters(net), {.lr = lr, .beta1 = beta1, .beta2 = beta2, .eps = eps});
  optim::ExponentialLR schedule(adam, {.gamma = decay});
  data::DataLoader loader(fit, {.batch_size = batch, .shuffle = true, .seed = trial.seed()});
  int trained = 0;
  for (const int epoch : trial.epochs(epochs_of_a_trial, net, adam, schedule, loader)) {
    nn::train(net);
    for (const auto& [x, y] : loader) {
      adam.zero_grad();
      cross_entropy(net(x), y).backward();
      adam.step();
    }
    schedule.step();
    trial.report(epoch, nn::accuracy(net, validation));
    ++trained;
  }
  return trained;
}

struct Outcome {
  std::int64_t epochs = 0, begun = 0, trial = -1;  // the trial that has the best value
  double best = 0;                                 // of a trial that came to its end
};

/// Searches until it has `wanted`, or has used up its epochs.
Outcome search(const tune::AnySampler& sampler, const tune::AnyPruner& pruner, std::uint64_t seed, std::int64_t epochs,
               double wanted, const data::Dataset& fit, const data::Dataset& validation) {
  auto study =
      tune::Study::open("", "asha", {.direction = tune::maximize, .sampler = sampler, .pruner = pruner, .seed = seed});
  Outcome outcome;
  while (outcome.epochs < epochs && outcome.best < wanted) {
    tune::Trial trial = study.ask();
    outcome.begun = std::max(outcome.begun, trial.number() + 1);
    outcome.epochs += train(trial, fit, validation);
    if (!study.tell(trial, tune::TrialState::complete)) continue;  // it has paused
    const double value = trial.record().values.at(0);
    if (value > outcome.best) outcome.best = value, outcome.trial = trial.number();
  }
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 1;
  set_num_threads(1);
  const std::int64_t trials = std::atoll(argv[1]), images = std::atoll(argv[2]);
  const data::FashionMNIST train_set(data::fashion_mnist_directory(), {.train = true});
  const auto parts = data::random_split(train_set, {images, 10000, 50000 - images}, {.seed = 0});
  for (int i = 3; i < argc; ++i) {
    const auto seed = static_cast<std::uint64_t>(std::atoll(argv[i]));
    const auto run = [&](const char* name, const tune::AnySampler& sampler, const tune::AnyPruner& pruner,
                         std::int64_t epochs, double wanted) {
      const Outcome o = search(sampler, pruner, seed, epochs, wanted, parts[0], parts[1]);
      std::printf("| %d | %s | %lld | %lld | %.4f | %lld | %.2f |%s\n", static_cast<int>(seed), name,
                  static_cast<long long>(o.begun), static_cast<long long>(o.epochs), o.best,
                  static_cast<long long>(o.trial),
                  static_cast<double>(o.epochs) / static_cast<double>(trials * epochs_of_a_trial),
                  o.best < wanted && std::isfinite(wanted) ? " not reached" : "");
      std::fflush(stdout);
      return o;
    };
    const std::int64_t all = trials * epochs_of_a_trial;
    const Outcome random = run("random", tune::Random{}, tune::None{}, all, std::numeric_limits<double>::infinity());
    run("random + ASHA", tune::Random{}, tune::ASHA{.eta = 3}, all, random.best);
    run("TPE + ASHA", tune::TPE{}, tune::ASHA{.eta = 3}, all, random.best);
  }
}
