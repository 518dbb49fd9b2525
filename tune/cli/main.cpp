// xgrad-tune: studies on the command line.

#include <algorithm>
#include <CLI/CLI.hpp>
#include <cstring>
#include <iostream>

#include "../../core/error.hpp"
#include "../trials/text.hpp"
#include "commands.hpp"

namespace {

using namespace xgrad;

constexpr int failure = 1, wrong_usage = 2;

// The commands and their options; what is said on the command line ends up in `said`.
void declare(CLI::App& app, tune::cli::Arguments& said) {
  using Act = void (*)(const tune::cli::Arguments&);
  const auto command = [&](const char* word, const char* help, Act act) {
    CLI::App* const sub = app.add_subcommand(word, help);
    sub->add_option("storage", said.url, "sqlite:FILE or postgresql://USER@HOST/DATABASE")->required();
    sub->callback([act, &said] { act(said); });
    return sub;
  };
  const auto of_study = [&](const char* word, const char* help, Act act) {
    CLI::App* const sub = command(word, help, act);
    sub->add_option("-s,--study", said.study, "name of the study; may be left out if there is only one");
    return sub;
  };
  using namespace tune::cli;

  command("list", "Lists the studies: name, directions, trials, time of the first one", list);
  CLI::App* const shown = of_study("show", "Prints the trials of a study, best first", show);
  shown->add_option("-n,--top", said.top, "only so many");
  shown->add_option("--state", said.states, "only trials in these states")->delimiter(',');
  shown->add_option("--trial", said.trial, "all about this one trial");
  shown->add_flag("--errors", said.errors, "what failed trials say");
  shown->add_flag("--exact", said.exact, "numbers with all their digits");
  of_study("best", "Prints the best trial, or those of the Pareto front", best);
  of_study("importance", "Prints how much each parameter mattered", importance)
      ->add_option("--evaluator", said.evaluator,
                   "ped-anova (the default): what decided whether trials are among the best; fanova: what explains the "
                   "variance of the values")
      ->check(CLI::IsMember({"ped-anova", "fanova"}));
  of_study("watch", "Prints a line about the study every few seconds, until it is ended", watch)
      ->add_option("--interval", said.interval, "seconds; 0: once")
      ->check(CLI::Range(0.0, 86400.0));
  CLI::App* const checkpoint =
      of_study("checkpoint", "Writes the weights of the best trial to a .safetensors file", write_checkpoint);
  checkpoint->add_option("file", said.file, "what to write")->required();
  checkpoint->add_option("--trial", said.trial, "of this trial instead");
  of_study("export", "Writes the trials to a .csv or .json file", write_export)
      ->add_option("file", said.file, "what to write")
      ->required();
  of_study("report", "Writes a page about the study, for a browser", write_page)
      ->add_option("file", said.file, "what to write: FILE.html")
      ->required();

  CLI::App* const created = command("create", "Makes a study without trials", create);
  created->add_option("-s,--study", said.study, "name of the study")->required();
  created->add_option("--direction", said.directions, "minimize or maximize, one for each objective")->delimiter(',');
  CLI::App* const asked =
      of_study("ask", "Begins a trial, to be run by whoever asks, and prints its number and parameters as JSON", ask);
  asked->add_option("--space", said.space,
                    "JSON: a distribution for each parameter, as Optuna writes them: {\"lr\": {\"name\": "
                    "\"FloatDistribution\", \"attributes\": {\"low\": 1e-4, \"high\": 1, \"log\": true}}}");
  asked->add_option("--sampler", said.sampler, "auto (the default), gp, tpe, cmaes, nsgaii, sobol or random")
      ->check(CLI::IsMember({"auto", "gp", "tpe", "cmaes", "nsgaii", "sobol", "random"}));
  asked->add_option("--seed", said.seed, "of the sampler; the same one for all trials of a study");
  CLI::App* const told = of_study("tell", "Ends a trial of `ask`, or one that Optuna asked for", tell);
  told->add_option("--trial", said.trial, "its number")->required();
  told->add_option("--values", said.values, "its value, or one for each objective")->delimiter(',');
  told->add_option("--state", said.state, "complete (by what was reported last), pruned or failed");
  told->add_flag("--skip-if-finished", said.skip_if_finished, "leave a trial that has ended as it is");
  of_study("enqueue", "Adds a trial to be run before new ones", enqueue)
      ->add_option("parameters", said.parameters, "NAME=VALUE ...; those not given are sampled")
      ->required();
  of_study("retry", "Enqueues failed trials once more", retry)->add_option("--trial", said.trial, "only this one");
  of_study("copy", "Copies the trials of a study, but running ones, to another storage", copy)
      ->add_option("to", said.target, "storage to copy to")
      ->required();
  of_study("clean", "Removes checkpoints of paused trials, which begin anew if they go on", clean);
  command("delete", "Deletes a study with all its trials", tune::cli::remove)
      ->add_option("-s,--study", said.study, "name of the study")
      ->required();
}

int run(const std::vector<std::string>& words) {
  CLI::App app(
      "Looks at studies of hyperparameters, which programs made with <xgrad/tune.hpp> or Optuna, and changes them. All "
      "but create, ask, tell, enqueue, retry, copy, clean and delete only read, and change nothing where they do.",
      "xgrad-tune");
  app.footer(
      "A password is better given in PGPASSWORD or ~/.pgpass than in the URL.\n"
      "Exit status: 0 done; 1 it failed, also to write its output; 2 wrong use of the command line.");
  app.require_subcommand(1);
  app.set_version_flag("--version", "xgrad-tune 0.1.0");
  tune::cli::Arguments said;
  declare(app, said);
  try {
    try {
      app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const tune::cli::WrongUsage& error) {
      throw CLI::ParseError(error.what(), wrong_usage);
    }
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
