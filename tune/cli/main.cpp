// xgrad-tune: studies on the command line.

#include <CLI/CLI.hpp>
#include <iostream>

#include "../../tune.hpp"
#include "../encoding.hpp"

namespace {

using namespace xgrad;

// A study that is there, with the directions it has.
tune::Study open_study(const std::string& url, const std::string& name) {
  const auto storage = tune::open_storage(url, {.create = false});
  for (const tune::StudySummary& summary : storage->studies())
    if (summary.name == name) return tune::Study::open(url, name, {.directions = summary.directions});
  fail("there is no study \"", name, "\" in ", url);
}

// The name that was given, or that of the only study.
std::string name_in(const std::string& url, const std::string& given) {
  if (!given.empty()) return given;
  const auto studies = tune::open_storage(url, {.create = false})->studies();
  check(studies.size() == 1, url, " has ", studies.size(), " studies; name one of them");
  return studies[0].name;
}

void list(const std::string& url) {
  for (const tune::StudySummary& summary : tune::open_storage(url, {.create = false})->studies()) {
    std::cout << summary.name << '\t';
    for (std::size_t i = 0; i < summary.directions.size(); ++i)
      std::cout << (i > 0 ? "," : "") << tune::name_of(summary.directions[i]);
    std::cout << '\t' << summary.trials << " trials";
    if (summary.started) std::cout << "\tsince " << tune::time_to_text(*summary.started).substr(0, 19) << " UTC";
    std::cout << '\n';
  }
}

std::map<std::string, tune::Choice> parameters_from(const std::vector<std::string>& words) {
  std::map<std::string, tune::Choice> out;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    check(equals != std::string::npos && equals > 0, "enqueue: \"", word, "\" is no NAME=VALUE");
    const std::string value = word.substr(equals + 1);
    out[word.substr(0, equals)] = tune::choice_from_json(tune::is_json(value) ? value : tune::text_to_json(value));
  }
  return out;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Looks at studies of hyperparameters, which programs made with <xgrad/tune.hpp> or Optuna, and changes them.");
  app.require_subcommand(1);
  std::string url, name, file;
  std::vector<std::string> values;

  const auto command = [&](const char* word, const char* help, const std::function<void()>& act) {
    CLI::App* const sub = app.add_subcommand(word, help);
    sub->add_option("storage", url, "sqlite:FILE or postgresql://USER@HOST/DATABASE")->required();
    sub->callback(act);
    return sub;
  };
  const auto study = [&] {
    name = name_in(url, name);
    return open_study(url, name);
  };
  const auto with_study = [&](CLI::App* sub) {
    sub->add_option("-s,--study", name, "name of the study; may be left out if there is only one");
    return sub;
  };

  command("list", "Lists the studies: name, directions, trials, time of the first one", [&] { list(url); });
  with_study(command("show", "Prints the trials of a study, best first", [&] { std::cout << study().table(); }));
  with_study(command("best", "Prints the best trial, or those of the Pareto front", [&] {
    const auto opened = study();
    if (opened.directions().size() == 1)
      std::cout << opened.best_trial() << '\n';
    else
      for (const auto& trial : opened.pareto_front()) std::cout << trial << '\n';
  }));
  with_study(command("export", "Writes the trials to a .csv or .json file",
                     [&] {
                       const auto opened = study();
                       if (file.ends_with(".csv"))
                         opened.write_csv(file);
                       else if (file.ends_with(".json"))
                         opened.write_json(file);
                       else
                         fail("export: \"", file, "\" ends neither in .csv nor in .json");
                     }))
      ->add_option("file", file, "what to write")
      ->required();
  with_study(command("report", "Writes a page about the study, for a browser", [&] { study().write_report(file); }))
      ->add_option("file", file, "what to write: FILE.html")
      ->required();
  CLI::App* const enqueue = with_study(command("enqueue", "Adds a trial to be run before new ones", [&] {
    const auto number = study().enqueue(parameters_from(values));
    std::cout << "trial " << number << " waits\n";
  }));
  enqueue->add_option("parameters", values, "NAME=VALUE ...; those not given are sampled")->required();
  CLI::App* const remove = command("delete", "Deletes a study with all its trials",
                                   [&] { tune::open_storage(url, {.create = false})->remove(name); });
  remove->add_option("-s,--study", name, "name of the study")->required();

  CLI11_PARSE(app, argc, argv);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "xgrad-tune: " << error.what() << '\n';
    return 1;
  }
}
