// The weather of a day in Seattle from what was measured on it: a CSV file to a confusion matrix. Training stops when
// the validation set no longer gains; the best network is kept in a file together with the preprocessing fitted to the
// training days, and what is read back from there is tested.
//   tabular [CHECKPOINT] [--data FILE] [--epochs N] [--patience N] [--seed N]
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/node.hpp>
#include <xgrad/data/csv.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/data/preprocessing.hpp>
#include <xgrad/data/splits.hpp>
#include <xgrad/data/tensor_dataset.hpp>
#include <xgrad/nn/dropout.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/nn/module.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/train/checkpoint.hpp>
#include <xgrad/train/classification_metrics.hpp>
#include <xgrad/train/probability_metrics.hpp>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>

using namespace xgrad;

namespace {

/// Everything that a prediction needs: it is saved and restored as a whole.
struct Forecast {
  data::SimpleImputer imputer{{.strategy = data::ImputeStrategy::median}};
  data::StandardScaler scaler;
  data::OneHotEncoder months{{.ignore_unknown = true}};
  data::LabelEncoder weather;

  static const std::vector<std::string>& measured() {
    static const std::vector<std::string> names{"precipitation", "temp_max", "temp_min", "wind"};
    return names;
  }
  static data::Labels month(const data::Table& days) {
    std::vector<std::string> all;
    for (std::int64_t i = 0; i < days.size(); ++i)  // YYYY/MM/DD
      all.emplace_back(days["date"].text(i).value_or("").substr(5, 2));
    return all;
  }

  void fit(const data::Table& days) {
    scaler.fit(imputer.fit_transform(days.numbers(measured())));
    months.fit({month(days)});
    weather.fit(days["weather"]);
  }
  /// (N, D) inputs of the network.
  Tensor inputs(const data::Table& days) const {
    return concat({scaler.transform(imputer.transform(days.numbers(measured()))), months.transform({month(days)})}, 1);
  }
  data::TensorDataset samples(const data::Table& days) const {
    return {inputs(days), weather.transform(days["weather"])};
  }
  std::int64_t classes() const { return static_cast<std::int64_t>(weather.classes().size()); }
};

struct Net {
  nn::Linear hidden1, hidden2, out;
  nn::Dropout dropout{0.2};
  Net(std::int64_t inputs, std::int64_t classes) : hidden1(inputs, 64), hidden2(64, 64), out(64, classes) {}
  auto fields() { return xgrad::fields("hidden1", hidden1, "hidden2", hidden2, "out", out, "dropout", dropout); }
  Tensor operator()(const Tensor& x) { return out(dropout(relu(hidden2(dropout(relu(hidden1(x))))))); }
};

train::Checkpoint file_of(const std::string& path, Net& net, Forecast& forecast) {
  return train::Checkpoint(path, net, forecast.imputer, forecast.scaler, forecast.months, forecast.weather);
}

template <class... Metrics>
void evaluate(Net& net, const data::Dataset& set, Metrics&... metrics) {
  nn::eval(net);
  const NoGrad no_grad;
  for (const auto& [x, y] : data::DataLoader(set, 256)) {
    const Tensor scores = net(x);
    (metrics.update(scores, y), ...);
  }
}

void print(const train::ConfusionMatrix& matrix, const std::vector<std::string>& names) {
  const Tensor counts = matrix.compute(), precision = matrix.precision_per_class(), recall = matrix.recall_per_class(),
               f1 = matrix.f1_per_class();
  std::printf("\n%-10s", "true\\taken");
  for (const std::string& name : names) std::printf("%9s", name.c_str());
  std::printf("%12s%9s%9s\n", "precision", "recall", "F1");
  for (std::int64_t i = 0; i < matrix.classes(); ++i) {
    std::printf("%-10s", names[static_cast<std::size_t>(i)].c_str());
    for (std::int64_t j = 0; j < matrix.classes(); ++j)
      std::printf("%9lld", static_cast<long long>(counts.at<std::int64_t>({i, j})));
    std::printf("%12.3f%9.3f%9.3f\n", precision.at({i}), recall.at({i}), f1.at({i}));
  }
  std::printf("\naccuracy %.3f, macro F1 %.3f, weighted F1 %.3f\n", matrix.accuracy(), matrix.f1(),
              matrix.f1(train::Average::weighted));
}

}  // namespace

int main(int argc, char** argv) try {
  std::string checkpoint = "tabular.checkpoint";
  std::string path = "/usr/lib/python3/dist-packages/vega_datasets/_data/seattle-weather.csv";
  std::int64_t epochs = 200, patience = 20;
  std::uint64_t seed = 0;
  CLI::App app("Tells the weather of a day from what was measured on it");
  app.add_option("checkpoint", checkpoint, "The file for the best network")->capture_default_str();
  app.add_option("--data", path, "A CSV file of days, as in Debian's python3-vega-datasets")->capture_default_str();
  app.add_option("--epochs", epochs, "At most")->capture_default_str();
  app.add_option("--patience", patience, "Epochs without a gain after which training stops")->capture_default_str();
  app.add_option("--seed", seed, "Of the split, the weights and the order")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (!std::filesystem::exists(path)) {
    std::printf("tabular: there is no %s; it is part of Debian's python3-vega-datasets\n", path.c_str());
    return 77;
  }
  manual_seed(seed);

  const data::Table days = data::read_csv(path);
  const auto parts = data::stratified_split(days["weather"].values, {0.7, 0.15, 0.15}, {.seed = seed});
  Forecast forecast;
  forecast.fit(days.rows(parts[0]));
  const data::TensorDataset training = forecast.samples(days.rows(parts[0])),
                            validation = forecast.samples(days.rows(parts[1]));
  std::printf("%lld days: %lld to train on, %lld to stop by, %zu to test\n", static_cast<long long>(days.size()),
              static_cast<long long>(training.size()), static_cast<long long>(validation.size()), parts[2].size());

  Net net(forecast.inputs(days).size(1), forecast.classes());
  optim::AdamW adam(net, {.lr = 3e-3, .weight_decay = 1e-2});
  data::DataLoader loader(training, {.batch_size = 64, .shuffle = true, .seed = seed});
  train::Checkpoint best_file = file_of(checkpoint, net, forecast);
  double best = INFINITY;
  std::int64_t best_epoch = 0;
  std::printf("\nepoch  training loss  validation loss  accuracy\n");
  for (std::int64_t epoch = 1; epoch <= epochs && epoch - best_epoch <= patience; ++epoch) {
    nn::train(net);
    for (const auto& [x, y] : loader) {
      adam.zero_grad();
      cross_entropy(net(x), y).backward();
      adam.step();
    }
    train::LogLoss training_loss({.from_logits = true}), loss({.from_logits = true});
    train::Accuracy accuracy;
    evaluate(net, training, training_loss);
    evaluate(net, validation, loss, accuracy);
    const bool is_best = loss.compute() < best;
    if (is_best) {
      best = loss.compute();
      best_epoch = epoch;
      best_file.save();
    }
    if (is_best || epoch % 10 == 0)
      std::printf("%5lld %14.4f %16.4f %9.3f%s\n", static_cast<long long>(epoch), training_loss.compute(),
                  loss.compute(), accuracy.compute(), is_best ? "  saved" : "");
  }

  // As another program would: nothing is known of the training days but what the file says.
  Forecast restored;
  Net restored_net(forecast.inputs(days).size(1), forecast.classes());
  file_of(checkpoint, restored_net, restored).restore();
  train::ConfusionMatrix matrix(restored.classes());
  train::LogLoss loss({.from_logits = true});
  evaluate(restored_net, restored.samples(days.rows(parts[2])), matrix, loss);
  std::printf("\nThe network of epoch %lld from %s, on days of which it has seen none (log loss %.4f):\n",
              static_cast<long long>(best_epoch), checkpoint.c_str(), loss.compute());
  print(matrix, restored.weather.classes());
  const Tensor counts = sum(matrix.compute(), 1);
  const double most_frequent = max(counts).item() / sum(counts).item();
  std::printf("saying %s every day: accuracy %.3f\n",
              restored.weather.classes()[argmax(counts).item<std::size_t>()].c_str(), most_frequent);
  return matrix.accuracy() > most_frequent + 0.1 ? 0 : 1;
} catch (const Error& error) {
  std::cerr << "tabular: " << error.what() << '\n';
  return 1;
}
