// Whether successive halving has what random search ends with after 0.35 of its epochs, on Fashion-MNIST, with the
// model and the space of examples/tune_fashion_mnist.cpp. For each seed four searches, one worker, one thread:
//   random         TRIALS trials of 9 epochs, none of them pruned; its result is the best value of all
//   random + ASHA  the same draws, paused and promoted by ASHA{.eta = 3}, and as many more as it likes
//   TPE + ASHA
//   Auto + ASHA    as the example
// All but the first have 0.35 of the epochs of random search, whatever trials they spend them on; their result is the
// best value of the trials that came to their end, the 9th epoch. "Reached" are the epochs after which it was random
// search's.
//   benchmark_asha TRIALS IMAGES SEEDS...     IMAGES: of the 50,000 for training
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "../../examples/fashion_trials.hpp"

using namespace xgrad;

namespace {

constexpr int epochs_of_a_trial = 9;

struct Outcome {
  std::int64_t epochs = 0, begun = 0;
  double best = 0;            // of the trials that came to their end
  std::int64_t reached = -1;  // the epochs after which the best was `wanted`; -1: not yet
};

/// Searches until it has used up its epochs.
Outcome search(const tune::AnySampler& sampler, const tune::AnyPruner& pruner, std::uint64_t seed, std::int64_t epochs,
               double wanted, const data::Dataset& fit, const data::Dataset& validation) {
  auto study =
      tune::Study::open("", "asha", {.direction = tune::maximize, .sampler = sampler, .pruner = pruner, .seed = seed});
  Outcome outcome;
  while (outcome.epochs < epochs) {
    tune::Trial trial = study.ask();
    outcome.begun = std::max(outcome.begun, trial.number() + 1);
    manual_seed(trial.seed());  // as optimize() does
    outcome.epochs += train_classifier(trial, epochs_of_a_trial, fit, validation);
    if (!study.tell(trial, tune::TrialState::complete)) continue;  // it has paused
    outcome.best = std::max(outcome.best, trial.record().values.at(0));
    if (outcome.reached < 0 && outcome.best >= wanted) outcome.reached = outcome.epochs;
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
  const std::int64_t all = trials * epochs_of_a_trial, some = all * 35 / 100;
  std::printf("| seed | search | trials | epochs | best | reached | of %lld |\n|---|---|---|---|---|---|---|\n",
              static_cast<long long>(all));
  for (int i = 3; i < argc; ++i) {
    const auto seed = static_cast<std::uint64_t>(std::atoll(argv[i]));
    const auto run = [&](const char* name, const tune::AnySampler& sampler, const tune::AnyPruner& pruner,
                         std::int64_t epochs, double wanted) {
      const Outcome o = search(sampler, pruner, seed, epochs, wanted, parts[0], parts[1]);
      std::printf("| %s | %s | %lld | %lld | %.4f |", argv[i], name, static_cast<long long>(o.begun),
                  static_cast<long long>(o.epochs), o.best);
      if (o.reached < 0)
        std::printf(" | |\n");
      else
        std::printf(" %lld | %.2f |\n", static_cast<long long>(o.reached),
                    static_cast<double>(o.reached) / static_cast<double>(all));
      std::fflush(stdout);
      return o.best;
    };
    const double best = run("random", tune::Random{}, tune::None{}, all, std::numeric_limits<double>::infinity());
    run("random + ASHA", tune::Random{}, tune::ASHA{.eta = 3}, some, best);
    run("TPE + ASHA", tune::TPE{}, tune::ASHA{.eta = 3}, some, best);
    run("Auto + ASHA", tune::Auto{}, tune::ASHA{.eta = 3}, some, best);
  }
}
