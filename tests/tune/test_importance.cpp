#include <xgrad/core/error.hpp>
#include <xgrad/tune.hpp>

#include <cmath>
#include <limits>
#include <map>

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

TEST_CASE("fANOVA agrees with Optuna's, but for what two forests differ by", "[tune]") {
  const auto reference = read_reference("fanova.json");
  REQUIRE(reference["cases"].size() == 3);
  for (const auto& json : reference["cases"]) {
    History history;
    for (const auto& trial : json["trials"]) {
      TrialRecord record{.number = history.size(), .state = TrialState::complete, .values = {trial[0]}};
      std::size_t i = 0;
      for (const auto& [name, d] : json["distributions"].items())
        record.parameters.push_back({name, distribution(d), trial[1][i++]});
      history.put(record);
    }
    const auto ours = importance(history, {.evaluator = Fanova{}});
    REQUIRE(ours.size() == json["distributions"].size());
    for (const auto& [name, share] : ours) {
      const double mean = json["importance"][name][0], deviation = json["importance"][name][1];
      INFO(json["function"] << ": " << name << " " << share << ", Optuna's " << mean << " +- " << deviation);
      CHECK(std::abs(share - mean) < 0.01 + 4 * deviation);
    }
  }
}

TEST_CASE("fANOVA finds the shares of the variance of a sum", "[tune]") {
  History history({minimize, maximize});
  Draws draws(0, 0, "x");
  for (int i = 0; i < 1000; ++i) {
    TrialRecord trial{.number = i, .state = TrialState::complete};
    const double a = draws.uniform(), b = draws.uniform();
    const auto kind = static_cast<double>(i % 3);
    trial.parameters = {{"a", FloatDistribution{1e-3, 1, log_scale}, std::pow(10, 3 * a - 3)},
                        {"b", FloatDistribution{0, 1}, b},
                        {"kind", CategoricalDistribution{{std::string("x"), std::string("y"), std::string("z")}}, kind},
                        {"constant", IntDistribution{1, 1}, 1}};
    trial.values = {3 * a + 2 * b + kind, b};
    history.put(trial);
  }
  // Of variances 9/12, 4/12 and 2/3.
  const std::map<std::string, double> expected{{"a", 9.0 / 21}, {"b", 4.0 / 21}, {"kind", 8.0 / 21}};
  const auto shares = importance(history, {.evaluator = Fanova{.trees = 16}});
  REQUIRE(shares.size() == 3);
  for (const auto& [name, share] : shares) CHECK(share == Approx(expected.at(name)).margin(0.02));
  CHECK(importance(history, {.evaluator = Fanova{.trees = 16}}) == shares);
  const auto second = importance(history, {.evaluator = Fanova{.trees = 4}, .objective = 1});
  CHECK(second.at(0).first == "b");
  CHECK(second.at(0).second > 0.99);
}

TEST_CASE("fANOVA of next to nothing", "[tune]") {
  History history;
  CHECK(importance(history, {.evaluator = Fanova{}}).empty());
  const auto add = [&](double x, double value, TrialState state) {
    history.put({.number = history.size(),
                 .state = state,
                 .parameters = {{"x", FloatDistribution{0, 1}, x}},
                 .values = {value}});
  };
  add(0.5, 1e300, TrialState::complete);
  CHECK(importance(history, {.evaluator = Fanova{}}) == std::vector<std::pair<std::string, double>>{{"x", 0.0}});
  add(0.7, 1e300, TrialState::complete);
  add(0.7, 2, TrialState::pruned);
  add(0.7, std::numeric_limits<double>::infinity(), TrialState::complete);
  history.put({.number = history.size(), .state = TrialState::complete, .values = {3}});  // without parameters
  CHECK(importance(history, {.evaluator = Fanova{}}).at(0).second == 0);
  add(0.9, -1e300, TrialState::complete);
  CHECK(importance(history, {.evaluator = Fanova{}}).at(0).second == 1);
  double value = 1;
  for (const double x : {0.0, 5e-324, std::nextafter(1.0, 0.0), 1.0, 0.6, std::nextafter(0.6, 1.0)})
    add(x, value *= -1e50, TrialState::complete);  // there is nothing between some of these
  CHECK(importance(history, {.evaluator = Fanova{}}).at(0).second == 1);
  CHECK_THROWS_WITH(importance(history, {.evaluator = Fanova{.trees = 0}}),
                    "importance: 0 trees of depth 64; there must be at least one, of depth 1");
}
