#include <xgrad/core/error.hpp>
#include <xgrad/tune.hpp>

#include <cmath>

#include "../catch.hpp"
#include "reference.hpp"

using namespace xgrad::tune;

TEST_CASE("importance is Optuna's PED-ANOVA", "[tune]") {
  const auto reference = read_reference("importance.json");
  REQUIRE(reference["cases"].size() == 3);
  for (const auto& json : reference["cases"]) {
    History history({json["direction"] == "minimize" ? minimize : maximize});
    for (const auto& trial : json["trials"]) {
      TrialRecord record{.number = history.size(), .state = TrialState::complete, .values = {trial["value"]}};
      for (const auto& p : trial["parameters"])
        record.parameters.push_back({p[0], distribution(json["distributions"][p[1].get<std::size_t>()]), p[2]});
      history.put(record);
    }
    const auto ours = importance(history);
    REQUIRE(ours.size() == json["importance"].size());
    double sum = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      INFO(ours[i].first << " of " << history.size() << " trials");
      CHECK(ours[i].second == Approx(json["importance"][ours[i].first].get<double>()).epsilon(1e-9));
      CHECK((i == 0 || ours[i].second <= ours[i - 1].second));
      sum += ours[i].second;
    }
    CHECK(sum == Approx(1));

    // Trials that are not complete, or diverged, change nothing.
    history.put({.number = history.size(), .state = TrialState::pruned, .parameters = history[0].parameters});
    history.put({.number = history.size(),
                 .state = TrialState::complete,
                 .parameters = history[0].parameters,
                 .values = {std::numeric_limits<double>::infinity()}});
    CHECK(importance(history) == ours);
  }
}

TEST_CASE("importance of next to nothing", "[tune]") {
  History history;
  CHECK(importance(history).empty());
  history.put(
      {.number = 0, .state = TrialState::complete, .parameters = {{"x", FloatDistribution{0, 1}, 0.5}}, .values = {1}});
  CHECK(importance(history) == std::vector<std::pair<std::string, double>>{{"x", 0.0}});
  CHECK_THROWS_WITH(importance(history, {.evaluator = PedAnova{.quantile = 1}}),
                    "importance: quantile 1 is not in (0, 1)");
  CHECK_THROWS_WITH(importance(history, {.objective = 1}), "importance: there is no objective 1 among 1");
}

TEST_CASE("importance under successive halving counts trials that were stopped", "[tune]") {
  int first = 0;
  for (int seed = 0; seed < 20; ++seed) {
    auto study = Study::open("", "s", {.pruner = ASHA{.eta = 3}, .seed = static_cast<std::uint64_t>(seed)});
    study.optimize(
        [](Trial& trial) {
          const double lr = std::log10(trial.suggest_float("lr", 1e-5, 1, log_scale));
          for (const char* name : {"a", "b", "c", "d", "e", "f"}) trial.suggest_float(name, 0, 1);
          for (int epoch = 1; epoch <= 9; ++epoch) {
            trial.report(epoch, std::abs(lr + 2.3) + std::exp(-epoch / 3.0));
            if (trial.should_prune()) break;
          }
        },
        {.trials = 60, .progress = false});
    History history;
    for (const auto& trial : study.trials()) history.put(trial);
    first += importance(history).at(0).first == "lr";
  }
  CHECK(first >= 18);
}
