#pragma once
// A small training program that uses everything epochs() saves.

#include <xgrad/tune.hpp>
#include <xgrad/xgrad.hpp>

#include <vector>

/// Trains for some epochs, reports each, and gives the weights at its end, if it came there. `begin_epoch` is called
/// before each.
inline std::vector<float> train_one(
    xgrad::tune::Trial& trial, int epochs, void (*begin_epoch)() = [] {}) {
  using namespace xgrad;
  const double lr = trial.suggest_float("lr", 1e-3, 1e-1, tune::log_scale);
  const auto units = trial.suggest_int("units", 4, 8);

  const auto normal = [](Generator& generator, const Shape& shape) {
    Tensor out = zeros(shape);
    generator.normal(out.data<float>(), out.numel());
    return out;
  };
  Generator data_generator(1);
  const Tensor x = normal(data_generator, {32, 5});
  const Tensor y = (sum(x, {1}) > 0).to(int64);
  const data::TensorDataset set(x, y);

  nn::Sequential net;
  net.add(nn::Linear(5, units), nn::BatchNorm1d(units), nn::ReLU(), nn::Dropout(0.25), nn::Linear(units, 2));
  optim::Adam adam(nn::parameters(net), {.lr = lr});
  optim::ExponentialLR schedule(adam, {.gamma = 0.9});
  data::DataLoader seeded(set, {.batch_size = 8, .shuffle = true, .seed = trial.seed()});
  data::DataLoader unseeded(set, {.batch_size = 8, .shuffle = true});
  Generator noise(trial.seed());

  int last = 0;
  double loss = 0;
  for (const int epoch : trial.epochs(epochs, net, adam, schedule, seeded, unseeded, noise)) {
    begin_epoch();
    nn::train(net);
    for (auto* loader : {&seeded, &unseeded})
      for (const auto& [inputs, targets] : *loader) {
        adam.zero_grad();
        const Tensor mean = cross_entropy(net(inputs + normal(noise, inputs.shape()) * 0.1f), targets);
        mean.backward();
        loss = mean.item();
        adam.step();
      }
    schedule.step();
    trial.report(epoch, nn::accuracy(net, set) + 1e-3 * loss);
    last = epoch;
  }
  std::vector<float> weights;
  if (last != epochs) return weights;
  for (const auto& [name, tensor] : nn::state_dict(net)) {
    const Tensor values = tensor.to(float32).contiguous();
    weights.insert(weights.end(), values.data<float>(), values.data<float>() + values.numel());
  }
  weights.push_back(static_cast<float>(adam.lr()));
  return weights;
}
