#include "study_core.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "../storage/sql_records.hpp"
#include "../trials/draws.hpp"
#include "../trials/encoding.hpp"
#include "../trials/log.hpp"
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

// The times of a trial that has paused do not tell for how long it ran.
void StudyCore::count_seconds(OpenTrial& open, TrialState state) {
  const std::int64_t number = open.lease.number;
  const auto& attributes = history_[number].attributes;
  const auto before = attributes.find(worked_attribute);
  if (state != TrialState::paused && before == attributes.end()) return;
  const double seconds = (before == attributes.end() ? 0 : number_from_json(before->second)) +
                         std::chrono::duration<double>(Clock::now() - open.taken).count();
  const std::string json = number_to_json(seconds);
  open.pending.attributes[worked_attribute] = json;
  history_.change(number, [&](TrialRecord& record) { record.attributes[worked_attribute] = json; });
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
  count_seconds(open, state);
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

}  // namespace xgrad::tune::detail
