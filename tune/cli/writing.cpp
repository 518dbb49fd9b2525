// The commands that change studies.
#include <charconv>
#include <iostream>

#include "../report/results.hpp"
#include "../samplers/cmaes.hpp"
#include "../samplers/gp.hpp"
#include "../samplers/nsgaii.hpp"
#include "../samplers/sobol.hpp"
#include "../samplers/tpe.hpp"
#include "../study/study.hpp"
#include "../trials/encoding.hpp"
#include "../trials/space.hpp"
#include "../trials/text.hpp"
#include "opened.hpp"

namespace xgrad::tune::cli {

namespace {

Study writable(const Arguments& arguments, const AnySampler& sampler = Random{}) {
  const auto [name, history] = opened(arguments);
  return Study::open(arguments.url, name,
                     {.sampler = sampler, .seed = arguments.seed, .directions = history.directions()});
}

AnySampler sampler_named(const std::string& name) {
  if (name == "auto") return Auto{};
  if (name == "gp") return GP{};
  if (name == "tpe") return TPE{};
  if (name == "cmaes") return CMAES{};
  if (name == "nsgaii") return NSGAII{};
  if (name == "sobol") return Sobol{};
  return Random{};
}

// A number that is none of JSON, as 1e999, is a mistake; a word that is none is a text.
bool looks_like_number(const std::string& word) {
  double ignored = 0;
  const bool begins = !word.empty() && (word[0] == '-' || (word[0] >= '0' && word[0] <= '9'));
  return begins && std::from_chars(word.data(), word.data() + word.size(), ignored).ptr == word.data() + word.size();
}

std::map<std::string, Choice> parameters_from(const std::vector<std::string>& words) {
  std::map<std::string, Choice> out;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0) throw WrongUsage("parameters: \"" + word + "\" is no NAME=VALUE");
    const std::string value = word.substr(equals + 1);
    const bool json = is_json(value) || looks_like_number(value);
    try {
      const Choice choice = choice_from_json(json ? value : text_to_json(value));
      const bool digits = value.find_first_not_of("-0123456789") == std::string::npos;
      check(!digits || !std::holds_alternative<double>(choice), value, " is no whole number of 64 bits");
      out[word.substr(0, equals)] = choice;
    } catch (const Error& error) {
      throw WrongUsage("parameters: \"" + word + "\": " + error.what());
    }
  }
  return out;
}

// What has ended, and what waits; paused trials become pruned ones, and running ones are left out.
std::int64_t copy_trials(const History& from, Study& to) {
  std::int64_t copied = 0;
  for (TrialRecord trial : from) {
    if (trial.state == TrialState::running) continue;
    if (trial.state == TrialState::waiting) {
      const auto fixed = trial.attributes.find("fixed_params");
      if (fixed == trial.attributes.end()) continue;
      to.enqueue(choices_from_json(fixed->second), {.unknown_names = true});
    } else {
      if (trial.state == TrialState::paused) trial.state = TrialState::pruned;
      to.add_trial(trial);
    }
    ++copied;
  }
  return copied;
}

}  // namespace

void create(const Arguments& arguments) {
  std::vector<Direction> directions;
  for (const std::string& word : arguments.directions) {
    if (word != "minimize" && word != "maximize")
      throw WrongUsage("--direction: \"" + word + "\" is neither minimize nor maximize");
    directions.push_back(word == "minimize" ? minimize : maximize);
  }
  Study::open(arguments.url, arguments.study, {.directions = directions});
}

void ask(const Arguments& arguments) {
  std::map<std::string, Distribution> space;
  try {
    space = space_from_json(arguments.space);
    for (const auto& [name, distribution] : space) checked(name, distribution);
  } catch (const Error& error) {
    throw WrongUsage(std::string("--space: ") + error.what());
  }
  Study study = writable(arguments, sampler_named(arguments.sampler));
  const Trial trial = study.ask(space);
  const std::int64_t number = study.detach(trial);
  std::cout << "{\"number\": " << std::to_string(number) << ", \"params\": " << choices_to_json(trial.parameters())
            << "}\n";
}

void tell(const Arguments& arguments) {
  if (arguments.values.empty() == arguments.state.empty())
    throw WrongUsage("tell: either --values or --state is needed");
  const std::string told = arguments.state.empty() ? "complete" : arguments.state;
  const TrialState state = state_from("--state", told);
  if (state != TrialState::complete && state != TrialState::pruned && state != TrialState::failed)
    throw WrongUsage("--state: a trial does not end as " + told + ": there are complete, pruned, failed");
  Study study = writable(arguments);
  const auto trials = study.trials();
  check(arguments.trial >= 0 && arguments.trial < static_cast<std::int64_t>(trials.size()), "there is no trial ",
        arguments.trial, " among ", trials.size());
  if (!arguments.skip_if_finished || !trials[static_cast<std::size_t>(arguments.trial)].completed) {
    const Trial trial = study.attach(arguments.trial);
    try {
      if (arguments.values.empty())
        study.tell(trial, state);
      else
        study.tell(trial, arguments.values);
    } catch (const Error&) {
      study.detach(trial);  // as it was
      throw;
    }
  }
  std::cout << "trial " << std::to_string(arguments.trial) << " is "
            << name_of(study.trials()[static_cast<std::size_t>(arguments.trial)].state) << '\n';
}

void enqueue(const Arguments& arguments) {
  const auto parameters = parameters_from(arguments.parameters);
  const std::int64_t number = writable(arguments).enqueue(parameters);
  std::cout << "trial " << std::to_string(number) << " waits\n";
}

void retry(const Arguments& arguments) {
  Study study = writable(arguments);
  std::int64_t count = 0;
  for (const auto& trial : study.trials())
    if (arguments.trial < 0 ? trial.state == TrialState::failed : trial.number == arguments.trial)
      study.retry(trial.number), ++count;
  std::cout << std::to_string(count) << " trials wait\n";
}

void clean(const Arguments& arguments) {
  std::cout << std::to_string(writable(arguments).clean()) << " checkpoints removed\n";
}

void copy(const Arguments& arguments) {
  const auto [name, trials] = opened(arguments);
  Study to = Study::open(arguments.target, name, {.directions = trials.directions()});
  check(to.trials().empty(), "there is a study \"", name, "\" in ", redacted(arguments.target), " already");
  if (!trials.metric_names().empty()) to.set_metric_names(trials.metric_names());
  std::cout << std::to_string(copy_trials(trials, to)) << " trials copied\n";
}

void remove(const Arguments& arguments) { open_storage(arguments.url, {.create = false})->remove(arguments.study); }

}  // namespace xgrad::tune::cli
