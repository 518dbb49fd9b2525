// Does batch norm widen the range of learning rates that work? The same random search with and without it: trial i has
// the same learning rate, initial weights and batches in both. Writes a page with what it found.
//   batch_norm_robustness [DIRECTORY] [--trials N] [--epochs N] [--images N] [--workers N] [--seed N] [--storage URL]
//                         [--report FILE] [--sampler random|tpe|auto]
// With another sampler than random draws it only says how good the best training is: which rates are tried then depends
// on what they gave.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "fashion_trials.hpp"

using namespace xgrad;

namespace {

constexpr int layers = 3, units = 128;
constexpr double lowest_lr = 1e-4, highest_lr = 1;
constexpr double close_to_best = 0.98;  // of the best accuracy of all trainings
constexpr double learnt = 0.2;          // chance gives 0.1
constexpr double quantile = 1.96;       // of the normal distribution: intervals of 95 %

struct Options {
  std::string directory, storage, report = "batch_norm_robustness.html", sampler = "random";
  std::int64_t trials = 100, epochs = 5, images = 20000;
  int workers = num_threads();
  std::uint64_t seed = 0;
};

struct Training {
  double lr, accuracy;
  bool pruned;
};

tune::AnySampler sampler_named(const std::string& name) {
  if (name == "tpe") return tune::TPE{};
  if (name == "auto") return tune::Auto{};
  return tune::Random{};
}

struct Search {
  std::string name;
  std::vector<Training> trainings = {};  // by trial
  double best = 0;
  std::vector<bool> good = {};  // within 2 % of the best of both searches

  std::vector<bool> within(double least) const {
    std::vector<bool> within;
    for (const Training& training : trainings) within.push_back(!training.pruned && training.accuracy >= least);
    return within;
  }
};

struct Interval {
  double value, low, high;
};

template <class... Values>
std::string text(const char* format, Values... values) {
  std::array<char, 1024> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, values...);
  return buffer.data();
}

Search search(bool batch_norm, const Options& options, const data::Dataset& train, const data::Dataset& validation) {
  Search result{batch_norm ? "With batch norm" : "Without batch norm"};
  std::cout << result.name << '\n';
  std::string study_name =
      text("%s, %lld images, %lld epochs, seed %llu", result.name.c_str(), static_cast<long long>(options.images),
           static_cast<long long>(options.epochs), static_cast<unsigned long long>(options.seed));
  if (options.sampler != "random") study_name += ", " + options.sampler;
  auto study = tune::Study::open(options.storage, study_name,
                                 {.direction = tune::maximize,
                                  .sampler = sampler_named(options.sampler),
                                  .pruner = tune::Threshold{.lower = learnt},
                                  .seed = options.seed});
  study.optimize(
      [&](tune::Trial& trial) {
        const double lr = trial.suggest_float("lr", lowest_lr, highest_lr, tune::log_scale);
        nn::Sequential net;
        net.add(nn::Flatten());
        for (int i = 0; i < layers; ++i) {
          net.add(nn::Linear(i == 0 ? 784 : units, units));  // with a bias in both, so that they draw the same weights
          if (batch_norm) net.add(nn::BatchNorm1d(units));
          net.add(nn::ReLU());
        }
        net.add(nn::Linear(units, 10));
        optim::Adam adam(nn::parameters(net), {.lr = lr});
        optim::CosineAnnealingLR schedule(adam, {.t_max = options.epochs});
        data::DataLoader loader(train, {.batch_size = 128, .shuffle = true, .seed = trial.seed()});
        train_in(trial, static_cast<int>(options.epochs), net, adam, schedule, loader, validation);
      },
      {.trials = options.trials, .workers = options.workers});

  auto trials = study.trials();
  trials.resize(static_cast<std::size_t>(options.trials));  // a storage may have more, of an earlier run
  for (const tune::TrialRecord& trial : trials) {
    const bool pruned = trial.state == tune::TrialState::pruned;
    check(pruned || trial.state == tune::TrialState::complete, "trial ", trial.number, " of \"", study_name,
          "\" has not come to its end");
    result.trainings.push_back({trial.parameters.at(0).value, trial.values.at(0), pruned});
    result.best = std::max(result.best, result.trainings.back().accuracy);
  }
  return result;
}

/// Wilson's interval of a share.
Interval share(const std::vector<bool>& good) {
  const auto n = static_cast<double>(good.size()),
             p = static_cast<double>(std::count(good.begin(), good.end(), true)) / n;
  const double z2 = quantile * quantile, middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = quantile / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {p, std::max(middle - half, 0.0), std::min(middle + half, 1.0)};  // else -0 by rounding
}

/// Of two shares of the same learning rates, with Agresti's and Min's interval for matched pairs.
Interval difference(const std::vector<bool>& a, const std::vector<bool>& b) {
  const auto n = static_cast<double>(a.size());
  double only_a = 0, only_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) only_a += a[i] && !b[i], only_b += b[i] && !a[i];
  const double x = only_a + 0.5, y = only_b + 0.5, m = n + 2, middle = (x - y) / m;
  const double half = quantile * std::sqrt(x + y - (x - y) * (x - y) / m) / m;
  return {(only_a - only_b) / n, middle - half, middle + half};
}

std::string conclusion(const Search& with, const Search& without) {
  const Interval gain = difference(with.good, without.good);
  const char* finding = gain.low > 0 ? "Batch norm made training more robust to the learning rate"
                        : gain.high < 0
                            ? "Batch norm made training less robust to the learning rate"
                            : "Whether batch norm makes training more robust to the learning rate is not shown";
  return text(
      "%s: %.0f %% of the learning rates trained to within 2 %% of the best with it, %.0f %% without (%+.0f points, 95 "
      "%% "
      "interval %+.0f to %+.0f).",
      finding, 100 * share(with.good).value, 100 * share(without.good).value, 100 * gain.value, 100 * gain.low,
      100 * gain.high);
}

std::string summary(const Search& search) {
  const Interval of = share(search.good);
  const auto count = [](const std::vector<bool>& good) { return std::count(good.begin(), good.end(), true); };
  return text(
      "%td of %zu learning rates within 2 %% of the best: %.0f %% (95 %% interval %.0f to %.0f %%). Its own best "
      "accuracy is "
      "%.4f, and %td are within 2 %% of that.",
      count(search.good), search.good.size(), 100 * of.value, 100 * of.low, 100 * of.high, search.best,
      count(search.within(close_to_best * search.best)));
}

std::string chart(const Search& search, double least) {
  constexpr double left = 34, right = 350, top = 8, bottom = 214;
  const auto x = [&](double lr) {
    return left + (right - left) * std::log(lr / lowest_lr) / std::log(highest_lr / lowest_lr);
  };
  const auto y = [&](double accuracy) { return bottom - (bottom - top) * accuracy; };
  std::string svg = "<svg viewBox='0 0 360 248' role='img' aria-label='Accuracy against learning rate'>\n";
  for (int power = -4; power <= 0; ++power)
    svg +=
        text("<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/><text x='%.1f' y='%.1f' text-anchor='middle'>%g</text>\n",
             x(std::pow(10, power)), x(std::pow(10, power)), top, bottom, x(std::pow(10, power)), bottom + 14,
             std::pow(10, power));
  for (int tenth = 0; tenth <= 10; tenth += 2)
    svg +=
        text("<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/><text x='%.1f' y='%.1f' text-anchor='end'>%.1f</text>\n",
             left, right, y(tenth / 10.0), y(tenth / 10.0), left - 5, y(tenth / 10.0) + 4, tenth / 10.0);
  svg += text("<line class='least' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>\n", left, right, y(least), y(least));
  svg += text("<text x='%.1f' y='%.1f' text-anchor='middle'>learning rate</text>\n", (left + right) / 2, bottom + 30);
  for (std::size_t i = 0; i < search.trainings.size(); ++i) {
    const Training& t = search.trainings[i];
    svg += text(
        "<circle class='%s' cx='%.1f' cy='%.1f' r='3.5'><title>trial %zu: learning rate %.3g, accuracy "
        "%.4f%s</title></circle>\n",
        search.good[i] ? "good" : "poor", x(t.lr), y(t.accuracy), i, t.lr, t.accuracy, t.pruned ? ", pruned" : "");
  }
  return svg + "</svg>\n";
}

void write_page(const Options& options, const std::array<Search, 2>& searches, double least) {
  std::ofstream page(options.report);
  page << R"(<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Batch norm and the learning rate</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1f2933; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
  h1, h2 { line-height: 1.2; margin-bottom: .3rem; }
  h2 { font-size: 1.1rem; }
  .conclusion { font-size: 1.2rem; }
  .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 2rem; }
  svg { width: 100%; }
  svg text { font-size: 11px; fill: #52606d; }
  svg line { stroke: #e4e7eb; }
  svg .least { stroke: #b44d12; stroke-dasharray: 4 3; }
  .good { fill: #0967d2; }
  .poor { fill: #fff; stroke: #7b8794; }
</style>
<h1>Batch norm and the learning rate</h1>
<p class="conclusion">)"
       << conclusion(searches[0], searches[1]) << "</p>\n<div class='charts'>\n";
  for (const Search& search : searches)
    page << "<section><h2>" << search.name << "</h2>\n<p>" << summary(search) << "</p>\n"
         << chart(search, least) << "</section>\n";
  page << "</div>\n<p>Each point is a training: its accuracy on 10,000 images that it was not trained on, against its "
          "learning "
          "rate. Blue ones are within 2 % of the best, which is to say at or above the dashed line: "
       << text("%.2f times the best accuracy of both searches, %.4f. ", close_to_best, least / close_to_best)
       << text(
              "Both searches draw the same %lld learning rates from [0.0001, 1], uniformly in their logarithm, and "
              "trial by "
              "trial they have the same initial weights and batches of 128. A network of %d hidden layers of %d units "
              "is "
              "trained by Adam, with the learning rate going to 0 along a cosine, for %lld epochs on %lld images of "
              "Fashion-MNIST. ",
              static_cast<long long>(options.trials), layers, units, static_cast<long long>(options.epochs),
              static_cast<long long>(options.images))
       << text(
              "A training that is below %.1f after an epoch, where guessing gives 0.1, is pruned, and counts as not "
              "within "
              "2 %%. The interval of a share is Wilson's, that of the difference of matched pairs Agresti's and "
              "Min's.</p>\n",
              learnt);
  check(page.flush().good(), options.report, ": cannot be written");
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Measures whether batch norm makes training robust to the learning rate");
  Options options;
  app.add_option("directory", options.directory, "Where the four IDX files are");
  app.add_option("--trials", options.trials, "Learning rates to try")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--epochs", options.epochs, "Passes over the images")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--images", options.images, "Images to train on")->capture_default_str()->check(CLI::Range(1, 50000));
  app.add_option("--workers", options.workers, "Trainings at a time")->capture_default_str();
  app.add_option("--seed", options.seed, "Of the draws")->capture_default_str();
  app.add_option("--storage", options.storage, "sqlite:FILE or a PostgreSQL URL, to go on after a stop");
  app.add_option("--report", options.report, "The page to write")->capture_default_str();
  app.add_option("--sampler", options.sampler, "What chooses the learning rates")
      ->capture_default_str()
      ->check(CLI::IsMember({"random", "tpe", "auto"}));
  CLI11_PARSE(app, argc, argv);

  set_num_threads(1);  // each worker has its own training
  if (options.directory.empty()) options.directory = data::fashion_mnist_directory();
  const data::FashionMNIST images(options.directory, {.train = true});
  const auto parts = data::random_split(images, {options.images, 10000, 50000 - options.images}, {.seed = 0});
  std::array searches = {search(true, options, parts[0], parts[1]), search(false, options, parts[0], parts[1])};

  if (options.sampler != "random") {
    for (const Search& search : searches) std::cout << search.name << ": " << text("%.4f", search.best) << '\n';
    return 0;
  }
  const double least = close_to_best * std::max(searches[0].best, searches[1].best);
  for (Search& search : searches) {
    search.good = search.within(least);
    std::cout << search.name << ": " << summary(search) << '\n';
  }
  std::cout << conclusion(searches[0], searches[1]) << '\n';
  write_page(options, searches, least);
  std::cout << "page written to " << options.report << '\n';
} catch (const Error& error) {
  std::cerr << "batch_norm_robustness: " << error.what() << '\n';
  return 1;
}
