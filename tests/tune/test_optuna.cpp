// Optuna goes on with a study of ours, and the other way round.

#include <xgrad/tune.hpp>

#include <limits>

#include "../catch.hpp"
#include "../python.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;

namespace {

double objective(tune::Trial& trial) {
  const double x = trial.suggest_float("x", 1e-4, 1, tune::log_scale);
  const double y = trial.suggest_float("y", 0, 1, {.step = 0.25});
  const double b = trial.suggest_float("b", 0.9, 0.999, tune::log_one_minus);
  const auto i = trial.suggest_int("i", 1, 9, {.step = 2});
  const auto c = trial.suggest_categorical("c", {32, 64});
  const auto k = trial.suggest_categorical("k", {"a", "b"});
  trial.report(1, x);
  return x + y + b + static_cast<double>(i) + static_cast<double>(c) + (k == "a" ? 1 : 0);
}

}  // namespace

TEST_CASE("tune: Optuna opens and continues a study of ours, and we one of Optuna") {
  if (!has_python_package("optuna")) return;
  const TemporaryDirectory directory;
  const std::string path = directory.path("study.db"), url = "sqlite:///" + path;
  auto study = tune::Study::open(url, "ours", {.direction = tune::maximize});
  study.optimize(
      [](tune::Trial& trial) {
        const double value = objective(trial);
        if (trial.number() == 1) throw std::runtime_error("no luck");
        trial.set_constraint("size", -0.5);
        return value;
      },
      {.trials = 2, .callbacks = {[](tune::Study& which, const tune::TrialRecord& trial) {
                      if (trial.number == 1) which.stop();
                    }}});
  study.set_metric_names({"score"});
  study.set_attribute("data", "[1, 2]");
  auto diverged = study.ask();
  diverged.report(1, std::numeric_limits<double>::quiet_NaN());
  study.tell(diverged, tune::TrialState::complete);
  auto paused = study.ask();
  objective(paused);
  study.tell(paused, tune::TrialState::paused);
  auto pruned = study.ask();
  objective(pruned);
  study.tell(pruned, tune::TrialState::pruned);

  auto asked = tune::Study::open(url, "asked");
  for (int i = 0; i < 2; ++i) asked.detach(asked.ask({{"x", tune::FloatDistribution{0, 1}}}));

  run_python("tune/optuna_interop.py " + path + " continue");
  asked.tell(asked.attach(2), 0.75);  // which Optuna asked for
  const auto told = asked.trials();
  REQUIRE(told.size() == 3);
  CHECK(told[0].values == std::vector<double>{0.25});
  CHECK(told[1].state == tune::TrialState::running);
  CHECK(told[2].values == std::vector<double>{0.75});
  CHECK(told[2].parameters.size() == 1);

  auto trials = study.trials();
  REQUIRE(trials.size() == 18);
  CHECK(trials[3].state == tune::TrialState::paused);
  CHECK(trials[17].state == tune::TrialState::waiting);
  for (std::size_t i = 5; i < 17; ++i) {
    CHECK(trials[i].state == tune::TrialState::complete);
    CHECK(trials[i].parameters.size() == 7);
    CHECK(trials[i].constraints.at("size") == trials[i].parameters[0].value - 2);
    CHECK(std::holds_alternative<tune::JsonChoice>(tune::value_of(trials[i].parameters[6])));  // a tuple
    CHECK(trials[i].intermediate.size() == 1);
  }
  CHECK(tune::to_string(tune::value_of(trials[5].parameters[0])) == "0.5");
  study.optimize(objective, {.trials = 20});
  trials = study.trials();
  REQUIRE(trials.size() == 21);  // one failed
  CHECK(trials[17].state == tune::TrialState::complete);
  CHECK(trials[17].parameters[0].value == 0.25);
  CHECK(trials[17].values.at(0) > 64);

  const std::string theirs = run_python("tune/optuna_interop.py " + path + " create");
  auto other = tune::Study::open(url, "theirs");
  CHECK(other.best_trial().values.at(0) == std::stod(theirs));
  other.optimize(objective, {.trials = 15});
  CHECK(other.trials().size() == 15);
}
