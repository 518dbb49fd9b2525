// Studies that are killed, interrupted and shared by several processes.

#include <xgrad/tune.hpp>

#include <chrono>
#include <fstream>
#include <iterator>
#include <random>

#include "../catch.hpp"
#include "../temporary_directory.hpp"
#include "processes.hpp"
#include "storages.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::StartsWith;
using namespace std::chrono_literals;

namespace {

constexpr int trials = 60;

std::vector<std::string> worker(const std::string& url, int total, int workers, const char* kind, int lease = 60000) {
  return {XGRAD_TUNE_WORKER, url, "study", std::to_string(total), std::to_string(workers), kind, std::to_string(lease)};
}

std::vector<tune::TrialRecord> trials_of(const std::string& url) {
  return tune::open_storage(url)->open("study", {tune::minimize}, 1s)->changes();
}

// All that does not depend on when something happened.
void check_equal(std::vector<tune::TrialRecord> a, std::vector<tune::TrialRecord> b) {
  REQUIRE(a.size() == b.size());
  for (auto* each : {&a, &b})
    for (auto& trial : *each) trial.attributes.erase("xgrad:seconds");
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    CHECK(a[i].state == b[i].state);
    CHECK(a[i].values == b[i].values);
    CHECK(a[i].intermediate == b[i].intermediate);
    CHECK(a[i].attributes == b[i].attributes);
    REQUIRE(a[i].parameters.size() == b[i].parameters.size());
    for (std::size_t k = 0; k < a[i].parameters.size(); ++k) {
      CHECK(a[i].parameters[k].name == b[i].parameters[k].name);
      CHECK(a[i].parameters[k].value == b[i].parameters[k].value);
    }
  }
}

// Starts the worker again and again, and ends it by a signal a random while after it has begun a random number of
// epochs, until it comes to its end. How often it was ended: it may not begin more epochs than that, so never for being
// slow or fast.
int run_with(int signal, const std::string& url, int workers, unsigned seed) {
  std::mt19937 random(seed);
  int ended = 0;
  for (int i = 0; i < 1000; ++i) {
    Process process(worker(url, trials, workers, "train"));
    const int epochs = std::uniform_int_distribution(1, 8)(random);
    process.give(epochs + 1);
    process.wait_for(epochs);
    for (int turns = std::uniform_int_distribution(0, 300'000)(random); turns > 0; --turns) asm volatile("");
    process.send(signal);
    process.end_input();
    const int status = process.wait();
    if (status == 0) return ended;
    REQUIRE(status == -signal);
    ++ended;
  }
  FAIL("it never came to its end");
  return ended;
}

int run_to_end(const std::vector<std::string>& command, const std::string& log = "/dev/null") {
  Process process(command, log);
  process.end_input();
  return process.wait();
}

std::vector<tune::TrialRecord> uninterrupted(const TemporaryDirectory& directory) {
  const std::string url = "sqlite:" + directory.path("whole.db");
  REQUIRE(run_to_end(worker(url, trials, 1, "train")) == 0);
  return trials_of(url);
}

}  // namespace

TEST_CASE("tune: killed at random moments and started again, a study ends as it would have") {
  const TemporaryDirectory directory;
  const auto whole = uninterrupted(directory);
  REQUIRE(whole.size() == trials);
  for (const int signal : {SIGKILL, SIGINT}) {
    const std::string url = "sqlite:" + directory.path(std::to_string(signal) + ".db");
    CHECK(run_with(signal, url, 1, 17) >= 4);
    check_equal(trials_of(url), whole);
  }
}

TEST_CASE("tune: with two workers nothing is lost or doubled when they are killed") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("two.db");
  CHECK(run_with(SIGKILL, url, 2, 5) >= 4);
  const auto all = trials_of(url);
  REQUIRE(all.size() == trials);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].number == static_cast<std::int64_t>(i));
    CHECK((all[i].state == tune::TrialState::complete || all[i].state == tune::TrialState::paused));
    CHECK(all[i].parameters.size() == 2);
  }
}

void check_eight_processes(const std::string& url) {
  std::vector<Process> processes;
  for (int i = 0; i < 8; ++i) processes.emplace_back(worker(url, 2000, 1, "quick"));
  for (Process& process : processes) CHECK(process.wait() == 0);
  const auto all = trials_of(url);
  REQUIRE(all.size() == 2000);
  std::vector<double> expected;
  {
    auto alone = tune::Study::open("", "alone", {.sampler = tune::Random{}, .seed = 3});
    alone.optimize(
        [](tune::Trial& trial) {
          const double x = trial.suggest_float("x", -1, 1), y = trial.suggest_float("y", -1, 1);
          return x * x + y * y;
        },
        {.trials = 2000});
    for (const auto& trial : alone.trials()) expected.push_back(trial.values.at(0));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i].number == static_cast<std::int64_t>(i));
    REQUIRE(all[i].state == tune::TrialState::complete);
    REQUIRE(all[i].values == std::vector<double>{expected[i]});
  }
}

TEST_CASE("tune: eight processes make 2000 trials, each once") {
  const TemporaryDirectory directory;
  check_eight_processes("sqlite:" + directory.path("eight.db"));
}
TEST_CASE("tune: eight processes on PostgreSQL", "[.postgresql]") { check_eight_processes(postgresql_url()); }

TEST_CASE("tune: a full disk is a clear error, and the study goes on when there is room") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("full.db"), log = directory.path("log");
  auto starved = worker(url, 2000, 1, "quick");
  starved.push_back(std::to_string(1024 * 1024));
  CHECK(run_to_end(starved, log) == 1);
  std::ifstream file(log);
  const std::string message{std::istreambuf_iterator<char>(file), {}};
  CHECK_THAT(message, StartsWith("tune: sqlite:" + directory.path("full.db")));
  CHECK_THAT(message, Contains("disk I/O error") || Contains("disk is full"));
  const auto before = trials_of(url);
  CHECK(before.size() > 10);
  CHECK(before.size() < 2000);
  CHECK(run_to_end(worker(url, 2000, 1, "quick"), log) == 0);
  const auto after = trials_of(url);
  REQUIRE(after.size() == 2000);
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i].state == tune::TrialState::complete) CHECK(after[i].values == before[i].values);
  for (const auto& trial : after) CHECK(trial.state == tune::TrialState::complete);
}
