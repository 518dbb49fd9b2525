#pragma once
// What the examples that make pictures like those of Fashion-MNIST are told, and what they learn from.

#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <numeric>
#include <string>
#include <vector>

struct GenerativeOptions {
  std::string log, directory = {};
  std::int64_t epochs, images = 60000;
  std::uint64_t seed = 0;
  int threads = xgrad::num_threads();

  void add_to(CLI::App& app) {
    app.add_option("--data", directory, "Where the four IDX files are");
    app.add_option("--epochs", epochs, "Passes over the training images")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--images", images, "Of the training images, so many")
        ->capture_default_str()
        ->check(CLI::Range(128, 60000));
    app.add_option("--seed", seed, "Of weights, batches and noise")->capture_default_str();
    app.add_option("--log", log, "Where logs, event files and the page go")->capture_default_str();
    app.add_option("--threads", threads)->capture_default_str();
  }
  /// After parsing: as many threads as wanted, and random numbers of this seed.
  void apply() {
    xgrad::set_num_threads(threads);
    xgrad::manual_seed(seed);
    if (directory.empty()) directory = xgrad::data::fashion_mnist_directory();
  }
  xgrad::data::Subset training_images() const {
    std::vector<std::int64_t> first(static_cast<std::size_t>(images));
    std::iota(first.begin(), first.end(), 0);
    return {xgrad::data::FashionMNIST(directory, {.train = true}), first};
  }
};
