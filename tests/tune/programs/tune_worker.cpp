// Runs trials of a study, for tests that kill, interrupt or starve it.
//   tune_worker URL STUDY TRIALS WORKERS quick|train [LEASE_MS]
#include <xgrad/tune.hpp>
#include <xgrad/xgrad.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "../training.hpp"

using namespace xgrad;

int main(int argc, char** argv) try {
  if (argc < 6) return 2;
  const bool train = std::string(argv[5]) == "train";
  const auto lease = std::chrono::milliseconds(argc > 6 ? std::atoi(argv[6]) : 60000);
  auto study = train ? tune::Study::open(argv[1], argv[2],
                                         {.direction = tune::maximize,
                                          .sampler = tune::TPE{},
                                          .pruner = tune::ASHA{.eta = 2},
                                          .seed = 3,
                                          .lease = lease,
                                          .checkpoint_interval = std::chrono::milliseconds(0)})
                     : tune::Study::open(argv[1], argv[2], {.sampler = tune::Random{}, .seed = 3, .lease = lease});
  const tune::OptimizeOptions options{.trials = std::atoi(argv[3]), .workers = std::atoi(argv[4])};
  if (train)
    study.optimize([](tune::Trial& trial) { train_one(trial, 4); }, options);
  else
    study.optimize(
        [](tune::Trial& trial) {
          const double x = trial.suggest_float("x", -1, 1), y = trial.suggest_float("y", -1, 1);
          return x * x + y * y;
        },
        options);
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
