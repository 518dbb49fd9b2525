#include "study.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <thread>

#include "../report/report.hpp"
#include "../report/results.hpp"
#include "../trials/encoding.hpp"
#include "../trials/space.hpp"
#include "../trials/text.hpp"
#include "interrupt.hpp"
#include "status_line.hpp"
#include "study_core.hpp"

namespace xgrad::tune {

namespace {

// The thread's generator begins where the trial's seed says, and is put back.
class SeededGenerator {
 public:
  explicit SeededGenerator(std::uint64_t seed) : before_(default_generator().state()) {
    default_generator().set_state({seed, 0, 0});
  }
  ~SeededGenerator() { default_generator().set_state(before_); }
  SeededGenerator(const SeededGenerator&) = delete;

 private:
  GeneratorState before_;
};

// The studies whose objectives this thread is in.
thread_local std::vector<const detail::StudyCore*> entered;

class Entered {
 public:
  explicit Entered(const detail::StudyCore& core) { entered.push_back(&core); }
  ~Entered() { entered.pop_back(); }
  Entered(const Entered&) = delete;
};

}  // namespace

Study Study::open(const std::string& url, const std::string& name, const StudyOptions& options) {
  return Study(std::make_shared<detail::StudyCore>(url, name, options));
}

void Study::run(const std::function<std::vector<double>(Trial&)>& objective, const OptimizeOptions& options) {
  check(options.trials >= 0, "optimize: trials is ", options.trials, "; it must not be negative");
  check(options.workers >= 1 && options.workers <= 4096, "optimize: workers is ", options.workers,
        "; it must be between 1 and 4096");
  detail::StudyCore& core = *core_;
  for (const detail::StudyCore* other : entered)
    check(!core.is_same_study(*other), "optimize: called in an objective of the same study, \"", core.name(),
          "\", whose trial it would wait for; ask() and tell() run trials there");
  check(options.max_failures >= 0, "optimize: max_failures is ", options.max_failures, "; it must not be negative");
  check(options.retries >= 0, "optimize: retries is ", options.retries, "; it must not be negative");
  check(!options.timeout || options.timeout->count() >= 0, "optimize: a timeout of ",
        options.timeout.value_or(std::chrono::milliseconds()).count(), " ms is negative");
  core.set_time_limit(options.trial_time_limit);
  core.request_stop(false);
  core.plan(options.trials);
  std::optional<detail::Clock::time_point> end;
  if (options.timeout) end = detail::Clock::now() + std::min(*options.timeout, longest_duration);

  std::atomic<int> failures_in_a_row = 0;
  std::mutex callback_mutex;
  const auto run_trial = [&](const std::shared_ptr<detail::OpenTrial>& open) {
    Trial trial(open);
    std::string error;
    std::exception_ptr fatal;
    {
      const SeededGenerator generator(trial.seed());
      const Entered inside(core);
      try {
        core.finish(*open, objective(trial));
      } catch (const std::exception& exception) {
        error = exception.what();
        if (error.empty()) error = "an exception without a message";
        if (options.catch_if && !options.catch_if(exception)) fatal = std::current_exception();
      } catch (...) {
        error = "an exception that is no std::exception";
      }
    }
    if (!error.empty()) {
      core.rethrow_failure();  // it was not the objective's
      core.set_attribute(*open, "error", text_to_json(redacted(error)));
      const bool held = core.finish_as(*open, TrialState::failed, {});
      if (held && !fatal && core.retries(trial.number()) < options.retries) core.retry(trial.number());
    }
    const TrialRecord ended = trial.record();
    if (ended.state != TrialState::running) {
      const std::lock_guard lock(callback_mutex);
      const Entered inside(core);
      for (const auto& callback : options.callbacks) callback(*this, ended);
    }
    if (fatal) std::rethrow_exception(fatal);
    if (error.empty()) {
      if (ended.state != TrialState::paused) failures_in_a_row = 0;  // a paused one may still fail
    } else {
      check(++failures_in_a_row < options.max_failures || options.max_failures == 0, "optimize: ", options.max_failures,
            " trials in a row failed; the last one, trial ", trial.number(), ": ", redacted(error));
    }
  };

  std::atomic<bool> stop = false, exhausted = false;
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    try {
      while (!stop && !core.stop_requested() && !detail::interrupted() && (!end || detail::Clock::now() < *end)) {
        core.rethrow_failure();
        if (const auto open = core.start(options.trials))
          run_trial(open);
        else if (core.may_go_on())
          core.wait();
        else {
          exhausted = true;
          break;
        }
      }
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      stop = true;
    }
  };

  {
    const detail::InterruptGuard guard(options.catch_signals);
    const detail::StatusLine line(core, options);
    std::vector<std::jthread> others;
    for (int i = 1; i < options.workers; ++i) others.emplace_back(work);
    work();
  }
  core.set_time_limit({});
  if (failure) std::rethrow_exception(failure);
  if (exhausted && !detail::interrupted()) core.settle();
  detail::raise_noted_signal();
}

Trial Study::ask() {
  auto open = core_->start(std::numeric_limits<std::int64_t>::max());
  check(open != nullptr, "ask: other workers took every trial that there was");
  open->asked = true;
  return Trial(std::move(open));
}

bool Study::tell(const Trial& trial, const std::vector<double>& values) {
  check(!values.empty(), "tell: no value");
  return core_->finish(*trial.open_, values);
}

bool Study::tell(const Trial& trial, TrialState state) {
  check(state != TrialState::running && state != TrialState::waiting && state != TrialState::diverged,
        "tell: a trial does not end as ", name_of(state));
  const TrialRecord record = trial.record();
  std::vector<double> values;
  if (!record.intermediate.empty()) values.push_back(record.intermediate.rbegin()->second);
  if (state == TrialState::complete) return core_->finish(*trial.open_, values);
  if (state != TrialState::pruned) values.clear();
  return core_->finish_as(*trial.open_, state, std::move(values));
}

Trial Study::ask(const std::map<std::string, Distribution>& space) {
  for (const auto& [name, distribution] : space) checked(name, distribution);
  Trial trial = ask();
  try {
    for (const auto& [name, distribution] : space) trial.suggest(name, distribution);
  } catch (const Error& error) {  // otherwise the next one who asks would get it, and the same Error
    trial.set_attribute("error", text_to_json(redacted(error.what())));
    tell(trial, TrialState::failed);
    throw;
  }
  return trial;
}

std::int64_t Study::detach(const Trial& trial) {
  core_->detach(*trial.open_);
  return trial.number();
}

Trial Study::attach(std::int64_t number) { return Trial(core_->attach(number)); }

void Study::stop() { core_->request_stop(true); }

std::int64_t Study::enqueue(const std::map<std::string, Choice>& parameters, const EnqueueOptions& options) {
  return core_->enqueue(parameters, options);
}
std::int64_t Study::add_trial(const TrialRecord& trial) { return core_->add(trial); }
std::int64_t Study::retry(std::int64_t number) { return core_->retry(number); }

void Study::set_metric_names(const std::vector<std::string>& names) { core_->set_metric_names(names); }
std::vector<std::string> Study::metric_names() const {
  return core_->with_history([](const History& history) { return history.metric_names(); });
}
void Study::set_attribute(const std::string& name, const std::string& json) { core_->set_attribute(name, json); }
std::map<std::string, std::string> Study::attributes() const { return core_->attributes(); }

Checkpoint Study::best_checkpoint() const { return core_->best_checkpoint(); }
void Study::restore_best(const std::vector<Stateful>& objects) const { restore_some(objects, best_checkpoint().bytes); }
std::int64_t Study::clean() { return core_->clean(); }
std::vector<std::pair<std::string, double>> Study::importance(const ImportanceOptions& options) const {
  return core_->with_history([&](const History& history) { return tune::importance(history, options); });
}

const std::string& Study::name() const { return core_->name(); }
const std::vector<Direction>& Study::directions() const { return core_->directions(); }

std::vector<TrialRecord> Study::trials() const {
  return core_->with_history(
      [](const History& history) { return std::vector<TrialRecord>(history.begin(), history.end()); });
}

TrialRecord Study::best_trial() const {
  return core_->with_history([&](const History& history) { return tune::best_trial(history); });
}

std::vector<TrialRecord> Study::pareto_front() const {
  return core_->with_history([](const History& history) { return tune::pareto_trials(history); });
}

std::string Study::table() const {
  return core_->with_history([](const History& history) { return tune::table(history); });
}

void Study::write_csv(const std::string& path) const {
  core_->with_history([&](const History& history) { tune::write_csv(history, path); });
}

void Study::write_json(const std::string& path) const {
  core_->with_history([&](const History& history) { tune::write_json(history, path); });
}

void Study::write_report(const std::string& path) const {
  // A copy, so that workers need not wait while the page is made.
  const History history = core_->with_history([](const History& current) { return current; });
  tune::write_report(history, name(), path);
}

}  // namespace xgrad::tune
