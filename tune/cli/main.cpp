// xgrad-tune: studies on the command line.

#include <algorithm>
#include <charconv>
#include <CLI/CLI.hpp>
#include <cstring>
#include <iostream>
#include <thread>

#include "../../io/file.hpp"
#include "../../tune.hpp"
#include "../report/report.hpp"
#include "../report/table.hpp"
#include "../trials/encoding.hpp"
#include "../trials/ranking.hpp"
#include "../trials/text.hpp"

namespace {

using namespace xgrad;

constexpr int failure = 1, wrong_usage = 2;

// The name that was given, or that of the only study.
std::string name_in(tune::Storage& storage, const std::string& given) {
  if (!given.empty()) return given;
  const auto studies = storage.studies();
  check(studies.size() == 1, "there are ", studies.size(), " studies; name one of them with --study");
  return studies[0].name;
}

void list(tune::Storage& storage) {
  for (const tune::StudySummary& summary : storage.studies()) {
    std::cout << tune::printable(summary.name) << '\t';
    for (std::size_t i = 0; i < summary.directions.size(); ++i)
      std::cout << (i > 0 ? "," : "") << tune::name_of(summary.directions[i]);
    std::cout << '\t' << std::to_string(summary.trials) << " trials";
    if (summary.started) std::cout << "\tsince " << tune::time_to_text(*summary.started).substr(0, 19) << " UTC";
    std::cout << '\n';
  }
}

tune::TrialState state_from(const std::string& word) {
  for (int state = 0; state < 7; ++state)
    if (word == tune::name_of(static_cast<tune::TrialState>(state))) return static_cast<tune::TrialState>(state);
  throw CLI::ValidationError(
      "--state",
      "\"" + word + "\" is no state: there are running, complete, pruned, failed, waiting, paused, diverged");
}

// All that is known of one trial.
void print_trial(const tune::TrialRecord& trial) {
  std::cout << trial << "\nstate " << tune::name_of(trial.state) << '\n';
  if (trial.started) std::cout << "started " << tune::time_to_text(*trial.started) << " UTC\n";
  if (trial.completed) std::cout << "completed " << tune::time_to_text(*trial.completed) << " UTC\n";
  for (const auto& [name, value] : trial.constraints)
    std::cout << "constraint " << tune::printable(name) << ' ' << value << '\n';
  for (const auto& [step, value] : trial.intermediate)
    std::cout << "report " << std::to_string(step) << ' ' << value << '\n';
  for (const auto& [name, json] : trial.attributes)
    std::cout << "attribute " << tune::printable(name) << ' ' << tune::printable(json) << '\n';
}

std::string counts_of(const tune::History& history) {
  std::map<tune::TrialState, std::int64_t> counts;
  for (const auto& trial : history) ++counts[trial.state];
  std::string out = std::to_string(history.size()) + " trials";
  for (const auto& [state, count] : counts)
    out.append(", ").append(std::to_string(count)).append(" ").append(tune::name_of(state));
  return out;
}

// What has ended, and what waits; paused trials become pruned ones, and running ones are left out.
std::int64_t copy_trials(const tune::History& from, tune::Study& to) {
  std::int64_t copied = 0;
  for (tune::TrialRecord trial : from) {
    if (trial.state == tune::TrialState::running) continue;
    if (trial.state == tune::TrialState::waiting) {
      const auto fixed = trial.attributes.find("fixed_params");
      if (fixed == trial.attributes.end()) continue;
      to.enqueue(tune::choices_from_json(fixed->second), {.unknown_names = true});
    } else {
      if (trial.state == tune::TrialState::paused) trial.state = tune::TrialState::pruned;
      to.add_trial(trial);
    }
    ++copied;
  }
  return copied;
}

void print_best(const tune::History& history) {
  if (history.directions().size() == 1)
    std::cout << tune::best_trial(history) << '\n';
  else
    for (const auto& trial : tune::pareto_trials(history)) std::cout << trial << '\n';
}

// A number that is none of JSON, as 1e999, is a mistake; a word that is none is a text.
bool looks_like_number(const std::string& word) {
  double ignored = 0;
  const bool begins = !word.empty() && (word[0] == '-' || (word[0] >= '0' && word[0] <= '9'));
  return begins && std::from_chars(word.data(), word.data() + word.size(), ignored).ptr == word.data() + word.size();
}

std::map<std::string, tune::Choice> parameters_from(const std::vector<std::string>& words) {
  std::map<std::string, tune::Choice> out;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      throw CLI::ValidationError("parameters", "\"" + word + "\" is no NAME=VALUE");
    const std::string value = word.substr(equals + 1);
    const bool json = tune::is_json(value) || looks_like_number(value);
    try {
      const tune::Choice choice = tune::choice_from_json(json ? value : tune::text_to_json(value));
      const bool digits = value.find_first_not_of("-0123456789") == std::string::npos;
      check(!digits || !std::holds_alternative<double>(choice), value, " is no whole number of 64 bits");
      out[word.substr(0, equals)] = choice;
    } catch (const Error& error) {
      throw CLI::ValidationError("parameters", "\"" + word + "\": " + error.what());
    }
  }
  return out;
}

int run(const std::vector<std::string>& words) {
  CLI::App app(
      "Looks at studies of hyperparameters, which programs made with <xgrad/tune.hpp> or Optuna, and changes them. All "
      "but create, enqueue, retry, copy, clean and delete only read, and change nothing where they do.",
      "xgrad-tune");
  app.footer(
      "A password is better given in PGPASSWORD or ~/.pgpass than in the URL.\n"
      "Exit status: 0 done; 1 it failed, also to write its output; 2 wrong use of the command line.");
  app.require_subcommand(1);
  app.set_version_flag("--version", "xgrad-tune 0.1.0");
  std::string url, name, file, target;
  std::int64_t number = -1;
  double interval = 2;
  bool exact = false;
  std::vector<std::string> states;
  tune::TableOptions shown;
  std::vector<std::string> values;

  const auto command = [&](const char* word, const char* help, const std::function<void()>& act) {
    CLI::App* const sub = app.add_subcommand(word, help);
    sub->add_option("storage", url, "sqlite:FILE or postgresql://USER@HOST/DATABASE")->required();
    sub->callback(act);
    return sub;
  };
  const auto with_study = [&](CLI::App* sub) {
    sub->add_option("-s,--study", name, "name of the study; may be left out if there is only one");
    return sub;
  };
  const auto to_read = [&] { return tune::open_storage(url, {.create = false, .read_only = true}); };
  const auto history = [&] {
    const auto storage = to_read();
    name = name_in(*storage, name);
    return storage->read(name);
  };

  command("list", "Lists the studies: name, directions, trials, time of the first one", [&] { list(*to_read()); });
  const auto writable = [&] {
    const auto directions = history().directions();
    return tune::Study::open(url, name, {.directions = directions});
  };
  CLI::App* const show = with_study(command("show", "Prints the trials of a study, best first", [&] {
    if (number >= 0) return print_trial(history()[number]);
    for (const std::string& word : states) shown.states.push_back(state_from(word));
    shown.exact = exact;
    std::cout << tune::table(history(), shown);
  }));
  show->add_option("-n,--top", shown.top, "only so many");
  show->add_option("--state", states, "only trials in these states")->delimiter(',');
  show->add_option("--trial", number, "all about this one trial");
  show->add_flag("--errors", shown.errors, "what failed trials say");
  show->add_flag("--exact", exact, "numbers with all their digits");
  with_study(command("importance", "Prints how much each parameter mattered", [&] {
    const tune::History trials = history();
    for (std::size_t i = 0; i < trials.directions().size(); ++i) {
      if (trials.directions().size() > 1) std::cout << tune::printable(tune::value_name(trials, i)) << '\n';
      for (const auto& [parameter, share] : tune::importance(trials, {.objective = i})) {
        std::string line = std::to_string(static_cast<int>(share * 1000 + 0.5) / 10.0);
        std::cout << line.substr(0, line.find('.') + 2) << " %\t" << tune::printable(parameter) << '\n';
      }
    }
  }));
  CLI::App* const watch =
      with_study(command("watch", "Prints a line about the study every few seconds, until it is ended", [&] {
        for (bool first = true;; first = false) {
          if (!first) std::this_thread::sleep_for(std::chrono::duration<double>(interval));
          const tune::History trials = history();
          std::cout << tune::time_to_text(std::chrono::system_clock::now()).substr(11, 8) << " UTC  "
                    << counts_of(trials);
          const bool any = std::any_of(trials.begin(), trials.end(), [](const auto& trial) {
            return trial.state == tune::TrialState::complete && tune::is_feasible(trial);
          });
          if (any && trials.directions().size() == 1) std::cout << ", best " << tune::best_trial(trials).values.at(0);
          if (!(std::cout << std::endl) || interval == 0) return;
        }
      }));
  watch->add_option("--interval", interval, "seconds; 0: once")->check(CLI::Range(0.0, 86400.0));
  CLI::App* const checkpoint =
      with_study(command("checkpoint", "Writes the weights of the best trial to a .safetensors file", [&] {
        const tune::History trials = history();
        const std::int64_t of = number >= 0 ? number : tune::best_trial(trials).number;
        const auto found = to_read()->checkpoint(name, of);
        check(found.has_value(), "there is no checkpoint of trial ", of);
        io::atomic_write(file, found->bytes);
      }));
  checkpoint->add_option("file", file, "what to write")->required();
  checkpoint->add_option("--trial", number, "of this trial instead");
  CLI::App* const create = command("create", "Makes a study without trials", [&] {
    std::vector<tune::Direction> directions;
    for (const std::string& word : states) {
      if (word != "minimize" && word != "maximize")
        throw CLI::ValidationError("--direction", "\"" + word + "\" is neither minimize nor maximize");
      directions.push_back(word == "minimize" ? tune::minimize : tune::maximize);
    }
    tune::Study::open(url, name, {.directions = directions});
  });
  create->add_option("-s,--study", name, "name of the study")->required();
  create->add_option("--direction", states, "minimize or maximize, one for each objective")->delimiter(',');
  CLI::App* const retry = with_study(command("retry", "Enqueues failed trials once more", [&] {
    auto study = writable();
    std::int64_t count = 0;
    for (const auto& trial : study.trials())
      if (number < 0 ? trial.state == tune::TrialState::failed : trial.number == number)
        study.retry(trial.number), ++count;
    std::cout << std::to_string(count) << " trials wait\n";
  }));
  retry->add_option("--trial", number, "only this one");
  with_study(command("clean", "Removes checkpoints of paused trials, which begin anew if they go on",
                     [&] { std::cout << std::to_string(writable().clean()) << " checkpoints removed\n"; }));
  CLI::App* const copy =
      with_study(command("copy", "Copies the trials of a study, but running ones, to another storage", [&] {
        const tune::History trials = history();
        auto to = tune::Study::open(target, name, {.directions = trials.directions()});
        check(to.trials().empty(), "there is a study \"", name, "\" in ", tune::redacted(target), " already");
        if (!trials.metric_names().empty()) to.set_metric_names(trials.metric_names());
        std::cout << std::to_string(copy_trials(trials, to)) << " trials copied\n";
      }));
  copy->add_option("to", target, "storage to copy to")->required();
  with_study(command("best", "Prints the best trial, or those of the Pareto front", [&] { print_best(history()); }));
  with_study(command("export", "Writes the trials to a .csv or .json file",
                     [&] {
                       if (file.ends_with(".csv"))
                         tune::write_csv(history(), file);
                       else if (file.ends_with(".json"))
                         tune::write_json(history(), file);
                       else
                         throw CLI::ValidationError("file", "\"" + file + "\" ends neither in .csv nor in .json");
                     }))
      ->add_option("file", file, "what to write")
      ->required();
  with_study(command("report", "Writes a page about the study, for a browser",
                     [&] {
                       const tune::History trials = history();
                       tune::write_report(trials, name, file);
                     }))
      ->add_option("file", file, "what to write: FILE.html")
      ->required();
  CLI::App* const enqueue = with_study(command("enqueue", "Adds a trial to be run before new ones", [&] {
    const auto parameters = parameters_from(values);
    const auto directions = history().directions();
    auto study = tune::Study::open(url, name, {.directions = directions});
    std::cout << "trial " << std::to_string(study.enqueue(parameters)) << " waits\n";
  }));
  enqueue->add_option("parameters", values, "NAME=VALUE ...; those not given are sampled")->required();
  CLI::App* const remove = command("delete", "Deletes a study with all its trials",
                                   [&] { tune::open_storage(url, {.create = false})->remove(name); });
  remove->add_option("-s,--study", name, "name of the study")->required();

  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    std::ostringstream message;
    const bool help = app.exit(error, std::cout, message) == 0;
    std::cerr << tune::redacted(message.str());
    if (!help) return wrong_usage;
  }
  return 0;
}

// Others see the command line in the list of processes: not for longer than it takes to read it.
std::vector<std::string> taken(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    words.emplace_back(argv[i]);
    const std::string shown = tune::redacted(words.back());
    if (shown == words.back()) continue;
    const std::size_t length = words.back().size();
    std::memset(argv[i], 0, length);
    std::memcpy(argv[i], shown.data(), std::min(shown.size(), length));
  }
  return words;
}

// Line by line for a terminal, without what is secret.
void complain(const std::string& message) {
  std::string_view rest = message;
  std::cerr << "xgrad-tune: ";
  while (true) {
    const auto end = std::min(rest.find('\n'), rest.size());
    std::cerr << tune::printable(tune::redacted(rest.substr(0, end))) << '\n';
    if (end == rest.size()) return;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  int status = failure;
  try {
    status = run(taken(argc, argv));
  } catch (const std::exception& error) {
    complain(error.what());
  }
  if (!std::cout.flush()) {
    complain("cannot write to standard output");
    return failure;
  }
  return status;
}
