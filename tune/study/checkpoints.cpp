// Checkpoints of a study's trials: taken after epochs, kept of the best trial, cleaned up.
#include <algorithm>
#include <cmath>

#include "../report/results.hpp"
#include "../trials/ranking.hpp"
#include "study_core.hpp"

namespace xgrad::tune::detail {

std::optional<Checkpoint> StudyCore::checkpoint(OpenTrial& open) {
  const std::lock_guard lock(mutex_);
  if (open.closed || !history_[open.lease.number].checkpoint) return std::nullopt;
  return guarded([&] { return study_->checkpoint(open.lease.number); });
}

bool StudyCore::go_on(OpenTrial& open, int epoch, int count, const std::function<std::string()>& state) {
  std::unique_lock lock(mutex_);
  if (open.closed) return false;
  const bool last = epoch >= count;
  if (last && open.stop != Stop::diverged) {  // it has run to its end, whatever the pruner says
    lock.unlock();
    keep_if_best(open, epoch, state);
    return false;
  }
  const bool stops = should_stop(open);
  if (stops && open.stop != Stop::pause && open.stop != Stop::interrupt) return false;
  if (!stops && Clock::now() - open.saved < checkpoint_interval_) return true;

  lock.unlock();
  Checkpoint saved{epoch, state()};
  lock.lock();
  if (open.closed) return false;
  open.saved = Clock::now();
  open.pending.checkpoint = std::move(saved);
  history_.change(open.lease.number, [&](TrialRecord& record) { record.checkpoint = epoch; });
  if (open.stop == Stop::pause) {
    finish_as(open, TrialState::paused, {});
    return false;
  }
  if (!write(open)) return false;
  if (open.stop != Stop::interrupt) return true;
  guarded([&] { study_->release(std::span(&open.lease, 1)); });
  close(open);
  return false;
}

bool StudyCore::would_be_best(std::int64_t number, double value) const {
  const double sign = directions()[0] == minimize ? 1 : -1;
  return is_feasible(history_[number]) && std::isfinite(value) &&
         std::none_of(history_.begin(), history_.end(), [&](const TrialRecord& trial) {
           return trial.number != number && trial.state == TrialState::complete && is_feasible(trial) &&
                  trial.values.size() == 1 && sign * trial.values[0] <= sign * value;
         });
}

void StudyCore::keep_if_best(OpenTrial& open, int epoch, const std::function<std::string()>& state) {
  {
    const std::lock_guard lock(mutex_);
    if (!keep_best_ || open.closed || directions().size() != 1) return;
  }
  Checkpoint saved{epoch, state()};
  const std::lock_guard lock(mutex_);
  if (open.closed) return;
  open.keep = true;
  open.pending.checkpoint = std::move(saved);
  history_.change(open.lease.number, [&](TrialRecord& record) { record.checkpoint = epoch; });
}

void StudyCore::forget_other_bests(std::int64_t number) {
  std::vector<std::int64_t> others;
  for (const TrialRecord& trial : history_)
    if (trial.state == TrialState::complete && trial.checkpoint && trial.number != number)
      others.push_back(trial.number);
  if (others.empty()) return;
  guarded([&] { study_->forget_checkpoints(others); });
  for (const std::int64_t other : others)
    history_.change(other, [](TrialRecord& record) { record.checkpoint.reset(); });
}

Checkpoint StudyCore::best_checkpoint() {
  const std::lock_guard lock(mutex_);
  refresh();
  const TrialRecord best = best_trial(history_);
  auto found = best.checkpoint ? guarded([&] { return study_->checkpoint(best.number); }) : std::nullopt;
  check(found.has_value(), "best_checkpoint: none was kept of trial ", best.number,
        "; one is of a trial that uses trial.epochs(n, model, ...)");
  return std::move(*found);
}

void StudyCore::settle() {
  const std::lock_guard lock(mutex_);
  if (guarded([&] { return study_->leased(); }) == 0) guarded([&] { study_->settle(); });
}

std::int64_t StudyCore::clean() {
  const std::lock_guard lock(mutex_);
  refresh();
  check(guarded([&] { return study_->leased(); }) == 0, "clean: trials are running");
  std::optional<std::int64_t> best;
  for (const TrialRecord& trial : history_)
    if (directions().size() == 1 && trial.state == TrialState::complete && trial.checkpoint && !trial.values.empty() &&
        would_be_best(trial.number, trial.values[0]))
      best = trial.number;
  std::vector<std::int64_t> numbers;
  for (const TrialRecord& trial : history_)
    if (trial.checkpoint && trial.state != TrialState::running && trial.number != best) numbers.push_back(trial.number);
  if (numbers.empty()) return 0;
  guarded([&] { study_->forget_checkpoints(numbers); });
  for (const std::int64_t number : numbers)
    history_.change(number, [](TrialRecord& record) { record.checkpoint.reset(); });
  return static_cast<std::int64_t>(numbers.size());
}

}  // namespace xgrad::tune::detail
