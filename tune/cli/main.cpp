// xgrad-tune: studies on the command line.

#include <algorithm>
#include <charconv>
#include <CLI/CLI.hpp>
#include <cstring>
#include <iostream>

#include "../../tune.hpp"
#include "../report/report.hpp"
#include "../trials/encoding.hpp"
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
      "but enqueue and delete only read, and change nothing where they do.",
      "xgrad-tune");
  app.footer(
      "A password is better given in PGPASSWORD or ~/.pgpass than in the URL.\n"
      "Exit status: 0 done; 1 it failed, also to write its output; 2 wrong use of the command line.");
  app.require_subcommand(1);
  std::string url, name, file;
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
  with_study(command("show", "Prints the trials of a study, best first", [&] { std::cout << tune::table(history()); }));
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
