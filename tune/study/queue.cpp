// Trials that are asked for or known: enqueued, added, tried again, left to somebody else.
#include <algorithm>
#include <cmath>

#include "../report/results.hpp"
#include "../storage/sql_records.hpp"
#include "../trials/encoding.hpp"
#include "../trials/space.hpp"
#include "../trials/text.hpp"
#include "study_core.hpp"

namespace xgrad::tune::detail {

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

void StudyCore::detach(OpenTrial& open) {
  const std::lock_guard lock(mutex_);
  const bool held = write(open) && guarded([&] { return study_->detach(open.lease); });
  check(held, "detach: trial ", open.lease.number, " has ended, or another worker took it");
  close(open);
}

std::shared_ptr<OpenTrial> StudyCore::attach(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  refresh();
  check(number >= 0 && number < history_.size(), "attach: there is no trial ", number, " among ", history_.size());
  const TrialState state = history_[number].state;
  check(state == TrialState::running, "attach: trial ", number, " is ", name_of(state), ", not running");
  check(!held_.contains(number), "attach: trial ", number, " is held by this process already");
  const auto lease = guarded([&] { return study_->attach(number); });
  check(lease.has_value(), "attach: another process works on trial ", number);
  auto open = adopt(*lease, true, false);
  open->asked = true;
  return open;
}

}  // namespace xgrad::tune::detail
