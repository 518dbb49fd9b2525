// Learns a series of hourly values with a GRU that tells mean and standard deviation of the next value, goes on from
// its end by drawing many continuations, and draws the interval that holds 90 % of them as forecast.png.
//   forecast [--steps N] [--seed N] [--threads N]
#include <xgrad/nn/recurrent.hpp>
#include <xgrad/xgrad.hpp>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <numbers>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t learnt = 4000, horizon = 96, window = 192, paths = 400;

/// A load with a day and a week, and noise that remembers and is greater by day.
std::vector<float> make_series(Generator& generator) {
  std::vector<float> series(learnt + horizon), noise(series.size());
  generator.normal(noise.data(), static_cast<std::int64_t>(noise.size()));
  double remembered = 0;
  for (std::size_t hour = 0; hour < series.size(); ++hour) {
    const double day = 2 * std::numbers::pi * static_cast<double>(hour % 24) / 24;
    const bool weekend = hour / 24 % 7 >= 5;
    const double sun = std::max(0.0, -std::cos(day));
    remembered = 0.7 * remembered + (0.05 + 0.1 * sun) * static_cast<double>(noise[hour]);
    series[hour] = static_cast<float>((weekend ? 0.5 : 1.0) * sun + 0.3 * std::sin(2 * day) + remembered);
  }
  return series;
}

struct Forecaster {
  nn::GRU gru{1, 64, {.batch_first = true}};
  nn::Linear out{64, 2};

  struct Prediction {
    Tensor mean, std;
  };
  /// (N, L, 1) to mean and standard deviation of the next value after each, (N, L, 1).
  Prediction operator()(const Tensor& x, Tensor* state = nullptr) const {
    const auto [h, after] = gru(x, state ? *state : Tensor());
    if (state) *state = after;
    const Tensor y = out(h);
    return {narrow(y, 2, 0, 1), softplus(narrow(y, 2, 1, 1)) + 1e-3};
  }
};

/// Minus the logarithm of the density, but for a constant.
Tensor loss_of(const Forecaster::Prediction& predicted, const Tensor& target) {
  return mean(log(predicted.std) + 0.5 * square((target - predicted.mean) / predicted.std));
}

/// The values (horizon, paths) of continuations of a series (1, L, 1).
Tensor continuations(const Forecaster& net, const Tensor& series) {
  const NoGrad no_grad;
  Tensor state;
  Forecaster::Prediction next = net(expand(series, {paths, series.size(1), 1}), &state);
  std::vector<Tensor> steps;
  for (std::int64_t step = 0; step < horizon; ++step) {
    const std::int64_t last = next.mean.size(1) - 1;
    const Tensor value = narrow(next.mean, 1, last, 1) + narrow(next.std, 1, last, 1) * randn({paths, 1, 1});
    steps.push_back(flatten(value));
    next = net(value, &state);
  }
  return stack(steps, 0);
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Forecasts a series with its interval");
  std::int64_t steps = 600, seed = 0;
  int threads = num_threads();
  app.add_option("--steps", steps, "of training")->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--threads", threads)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  set_num_threads(threads);
  manual_seed(static_cast<std::uint64_t>(seed));

  const Tensor series = reshape(tensor(make_series(default_generator())), {1, learnt + horizon, 1});
  std::vector<Tensor> inputs, targets;
  for (std::int64_t begin = 0; begin + window < learnt; begin += 8) {
    inputs.push_back(select(narrow(series, 1, begin, window), 0, 0));
    targets.push_back(select(narrow(series, 1, begin + 1, window), 0, 0));
  }
  const data::TensorDataset windows(stack(inputs, 0), stack(targets, 0));
  data::DataLoader loader(windows, {.batch_size = 32, .shuffle = true, .drop_last = true, .seed = 0});

  Forecaster net;
  optim::Adam adam(net, {.lr = 5e-3});
  optim::Schedule schedule(adam, optim::cosine(steps, {.end = 0.02}));
  double first_loss = 0, loss = 0;
  for (std::int64_t step = 0; step < steps;)
    for (auto batch = loader.begin(); batch != loader.end() && step < steps; ++batch, ++step) {
      adam.zero_grad();
      const Tensor error = loss_of(net(batch->x), batch->y);
      error.backward();
      optim::clip_grad_norm_(adam.parameters(), 1.0);
      adam.step();
      schedule.step();
      loss = error.item();
      if (step == 0) first_loss = loss;
      if (step % 100 == 0 || step + 1 == steps) std::cout << "step " << step << ": loss " << loss << '\n';
    }

  const Tensor drawn = continuations(net, narrow(series, 1, learnt - 2 * window, 2 * window));
  const std::vector<float> truth = series.to_vector<float>();
  Tensor rows = zeros({horizon, 5});  // hour, truth, and 5 %, 50 % and 95 % of the paths
  std::int64_t inside = 0;
  for (std::int64_t hour = 0; hour < horizon; ++hour) {
    std::vector<float> values = select(drawn, 0, hour).to_vector<float>();
    std::sort(values.begin(), values.end());
    const float value = truth[static_cast<std::size_t>(learnt + hour)];
    const float low = values[paths / 20], high = values[paths - paths / 20];
    inside += value >= low && value <= high;
    const std::array row{static_cast<float>(hour), value, low, values[paths / 2], high};
    std::copy(row.begin(), row.end(), rows.data<float>() + hour * 5);
  }
  std::cout << inside << " of " << horizon << " values lie in the interval of 90 %\n";

  Tensor before = zeros({horizon, 2});
  for (std::int64_t hour = 0; hour < horizon; ++hour) {
    before.data<float>()[2 * hour] = static_cast<float>(hour - horizon);
    before.data<float>()[2 * hour + 1] = truth[static_cast<std::size_t>(learnt - horizon + hour)];
  }
  Gnuplot plot("forecast.png", 900, 420);
  plot.define("before", before);
  plot.define("rows", rows);
  plot << "set xlabel 'hours'\nset ylabel 'load'\nset key outside top center horizontal\nset style fill solid 0.35 "
          "noborder\nplot "
       << "$rows using 1:3:5 with filledcurves lc rgb '#5b8bd0' title '90 % of the continuations', "
       << "$before with lines lc rgb 'black' title 'before', "
       << "$rows using 1:2 with lines lc rgb 'black' dt 2 title 'what came', "
       << "$rows using 1:4 with lines lc rgb '#1f4e9c' lw 2 title 'median'\n";
  return loss < first_loss ? 0 : 1;
} catch (const Error& error) {
  std::cerr << "forecast: " << error.what() << '\n';
  return 1;
}
