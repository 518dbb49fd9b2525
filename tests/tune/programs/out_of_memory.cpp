// Opens and runs a study in SQLite while the n-th allocation fails, or all from the n-th on, for n = 1, 2, ... until it
// comes to its end: each time an Error or std::bad_alloc, and afterwards the study goes on with no trial lost.
//   out_of_memory DIRECTORY
#include <xgrad/tune.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <new>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
}

namespace {

constexpr long never = 1L << 60;
std::atomic<long> left = never;  // allocations until the one that fails
std::atomic<bool> all_after = false;

bool fails() {
  const long now = left.fetch_sub(1);
  if (now == 1 || (now < 1 && all_after)) {
    errno = ENOMEM;
    return true;
  }
  return false;
}

using namespace xgrad;

double objective(tune::Trial& trial) { return trial.suggest_float("x", 0, 1); }

void run(const std::string& url, std::int64_t trials) {
  tune::Study::open(url, "s").optimize(objective, {.trials = trials, .progress = false});
}

// Whether the run came to its end.
bool run_with_failure(const std::string& url, long n, bool all) {
  bool ended = true;
  all_after = all;
  left = n;
  try {
    run(url, 3);
  } catch (const Error&) {
    ended = false;
  } catch (const std::bad_alloc&) {
    ended = false;
  }
  ended = ended && left > 0;
  left = never;
  return ended;
}

}  // namespace

extern "C" {
void* malloc(std::size_t size) { return fails() ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) { return fails() ? nullptr : __libc_calloc(count, size); }
void* realloc(void* old, std::size_t size) { return fails() ? nullptr : __libc_realloc(old, size); }
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path directory = std::filesystem::path(argv[1]) / "out_of_memory_study";
  for (const bool all : {false, true}) {
    long n = 1;
    for (bool ended = false; !ended; n += 1 + n / 8) {
      std::filesystem::remove_all(directory);
      std::filesystem::create_directories(directory);
      const std::string url = "sqlite:" + (directory / "study.db").string();
      ended = run_with_failure(url, n, all);
      run(url, 5);
      const auto trials = tune::Study::open(url, "s").trials();
      for (const auto& trial : trials)
        if (trial.state != tune::TrialState::complete && trial.state != tune::TrialState::failed) return 1;
      if (trials.size() != 5) return 1;
    }
    std::cout << "failed allocation by allocation: to " << n << '\n';
  }
  std::filesystem::remove_all(directory);
}
