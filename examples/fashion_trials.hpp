#pragma once
// Trainings on Fashion-MNIST as trials of a search.

#include <xgrad/tune.hpp>
#include <xgrad/xgrad.hpp>

#include <string>

/// Trains for so many epochs, and reports the accuracy after each. A paused trial goes on where it was, and a pruned
/// one ends. Returns how many epochs were trained.
template <class Schedule>
int train_in(xgrad::tune::Trial& trial, int epochs, xgrad::nn::Sequential& net, xgrad::optim::Adam& adam,
             Schedule& schedule, xgrad::data::DataLoader& loader, const xgrad::data::Dataset& validation) {
  int trained = 0;
  for (const int epoch : trial.epochs(epochs, net, adam, schedule, loader)) {
    xgrad::nn::train(net);
    for (const auto& [x, y] : loader) {
      adam.zero_grad();
      cross_entropy(net(x), y).backward();
      adam.step();
    }
    schedule.step();
    trial.report(epoch, xgrad::nn::accuracy(net, validation));
    ++trained;
  }
  return trained;
}

/// A batch-normalised classifier whose layers, batches and optimizer are suggested; how many epochs it was trained.
inline int train_classifier(xgrad::tune::Trial& trial, int epochs, const xgrad::data::Dataset& fit,
                            const xgrad::data::Dataset& validation) {
  using namespace xgrad;
  const double lr = trial.suggest_float("lr", 1e-4, 1.0, tune::log_scale);             // 10^r
  const double beta1 = trial.suggest_float("beta1", 0.9, 0.999, tune::log_one_minus);  // 1 - 10^r
  const double beta2 = trial.suggest_float("beta2", 0.9, 0.9999, tune::log_one_minus);
  const double eps = trial.suggest_float("eps", 1e-10, 1e-4, tune::log_scale);
  const double decay = trial.suggest_float("lr_decay", 0.5, 1.0);
  const auto layers = trial.suggest_int("layers", 1, 4);
  const auto batch = trial.suggest_categorical("batch_size", {32, 64, 128, 256, 512});

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
  return train_in(trial, epochs, net, adam, schedule, loader, validation);
}
