#pragma once
// What the convolutional networks for Fashion-MNIST have in common: training with augmentation that goes on where it
// was stopped, and pictures of what the network sees and mistakes.

#include <xgrad/data/transforms.hpp>
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "confusion.hpp"
#include "gnuplot.hpp"

struct FashionOptions {
  std::string checkpoint, directory = {};
  std::int64_t epochs = 10, batch_size = 128, workers = 1;
  std::uint64_t seed = 0;
  int threads = xgrad::num_threads();
  std::int64_t shift = 2;  // pixels by which images are moved at most
  double label_smoothing = 0;

  void add_to(CLI::App& app) {
    app.add_option("checkpoint", checkpoint, "Where the state of the training goes, and comes from where it is there")
        ->capture_default_str();
    app.add_option("--data", directory, "Where the four IDX files are");
    app.add_option("--epochs", epochs, "Passes over the training images")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--batch-size", batch_size, "Images a step")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--workers", workers, "Threads that read and augment images ahead")->capture_default_str();
    app.add_option("--seed", seed, "Of weights, batches and augmentation")->capture_default_str();
    app.add_option("--threads", threads, "Threads of the network")->capture_default_str();
  }
};

/// The test images that a network is most sure of and mistakes, with its probabilities.
inline void draw_mistakes(const std::string& file, const xgrad::Tensor& images, const xgrad::Tensor& labels,
                          const xgrad::Tensor& probabilities) {
  using namespace xgrad;
  constexpr std::int64_t rows = 4, columns = 8;
  const auto& names = data::FashionMNIST::classes;
  const Tensor guesses = argmax(probabilities, 1), sure = amax(probabilities, 1);
  std::vector<std::int64_t> wrong;
  for (std::int64_t i = 0; i < labels.numel(); ++i)
    if (guesses.at<std::int64_t>({i}) != labels.at<std::int64_t>({i})) wrong.push_back(i);
  std::sort(wrong.begin(), wrong.end(),
            [&](std::int64_t a, std::int64_t b) { return sure.at<float>({a}) > sure.at<float>({b}); });
  if (wrong.size() > rows * columns) wrong.resize(rows * columns);

  Gnuplot plot(file, 1200, 760);
  plot << "set multiplot layout " << std::to_string(rows) << "," << std::to_string(columns)
       << " title 'Mistaken with the most certainty: predicted (right)' font ',15'\n"
          "unset key; unset tics; unset colorbox; unset border; set palette gray; set size ratio -1\n"
          "set yrange [*:*] reverse; set lmargin 0.5; set rmargin 0.5; set tmargin 2.6; set bmargin 0.2\n";
  for (const std::int64_t i : wrong) {
    const auto guess = static_cast<std::size_t>(guesses.at<std::int64_t>({i})),
               right = static_cast<std::size_t>(labels.at<std::int64_t>({i}));
    char certainty[16];
    std::snprintf(certainty, sizeof certainty, "%.1f%%", 100 * sure.at<double>({i}));
    plot << "set title \"" << std::string(names[guess]) << " " << certainty << "\\n(" << std::string(names[right])
         << ")\" font ',9' offset 0,-0.6\n";
    plot.define("image" + std::to_string(i), select(select(images, 0, i), 0, 0));
    plot << "plot $image" << std::to_string(i) << " matrix with image\n";
  }
  plot << "unset multiplot\n";
}

/// The kernels (out, 1, h, w) of a first layer.
inline void draw_filters(const std::string& file, const xgrad::Tensor& weight) {
  using namespace xgrad;
  const std::int64_t count = weight.size(0), columns = 8, rows = (count + columns - 1) / columns;
  const double most = amax(abs(weight.detach())).item();
  Gnuplot plot(file, 640, static_cast<int>(80 * rows + 60));
  plot << "set multiplot layout " << std::to_string(rows) << "," << std::to_string(columns)
       << " title 'Filters of the first layer: blue below 0, red above' font ',13'\n"
          "unset key; unset tics; unset colorbox; set size ratio -1; set yrange [*:*] reverse\n"
          "set palette defined (-1 '#2166ac', 0 '#f7f7f7', 1 '#b2182b'); set cbrange ["
       << -most << ":" << most << "]\nset lmargin 0.5; set rmargin 0.5; set tmargin 0.5; set bmargin 0.5\n";
  for (std::int64_t i = 0; i < count; ++i) {
    plot.define("filter" + std::to_string(i), select(select(weight, 0, i), 0, 0));
    plot << "plot $filter" << std::to_string(i) << " matrix with image\n";
  }
  plot << "unset multiplot\n";
}

/// Trains a network of images (N, 1, 28, 28) and says how well it does on each class. `filters` is its first layer's
/// weight; `make_schedule(optimizer, steps)` gives the rate of each step.
template <class Net, class Optimizer, class MakeSchedule>
void train_on_fashion(Net& net, const xgrad::Tensor& filters, Optimizer& optimizer, const MakeSchedule& make_schedule,
                      const FashionOptions& options, const std::string& name) {
  using namespace xgrad;
  const std::string directory = options.directory.empty() ? data::fashion_mnist_directory() : options.directory;
  const auto test = data::FashionMNIST(directory, {.train = false});
  const auto images =
      data::map(data::FashionMNIST(directory, {.train = true}),
                data::compose(data::RandomCrop(28, {.padding = options.shift}), data::RandomHorizontalFlip()));
  data::DataLoader loader(images, {.batch_size = options.batch_size,
                                   .shuffle = true,
                                   .drop_last = true,
                                   .seed = options.seed,
                                   .workers = options.workers});
  auto schedule = make_schedule(optimizer, options.epochs * loader.size());
  xgrad::train::Checkpoint checkpoint(options.checkpoint, net, optimizer, *schedule, loader);
  if (checkpoint.restore_if_there())
    std::cout << "goes on from " << options.checkpoint << ", epoch " << loader.epoch() + 1 << '\n';

  for (std::int64_t epoch = loader.epoch(); epoch < options.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    nn::train(net);
    for (const auto& [x, y] : progress(loader)) {
      optimizer.zero_grad();
      cross_entropy(net(x), y, {.label_smoothing = options.label_smoothing}).backward();
      optimizer.step();
      schedule->step();
      checkpoint.save_every(std::chrono::seconds(30));
    }
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    std::printf("epoch %2lld  test accuracy %.4f  %.1f s\n", static_cast<long long>(epoch + 1),
                xgrad::train::accuracy(net, test), time.count());
    std::fflush(stdout);
  }
  checkpoint.save();
  print_classes(confusion(net, test));

  const NoGrad no_grad;
  nn::eval(net);
  std::vector<Tensor> all_images, all_labels, all_scores;
  for (const data::Batch& batch : data::DataLoader(test, {.batch_size = 1000})) {
    all_images.push_back(batch.x);
    all_labels.push_back(batch.y);
    all_scores.push_back(softmax(net(batch.x), 1));
  }
  std::cout << '\n';
  draw_mistakes(name + "_mistakes.png", concat(all_images), concat(all_labels), concat(all_scores));
  draw_filters(name + "_filters.png", filters);
  save(net, name + ".safetensors");
  std::cout << "weights: " << name << ".safetensors\n";
}
