#include "status_line.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "../../train/progress.hpp"
#include "../trials/encoding.hpp"
#include "../trials/ranking.hpp"
#include "study_core.hpp"

namespace xgrad::tune::detail {

namespace {

constexpr auto interval = std::chrono::milliseconds(200), interval_of_a_file = std::chrono::milliseconds(30'000);
constexpr int width_of_a_file = 100;

using Counts = std::array<std::int64_t, 7>;

Counts counts_of(const History& history) {
  Counts counts{};
  for (const TrialRecord& trial : history) ++counts[static_cast<std::size_t>(trial.state)];
  return counts;
}

std::int64_t of(const Counts& counts, TrialState state) { return counts[static_cast<std::size_t>(state)]; }

std::int64_t done(const Counts& counts, std::int64_t size) {
  return size - of(counts, TrialState::running) - of(counts, TrialState::waiting);
}

}  // namespace

std::string status_line(const History& history, std::int64_t total, std::int64_t done_before, double seconds, int width,
                        bool unicode) {
  const Counts counts = counts_of(history);
  xgrad::detail::ProgressState state;
  state.done = done(counts, history.size());
  state.done_before = done_before;
  state.total = std::max(total, state.done);
  state.seconds = seconds;
  const double sign = history.directions()[0] == minimize ? 1 : -1;
  const double* best = nullptr;
  for (const TrialRecord& trial : history)
    if (trial.state == TrialState::complete && !trial.values.empty() && is_feasible(trial) &&
        (!best || sign * trial.values[0] < sign * *best))
      best = &trial.values[0];
  if (best && history.directions().size() == 1) state.values.emplace_back("best", *best);
  for (const TrialState shown :
       {TrialState::running, TrialState::pruned, TrialState::paused, TrialState::diverged, TrialState::failed})
    if (const auto count = of(counts, shown); count > 0)
      state.values.emplace_back(name_of(shown), static_cast<double>(count));
  return xgrad::detail::progress_line(state, width, unicode);
}

namespace {

void draw(StudyCore& core, std::int64_t total, bool terminal, const std::stop_token& stop) {
  const auto began = Clock::now();
  const auto done_before =
      core.with_history([](const History& history) { return done(counts_of(history), history.size()); });
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - began).count(); };
  const auto print = [&] {
    const std::string line = core.with_history([&](const History& history) {
      return status_line(history, total, done_before, seconds(),
                         terminal ? xgrad::detail::terminal_width() - 1 : width_of_a_file,
                         terminal && xgrad::detail::terminal_shows_unicode());
    });
    std::fprintf(stderr, terminal ? "\r%s\033[K" : "%s\n", line.c_str());
    std::fflush(stderr);
  };
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!never.wait_for(lock, stop, terminal ? interval : interval_of_a_file, [] { return false; }) &&
         !stop.stop_requested())
    print();
  if (!terminal && seconds() > 1) print();
}

}  // namespace

StatusLine::StatusLine(StudyCore& core, const OptimizeOptions& options) : terminal_(xgrad::detail::is_terminal()) {
  if (!options.progress) return;
  drawer_ = std::jthread([&core, total = options.trials, terminal = terminal_](const std::stop_token& stop) {
    try {
      draw(core, total, terminal, stop);
    } catch (const std::exception&) {
      // What the storage said is thrown where the trials run.
    }
  });
}

StatusLine::~StatusLine() {
  if (!drawer_.joinable()) return;
  drawer_.request_stop();
  drawer_.join();
  if (!terminal_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

}  // namespace xgrad::tune::detail
