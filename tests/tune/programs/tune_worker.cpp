// Runs trials of a study, for tests that kill, interrupt or starve it.
//   tune_worker URL STUDY TRIALS WORKERS quick|train [LEASE_MS [MOST_BYTES]]
// Each epoch of `train` waits for a byte on standard input, or its end, and writes one to standard output: so whoever
// ends the program knows how far it has come, however slow the machine is. Writes to a file beyond MOST_BYTES fail.
#include <xgrad/tune.hpp>
#include <xgrad/xgrad.hpp>

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "../training.hpp"

using namespace xgrad;

namespace {

void begin_epoch() {
  char byte = '.';
  if (::read(STDIN_FILENO, &byte, 1) < 0 || ::write(STDOUT_FILENO, &byte, 1) < 0) std::perror("tune_worker");
}

void limit_file_size(rlim_t most) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{most, most};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 6) return 2;
  if (argc > 7) limit_file_size(static_cast<rlim_t>(std::atoll(argv[7])));
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
    study.optimize([](tune::Trial& trial) { train_one(trial, 4, begin_epoch); }, options);
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
