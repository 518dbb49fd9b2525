#include "study_core.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "../report/results.hpp"
#include "../storage/sql_records.hpp"
#include "../trials/draws.hpp"
#include "../trials/encoding.hpp"
#include "../trials/log.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "../trials/text.hpp"
#include "interrupt.hpp"

namespace xgrad::tune::detail {

namespace {

constexpr auto flush_interval = std::chrono::milliseconds(100);  // of reports, which others want to see
constexpr auto keeper_interval = std::chrono::milliseconds(1000);
constexpr int attempts = 100;  // to claim what others claim at the same time

// The same for every Study of one place, however its URL is written; empty for memory, where each is its own.
std::string place_of(const std::string& url) {
  if (url.empty() || url == "memory:") return {};
  if (!url.starts_with("sqlite:")) return url;
  std::string file = url.substr(7);
  if (file.starts_with("///")) file.erase(0, 3);
  std::error_code error;
  const auto path = std::filesystem::canonical(file, error);
  return "sqlite:" + (error ? file : path.string());
}

TrialRecord fresh_record(std::int64_t number) {
  TrialRecord record;
  record.number = number;
  record.started = std::chrono::system_clock::now();
  return record;
}

// Times that the clock can count on from now.
std::chrono::milliseconds bounded(std::string_view what, std::chrono::milliseconds duration) {
  check(duration.count() >= 0, what, " of ", duration.count(), " ms is negative");
  return std::min(duration, longest_duration);
}

std::optional<double> last_report(const TrialRecord& trial) {
  return trial.intermediate.empty() ? std::nullopt : std::optional(trial.intermediate.rbegin()->second);
}

}  // namespace

OpenTrial::~OpenTrial() {
  const std::lock_guard lock(core->mutex_);
  if (closed) return;
  try {
    core->write(*this);
    if (!closed) core->study_->release(std::span(&lease, 1));
  } catch (const std::exception&) {
    // The lease runs out by itself.
  }
  core->close(*this);
}

StudyCore::StudyCore(const std::string& url, std::string name, const StudyOptions& options)
    : name_(std::move(name)),
      lease_(bounded("Study: a lease", options.lease)),
      checkpoint_interval_(bounded("Study: a checkpoint_interval", options.checkpoint_interval)),
      seed_(options.seed),
      prunes_(options.pruner.ends_trials()),
      keep_best_(options.keep_best_checkpoint),
      sampler_(options.sampler.make(options.seed)),
      pruner_(options.pruner.make(options.seed)) {
  check(lease_.count() > 0, "Study: a lease of ", lease_.count(), " ms is too short");
  const std::vector<Direction> wanted =
      options.directions.empty() ? std::vector<Direction>{options.direction} : options.directions;
  study_ = open_storage(url)->open(name_, wanted, lease_);
  place_ = place_of(url);
  check(directions() == wanted, "Study: \"", name_, "\" in ", redacted(url), " has ",
        directions().size() == 1 ? std::string("the direction ") + std::string(name_of(directions()[0]))
                                 : std::to_string(directions().size()) + " directions",
        ", which is not what was asked for");
  history_ = History(wanted);
  history_.set_metric_names(study_->metric_names());
  refresh();
  sampler_->prepare({.prunes = prunes_});
}

StudyCore::~StudyCore() = default;

template <class F>
auto StudyCore::guarded(F&& f) {
  try {
    return f();
  } catch (...) {
    failure_ = std::current_exception();
    throw;
  }
}

bool StudyCore::has_failed() {
  const std::lock_guard lock(mutex_);
  return failure_ != nullptr;
}

void StudyCore::rethrow_failure() {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void StudyCore::set_time_limit(std::optional<std::chrono::milliseconds> limit) {
  const std::lock_guard lock(mutex_);
  time_limit_ = limit ? std::optional(bounded("optimize: a trial_time_limit", *limit)) : std::nullopt;
}

void StudyCore::refresh() {
  for (TrialRecord& record : guarded([&] { return study_->changes(); }))
    if (!held_.contains(record.number)) history_.put(std::move(record));
}

void StudyCore::close(OpenTrial& open) {
  open.closed = true;
  held_.erase(open.lease.number);
  changed_.notify_all();
}

void StudyCore::lose(OpenTrial& open) {
  open.stop = Stop::lost;
  open.pending = {};
  close(open);
  if (auto record = guarded([&] { return study_->read(open.lease.number); })) history_.put(std::move(*record));
}

bool StudyCore::write(OpenTrial& open) {
  if (open.closed) return false;
  if (open.pending.empty()) return true;
  const std::pair<Lease, TrialChange> change{open.lease, open.pending};
  const bool held = guarded([&] { return study_->write(std::span(&change, 1)); }).front();
  open.pending = {};
  if (!held) lose(open);
  return held;
}

void StudyCore::flush() {
  flushed_ = Clock::now();
  std::vector<std::pair<Lease, TrialChange>> changes;
  std::vector<OpenTrial*> trials;
  for (const auto& [number, open] : held_)
    if (!open->pending.empty()) {
      changes.emplace_back(open->lease, open->pending);
      trials.push_back(open);
    }
  if (changes.empty()) return;
  const std::vector<bool> held = guarded([&] { return study_->write(changes); });
  for (std::size_t i = 0; i < trials.size(); ++i) {
    trials[i]->pending = {};
    if (!held[i]) lose(*trials[i]);
  }
}

void StudyCore::keep_alive(const std::stop_token& stop) {
  const auto interval = std::min<std::chrono::milliseconds>(keeper_interval, lease_ / 4);
  auto renewed = Clock::now();
  std::unique_lock lock(mutex_);
  while (!never_.wait_for(lock, stop, interval, [] { return false; }) && !stop.stop_requested()) {
    try {
      flush();
      if (held_.empty() || Clock::now() - renewed < lease_ / 4) continue;
      renewed = Clock::now();
      std::vector<Lease> leases;
      std::vector<OpenTrial*> trials;
      for (const auto& [number, open] : held_) {
        leases.push_back(open->lease);
        trials.push_back(open);
      }
      const std::vector<bool> held = guarded([&] { return study_->renew(leases); });
      for (std::size_t i = 0; i < trials.size(); ++i)
        if (!held[i]) lose(*trials[i]);
    } catch (const std::exception&) {
      changed_.notify_all();  // it is in failure_
    }
  }
}

std::shared_ptr<OpenTrial> StudyCore::adopt(const Lease& lease, bool resumed, bool orphan) {
  const std::int64_t number = lease.number;
  if (resumed)
    if (auto record = guarded([&] { return study_->read(number); })) history_.put(std::move(*record));
  auto open = std::make_shared<OpenTrial>(shared_from_this(), lease);
  open->seed = Draws(seed_, number, "seed").bits();
  if (time_limit_) open->deadline = Clock::now() + *time_limit_;
  held_[number] = open.get();
  history_.change(number, [&](TrialRecord& record) {
    record.state = TrialState::running;
    if (!record.started) record.started = std::chrono::system_clock::now();
    if (orphan)
      std::erase_if(record.intermediate,
                    [&](const auto& report) { return !record.checkpoint || report.first > *record.checkpoint; });
  });
  if (const auto& attributes = history_[number].attributes; attributes.contains(fixed_attribute))
    open->fixed = choices_from_json(attributes.at(fixed_attribute));
  if (history_[number].parameters.empty()) {
    open->pending.attributes = sampler_->begin(history_, history_[number]);
    if (!open->pending.attributes.empty())
      history_.change(number, [&](TrialRecord& record) {
        for (const auto& [key, json] : open->pending.attributes) record.attributes[key] = json;
      });
  }
  if (!keeper_.joinable()) keeper_ = std::jthread([this](const std::stop_token& stop) { keep_alive(stop); });
  return open;
}

std::shared_ptr<OpenTrial> StudyCore::begin_new(const Lease& lease, const NewTrial& trial) {
  if (lease.number > history_.size()) refresh();
  if (lease.number == history_.size()) {
    TrialRecord record = fresh_record(lease.number);
    record.parameters = trial.parameters;
    record.attributes = trial.attributes;
    if (trial.fork_of) record.checkpoint = history_[*trial.fork_of].checkpoint;
    history_.put(std::move(record));
  }
  if (trial.replaces)
    history_.change(*trial.replaces, [&](TrialRecord& record) {
      record.state = TrialState::pruned;
      record.values = trial.replaced_values;
      record.completed = trial.time;
      record.checkpoint.reset();
    });
  auto open = adopt(lease, false, false);
  open->forked = trial.fork_of.has_value();
  return open;
}

std::int64_t StudyCore::count_started() {
  for (const std::int64_t number : history_.changes(counted_))
    if (history_[number].state == TrialState::waiting || history_[number].state == TrialState::failed)
      not_counted_.insert(number);
    else
      not_counted_.erase(number);
  counted_ = history_.changes_made();
  return history_.size() - static_cast<std::int64_t>(not_counted_.size());
}

// Nothing at all where someone else was faster, so that it is worth to try again.
std::optional<std::shared_ptr<OpenTrial>> StudyCore::try_start(std::int64_t limit) {
  refresh();
  for (const std::int64_t number : guarded([&] { return study_->orphans(); })) {
    if (held_.contains(number)) continue;
    const auto lease = guarded([&] { return study_->claim(number); });
    return lease ? std::optional(adopt(*lease, true, true)) : std::nullopt;
  }
  if (const auto lease = guarded([&] { return study_->claim_waiting(limit); })) {
    if (lease->number >= history_.size()) refresh();
    return adopt(*lease, true, false);
  }
  NewTrial fresh;
  fresh.time = std::chrono::system_clock::now();
  const std::int64_t started = count_started();
  if (const auto next = pruner_->next(history_, started < limit)) {
    if (!next->fork) {
      const auto lease = guarded([&] { return study_->claim(next->source); });
      return lease ? std::optional(adopt(*lease, true, false)) : std::nullopt;
    }
    fresh.fork_of = next->source;
    fresh.attributes = next->attributes;
    fresh.replaces = next->replaces;
    if (const auto last = next->replaces ? last_report(history_[*next->replaces]) : std::nullopt)
      fresh.replaced_values = {*last};
    fresh.parameters = history_[next->source].parameters;
    for (Parameter& parameter : fresh.parameters)
      if (const auto value = next->parameters.find(parameter.name); value != next->parameters.end())
        parameter.value = value->second;
  }
  const auto lease = guarded([&] { return study_->create(limit, fresh); });
  if (lease) return begin_new(*lease, fresh);
  if (fresh.fork_of && started < limit) return std::nullopt;
  return std::shared_ptr<OpenTrial>();
}

std::shared_ptr<OpenTrial> StudyCore::start(std::int64_t limit) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < attempts; ++i)
    if (auto started = try_start(limit)) return *started;
  return nullptr;
}

void StudyCore::plan(std::int64_t trials) {
  const std::lock_guard lock(mutex_);
  sampler_->prepare({.trials = trials, .prunes = prunes_});
}

bool StudyCore::may_go_on() {
  const std::lock_guard lock(mutex_);
  const auto asked = std::count_if(held_.begin(), held_.end(), [](const auto& entry) { return entry.second->asked; });
  return guarded([&] { return study_->leased(); }) > asked;
}

void StudyCore::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(100));
}

double StudyCore::fixed_value(OpenTrial& open, const std::string& name, const Distribution& distribution) const {
  const Choice& wanted = open.fixed.at(name);
  const auto value = value_in(distribution, wanted);
  if (!value && std::holds_alternative<CategoricalDistribution>(distribution))
    fail("suggest_categorical: \"", name, "\": the enqueued value ", choice_to_json(wanted), " is none of the choices");
  check(value.has_value(), "suggest: \"", name, "\": the enqueued value ", choice_to_json(wanted),
        " is not in its range ", distribution_to_json(distribution));
  return *value;
}

double StudyCore::suggest(OpenTrial& open, const std::string& name, const Distribution& asked) {
  check_name("suggest", "parameter", name);
  const Distribution distribution = checked(name, asked);
  const std::lock_guard lock(mutex_);
  const std::int64_t number = open.lease.number;
  const TrialRecord& trial = history_[number];
  for (const Parameter& parameter : trial.parameters)
    if (parameter.name == name) {
      check(parameter.distribution == distribution, "suggest: \"", name, "\": trial ", number,
            " has it already, from another range: ", distribution_to_json(parameter.distribution), ", not ",
            distribution_to_json(distribution));
      return parameter.value;
    }
  Parameter parameter{name, distribution, 0};
  if (open.fixed.contains(name))
    parameter.value = fixed_value(open, name, distribution);
  else
    parameter.value = sampler_->suggest(history_, trial, name, distribution);
  if (open.closed) return parameter.value;
  open.pending.parameters.push_back(parameter);
  history_.change(number, [&](TrialRecord& record) { record.parameters.push_back(parameter); });
  return parameter.value;
}

void StudyCore::report(OpenTrial& open, std::int64_t step, double value) {
  check(step >= 0, "report: step ", step, " is negative");
  const std::lock_guard lock(mutex_);
  check(directions().size() == 1, "report: the study has ", directions().size(),
        " objectives; only a single one can be reported step by step");
  const std::int64_t number = open.lease.number;
  if (open.closed) return;
  const bool again = !open.steps.insert(step).second;
  if (history_[number].intermediate.contains(step)) {  // also where a trial that was interrupted retraces its steps
    if (again && !std::exchange(said_repeated_, true))
      log("trial " + std::to_string(number) + " reported step " + std::to_string(step) +
          " twice; only the first report of a step counts");
    return;
  }
  open.pending.reports.emplace_back(step, value);
  history_.change(number, [&](TrialRecord& record) { record.intermediate[step] = value; });
  if (!std::isfinite(value)) {
    open.stop = Stop::diverged;
  } else if (open.stop != Stop::diverged) {
    const Decision decision = pruner_->report(history_, number);
    open.stop = decision == Decision::prune ? Stop::prune : decision == Decision::pause ? Stop::pause : Stop::none;
  }
  if (Clock::now() - flushed_ > flush_interval) flush();
}

void StudyCore::set_attribute(OpenTrial& open, const std::string& name, const std::string& json) {
  check_name("set_attribute", "attribute", name);
  const std::string_view fault = json_fault(json);
  check(fault.empty(), "set_attribute: \"", name, "\": `", printable(json.substr(0, 200)),
        json.size() > 200 ? "...` " : "` ", fault);
  check(!is_system_attribute(name), "set_attribute: \"", name, "\" is used by the study itself");
  const std::lock_guard lock(mutex_);
  if (open.closed) return;
  open.pending.attributes[name] = json;
  history_.change(open.lease.number, [&](TrialRecord& record) { record.attributes[name] = json; });
}

void StudyCore::set_constraint(OpenTrial& open, const std::string& name, double value) {
  check_name("set_constraint", "constraint", name);
  check(name.size() <= 500, "set_constraint: the name of a constraint has ", name.size(), " bytes; it needs 1 to 500");
  check(!std::isnan(value), "set_constraint: \"", name, "\" is NaN");
  const std::lock_guard lock(mutex_);
  if (open.closed) return;
  open.pending.constraints[name] = value;
  history_.change(open.lease.number, [&](TrialRecord& record) { record.constraints[name] = value; });
}

TrialRecord StudyCore::record(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  return history_[number];
}

bool StudyCore::should_stop(OpenTrial& open) {
  const std::lock_guard lock(mutex_);
  if (open.stop == Stop::none && open.deadline && Clock::now() > *open.deadline) open.stop = Stop::time_limit;
  if (open.stop == Stop::none && interrupted()) open.stop = Stop::interrupt;
  open.told = open.told || open.stop != Stop::none;
  return open.stop != Stop::none;
}

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

bool StudyCore::finish(OpenTrial& open, const std::vector<double>& returned) {
  const std::lock_guard lock(mutex_);
  if (open.closed) return false;
  const auto last = last_report(history_[open.lease.number]);
  const std::vector<double> reported = last ? std::vector<double>{*last} : std::vector<double>();
  if (open.stop == Stop::diverged) return finish_as(open, TrialState::diverged, {});
  if (open.told && open.stop == Stop::pause) {
    if (!history_[open.lease.number].checkpoint && !std::exchange(said_paused_, true))
      log("trial " + std::to_string(open.lease.number) +
          " was paused without a checkpoint, and will begin anew where it goes on. Let the objective run its epochs by "
          "trial.epochs(n, model, optimizer, ...), which saves them, or use a pruner with .stopping = true");
    return finish_as(open, TrialState::paused, {});
  }
  if (open.told && open.stop == Stop::interrupt) {
    if (!write(open)) return false;
    guarded([&] { study_->release(std::span(&open.lease, 1)); });
    close(open);
    return true;
  }
  if (open.told && (open.stop == Stop::prune || open.stop == Stop::time_limit)) {
    if (open.stop == Stop::time_limit) set_attribute(open, "pruned_by", text_to_json("time limit"));
    return finish_as(open, TrialState::pruned, reported);
  }
  const std::vector<double>& values = returned.empty() ? reported : returned;
  check(!values.empty(), "trial ", open.lease.number, ": the objective neither returned nor reported a value");
  check(values.size() == directions().size(), "trial ", open.lease.number, ": ", values.size(), " values for ",
        directions().size(), " objectives");
  const bool finite = std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  return finite ? finish_as(open, TrialState::complete, values) : finish_as(open, TrialState::diverged, {});
}

bool StudyCore::finish_as(OpenTrial& open, TrialState state, std::vector<double> values) {
  const std::lock_guard lock(mutex_);
  if (open.closed) return false;
  const std::int64_t number = open.lease.number;
  if (state == TrialState::complete)
    for (const auto& [name, choice] : open.fixed) {
      const auto& asked = history_[number].parameters;
      if (std::none_of(asked.begin(), asked.end(), [&name = name](const Parameter& p) { return p.name == name; }))
        log("trial " + std::to_string(number) + " was enqueued with a parameter \"" + name +
            "\", which it did not ask for");
    }
  const bool best = open.keep && state == TrialState::complete && would_be_best(number, values.at(0));
  open.pending.state = state;
  open.pending.values = values;
  open.pending.keep_checkpoint = best;
  if (open.keep && !best) open.pending.checkpoint.reset();
  open.pending.time = std::chrono::system_clock::now();
  const auto time = open.pending.time;
  if (!write(open)) return false;
  history_.change(number, [&](TrialRecord& record) {
    record.state = state;
    if (state == TrialState::paused) return;
    record.values = std::move(values);
    record.completed = time;
    if (!best) record.checkpoint.reset();
  });
  close(open);
  if (best) forget_other_bests(number);
  return true;
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

std::map<std::string, std::string> StudyCore::attributes() {
  const std::lock_guard lock(mutex_);
  return guarded([&] { return study_->attributes(); });
}

void StudyCore::set_attribute(const std::string& name, const std::string& json) {
  check_name("set_attribute", "attribute", name);
  const std::string_view fault = json_fault(json);
  check(fault.empty(), "set_attribute: \"", name, "\": `", printable(json.substr(0, 200)),
        json.size() > 200 ? "...` " : "` ", fault);
  const std::lock_guard lock(mutex_);
  guarded([&] { study_->set_attribute(name, json); });
}

void StudyCore::set_metric_names(const std::vector<std::string>& names) {
  check(names.size() == directions().size(), "set_metric_names: ", names.size(), " names for ", directions().size(),
        " objectives");
  for (const std::string& name : names) check_name("set_metric_names", "metric", name);
  const std::lock_guard lock(mutex_);
  guarded([&] { study_->set_metric_names(names); });
  history_.set_metric_names(names);
}

std::int64_t StudyCore::enqueue(std::map<std::string, std::string> attributes) {
  TrialRecord record;
  record.state = TrialState::waiting;
  record.attributes = std::move(attributes);
  record.number = guarded([&] { return study_->enqueue(record.attributes); });
  if (record.number > history_.size()) refresh();
  const std::int64_t number = record.number;
  if (number == history_.size()) history_.put(std::move(record));
  return number;
}

void StudyCore::check_against_history(const std::map<std::string, Choice>& parameters,
                                      const EnqueueOptions& options) const {
  std::set<std::string> names, found, given;
  for (const auto& [name, value] : parameters) given.insert(name);
  const Distribution* other = nullptr;
  std::set<std::string> fitting;
  for (const TrialRecord& trial : history_)
    for (const Parameter& parameter : trial.parameters) {
      names.insert(parameter.name);
      const auto wanted = parameters.find(parameter.name);
      if (wanted == parameters.end()) continue;
      found.insert(parameter.name);
      if (value_in(parameter.distribution, wanted->second)) fitting.insert(parameter.name);
    }
  if (names.empty()) return;
  for (const auto& [name, value] : parameters) {
    if (!found.contains(name)) {
      std::string known;
      for (const std::string& each : names) known.append(known.empty() ? "" : ", ").append(printable(each));
      check(options.unknown_names, "enqueue: no trial of the study has a parameter \"", printable(name),
            "\"; there are ", known, ". If it is of a branch that no trial came to yet, allow unknown_names");
      continue;
    }
    if (fitting.contains(name)) continue;
    for (const TrialRecord& trial : history_)
      for (const Parameter& parameter : trial.parameters)
        if (parameter.name == name) other = &parameter.distribution;
    fail("enqueue: \"", printable(name), "\": ", choice_to_json(value), " is not in its range ",
         distribution_to_json(*other));
  }
}

std::optional<std::int64_t> StudyCore::find_equal(const std::map<std::string, Choice>& parameters) const {
  const std::string fixed = choices_to_json(parameters);
  for (const TrialRecord& trial : history_) {
    const auto enqueued = trial.attributes.find(fixed_attribute);
    if (enqueued != trial.attributes.end() && choices_from_json(enqueued->second) == parameters) return trial.number;
    if (trial.parameters.size() == parameters.size() &&
        std::all_of(trial.parameters.begin(), trial.parameters.end(), [&](const Parameter& parameter) {
          const auto wanted = parameters.find(parameter.name);
          return wanted != parameters.end() && value_in(parameter.distribution, wanted->second) == parameter.value;
        }))
      return trial.number;
  }
  return std::nullopt;
}

std::int64_t StudyCore::enqueue(const std::map<std::string, Choice>& parameters, const EnqueueOptions& options) {
  const std::string fixed = choices_to_json(parameters);
  const std::lock_guard lock(mutex_);
  refresh();
  check_against_history(parameters, options);
  if (options.skip_if_exists)
    if (const auto equal = find_equal(parameters)) return *equal;
  return enqueue({{fixed_attribute, fixed}});
}

std::int64_t StudyCore::retries(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  const auto& attributes = history_[number].attributes;
  const auto history = attributes.find(retries_attribute);
  return history == attributes.end() ? 0 : static_cast<std::int64_t>(numbers_from_json(history->second).size());
}

std::int64_t StudyCore::retry(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  refresh();
  const TrialRecord& trial = history_[number];
  check(trial.state == TrialState::failed, "retry: trial ", number, " is ", name_of(trial.state), ", not failed");
  std::map<std::string, Choice> parameters;
  if (trial.attributes.contains(fixed_attribute)) parameters = choices_from_json(trial.attributes.at(fixed_attribute));
  for (const Parameter& parameter : trial.parameters) parameters[parameter.name] = value_of(parameter);
  const auto first = trial.attributes.find(retried_attribute), before = trial.attributes.find(retries_attribute);
  const bool again = first != trial.attributes.end() && before != trial.attributes.end();
  std::string history = again ? before->second : "[]";
  history.insert(history.size() - 1, (history == "[]" ? "" : ", ") + std::to_string(number));
  return enqueue({{fixed_attribute, choices_to_json(parameters)},
                  {retried_attribute, again ? first->second : std::to_string(number)},
                  {retries_attribute, history}});
}

std::int64_t StudyCore::add(const TrialRecord& trial) {
  check(trial.state == TrialState::complete || trial.state == TrialState::pruned || trial.state == TrialState::failed ||
            trial.state == TrialState::diverged,
        "add_trial: a trial that is ", name_of(trial.state),
        " cannot be added: it is complete, pruned, failed or diverged");
  std::set<std::string> names;
  for (const Parameter& parameter : trial.parameters) {
    check_name("add_trial", "parameter", parameter.name);
    check(names.insert(parameter.name).second, "add_trial: \"", parameter.name, "\" is given twice");
    checked(parameter.name, parameter.distribution);
    check(contains(parameter.distribution, parameter.value), "add_trial: \"", parameter.name, "\": ", parameter.value,
          " is not in its distribution ", distribution_to_json(parameter.distribution));
  }
  check(trial.state != TrialState::complete || trial.values.size() == directions().size(),
        "add_trial: ", trial.values.size(), " values for ", directions().size(), " objectives");
  for (const double value : trial.values) check(std::isfinite(value), "add_trial: the value ", value, " is not finite");
  check(trial.values.size() <= directions().size(), "add_trial: ", trial.values.size(), " values for ",
        directions().size(), " objectives");
  for (const auto& [step, value] : trial.intermediate) check(step >= 0, "add_trial: step ", step, " is negative");
  for (const auto& [name, json] : trial.attributes) {
    check_name("add_trial", "attribute", name);
    check(size_fault(json).empty(), "add_trial: the attribute \"", name, "\" ", size_fault(json));
  }
  for (const auto& [name, value] : trial.constraints) {
    check_name("add_trial", "constraint", name);
    check(!std::isnan(value), "add_trial: the constraint \"", name, "\" is NaN");
  }
  const std::lock_guard lock(mutex_);
  TrialRecord record = trial;
  record.checkpoint.reset();
  const auto now = std::chrono::system_clock::now();
  if (!record.completed) record.completed = now;
  if (!record.started) record.started = record.completed;
  record.number = guarded([&] { return study_->add(record); });
  if (record.number > history_.size()) refresh();
  const std::int64_t number = record.number;
  if (number == history_.size()) history_.put(std::move(record));
  return number;
}

}  // namespace xgrad::tune::detail
