// The commands that change nothing.
#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include "../../io/file.hpp"
#include "../importance/importance.hpp"
#include "../report/report.hpp"
#include "../report/results.hpp"
#include "../report/table.hpp"
#include "../storage/storage.hpp"
#include "../trials/encoding.hpp"
#include "../trials/ranking.hpp"
#include "../trials/text.hpp"
#include "opened.hpp"

namespace xgrad::tune::cli {

namespace {

std::unique_ptr<Storage> to_read(const Arguments& arguments) {
  return open_storage(arguments.url, {.create = false, .read_only = true});
}

// All that is known of one trial.
void print_trial(const TrialRecord& trial) {
  std::cout << trial << "\nstate " << name_of(trial.state) << '\n';
  if (trial.started) std::cout << "started " << time_to_text(*trial.started) << " UTC\n";
  if (trial.completed) std::cout << "completed " << time_to_text(*trial.completed) << " UTC\n";
  for (const auto& [name, value] : trial.constraints)
    std::cout << "constraint " << printable(name) << ' ' << value << '\n';
  for (const auto& [step, value] : trial.intermediate)
    std::cout << "report " << std::to_string(step) << ' ' << value << '\n';
  for (const auto& [name, json] : trial.attributes)
    std::cout << "attribute " << printable(name) << ' ' << printable(json) << '\n';
}

std::string counts_of(const History& history) {
  std::map<TrialState, std::int64_t> counts;
  for (const auto& trial : history) ++counts[trial.state];
  std::string out = std::to_string(history.size()) + " trials";
  for (const auto& [state, count] : counts)
    out.append(", ").append(std::to_string(count)).append(" ").append(name_of(state));
  return out;
}

}  // namespace

Opened opened(const Arguments& arguments) {
  const auto storage = to_read(arguments);
  std::string name = arguments.study;
  if (name.empty()) {
    const auto studies = storage->studies();
    check(studies.size() == 1, "there are ", studies.size(), " studies; name one of them with --study");
    name = studies[0].name;
  }
  History history = storage->read(name);
  return {std::move(name), std::move(history)};
}

TrialState state_from(const std::string& option, std::string_view word) {
  for (int state = 0; state < 7; ++state)
    if (word == name_of(static_cast<TrialState>(state))) return static_cast<TrialState>(state);
  throw WrongUsage(option + ": \"" + std::string(word) +
                   "\" is no state: there are running, complete, pruned, failed, waiting, paused, diverged");
}

void list(const Arguments& arguments) {
  for (const StudySummary& summary : to_read(arguments)->studies()) {
    std::cout << printable(summary.name) << '\t';
    for (std::size_t i = 0; i < summary.directions.size(); ++i)
      std::cout << (i > 0 ? "," : "") << name_of(summary.directions[i]);
    std::cout << '\t' << std::to_string(summary.trials) << " trials";
    if (summary.started) std::cout << "\tsince " << time_to_text(*summary.started).substr(0, 19) << " UTC";
    std::cout << '\n';
  }
}

void show(const Arguments& arguments) {
  const auto [name, history] = opened(arguments);
  if (arguments.trial >= 0) return print_trial(history[arguments.trial]);
  TableOptions shown{.top = arguments.top, .errors = arguments.errors, .exact = arguments.exact};
  for (const std::string& word : arguments.states) shown.states.push_back(state_from("--state", word));
  std::cout << table(history, shown);
}

void best(const Arguments& arguments) {
  const auto [name, history] = opened(arguments);
  if (history.directions().size() == 1)
    std::cout << best_trial(history) << '\n';
  else
    for (const auto& trial : pareto_trials(history)) std::cout << trial << '\n';
}

void importance(const Arguments& arguments) {
  const auto [name, trials] = opened(arguments);
  ImportanceOptions options;
  if (arguments.evaluator == "fanova") options.evaluator = Fanova{};
  for (; options.objective < trials.directions().size(); ++options.objective) {
    if (trials.directions().size() > 1) std::cout << printable(value_name(trials, options.objective)) << '\n';
    for (const auto& [parameter, share] : tune::importance(trials, options)) {
      const std::string line = std::to_string(static_cast<int>(share * 1000 + 0.5) / 10.0);
      std::cout << line.substr(0, line.find('.') + 2) << " %\t" << printable(parameter) << '\n';
    }
  }
}

void watch(const Arguments& arguments) {
  for (bool first = true;; first = false) {
    if (!first) std::this_thread::sleep_for(std::chrono::duration<double>(arguments.interval));
    const History trials = opened(arguments).history;
    std::cout << time_to_text(std::chrono::system_clock::now()).substr(11, 8) << " UTC  " << counts_of(trials);
    const bool any = std::any_of(trials.begin(), trials.end(), [](const auto& trial) {
      return trial.state == TrialState::complete && is_feasible(trial);
    });
    if (any && trials.directions().size() == 1) std::cout << ", best " << best_trial(trials).values.at(0);
    if (!(std::cout << std::endl) || arguments.interval == 0) return;
  }
}

void write_checkpoint(const Arguments& arguments) {
  const auto [name, trials] = opened(arguments);
  const std::int64_t of = arguments.trial >= 0 ? arguments.trial : best_trial(trials).number;
  const auto found = to_read(arguments)->checkpoint(name, of);
  check(found.has_value(), "there is no checkpoint of trial ", of);
  io::atomic_write(arguments.file, found->bytes);
}

void write_export(const Arguments& arguments) {
  if (arguments.file.ends_with(".csv"))
    write_csv(opened(arguments).history, arguments.file);
  else if (arguments.file.ends_with(".json"))
    write_json(opened(arguments).history, arguments.file);
  else
    throw WrongUsage("file: \"" + arguments.file + "\" ends neither in .csv nor in .json");
}

void write_page(const Arguments& arguments) {
  const auto [name, history] = opened(arguments);
  write_report(history, name, arguments.file);
}

}  // namespace xgrad::tune::cli
