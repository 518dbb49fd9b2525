#include <xgrad/tune.hpp>

#include <memory>
#include <set>

#include "../catch.hpp"
#include "../temporary_directory.hpp"
#include "training.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

/// Pauses trials after the reports of certain epochs; a paused trial goes on when a worker is free.
struct PauseAfter {
  std::set<int> epochs;
  std::unique_ptr<tune::Pruner> make(std::uint64_t) const {
    struct Pauser final : tune::Pruner {
      std::set<int> epochs;
      tune::Decision report(const tune::History& history, std::int64_t number) override {
        const auto step = static_cast<int>(history[number].intermediate.rbegin()->first);
        return epochs.contains(step) ? tune::Decision::pause : tune::Decision::go_on;
      }
      std::optional<tune::Start> next(const tune::History& history, bool) override {
        for (const auto& trial : history)
          if (trial.state == tune::TrialState::paused) return tune::Start{trial.number};
        return std::nullopt;
      }
    };
    auto pruner = std::make_unique<Pauser>();
    pruner->epochs = epochs;
    return pruner;
  }
};

struct Run {
  std::vector<float> weights;
  tune::TrialRecord trial;
};

constexpr int epochs = 5;

// One trial, in a new process each time as far as the study can tell.
Run run(const std::string& url, const std::set<int>& pauses) {
  Run out;
  for (std::size_t part = 0; part <= pauses.size(); ++part) {
    manual_seed(part);  // must not matter
    auto study =
        tune::Study::open(url, "pauses", {.direction = tune::maximize, .pruner = PauseAfter{pauses}, .seed = 5});
    auto trial = study.ask();
    REQUIRE(trial.number() == 0);
    const GeneratorState before = default_generator().state();
    default_generator().set_state({trial.seed(), 0, 0});
    const auto weights = train_one(trial, epochs);
    default_generator().set_state(before);
    if (part < pauses.size()) {
      REQUIRE(weights.empty());
      REQUIRE(study.trials().at(0).state == tune::TrialState::paused);
      continue;
    }
    REQUIRE(study.tell(trial, tune::TrialState::complete));
    out = {weights, study.trials().at(0)};
  }
  return out;
}

}  // namespace

TEST_CASE("epochs: pausing at any boundary, or all, changes not a bit") {
  const TemporaryDirectory directory;
  const Run whole = run("sqlite:" + directory.path("whole.db"), {});
  REQUIRE(whole.weights.size() > 50);
  REQUIRE(whole.trial.intermediate.size() == epochs);
  std::vector<std::set<int>> cases{{1, 2, 3, 4}};
  for (int epoch = 1; epoch < epochs; ++epoch) cases.push_back({epoch});
  int number = 0;
  for (const auto& pauses : cases) {
    const Run paused = run("sqlite:" + directory.path(std::to_string(number++) + ".db"), pauses);
    CHECK(paused.weights == whole.weights);
    CHECK(paused.trial.intermediate == whole.trial.intermediate);
    CHECK(paused.trial.values == whole.trial.values);
    CHECK(paused.trial.checkpoint == std::optional<std::int64_t>(epochs));  // it is the best
  }
}

TEST_CASE("epochs: optimize() pauses and resumes in memory as in a file") {
  std::vector<float> in_memory, whole;
  const auto optimize = [](const std::set<int>& pauses, std::vector<float>& weights) {
    auto study = tune::Study::open("", "s", {.direction = tune::maximize, .pruner = PauseAfter{pauses}, .seed = 5});
    study.optimize(
        [&](tune::Trial& trial) {
          const auto trained = train_one(trial, 3);
          if (!trained.empty()) weights = trained;
        },
        {.trials = 1});
    CHECK(study.trials().at(0).state == tune::TrialState::complete);
  };
  optimize({}, whole);
  optimize({1, 2}, in_memory);
  REQUIRE_FALSE(whole.empty());
  CHECK(in_memory == whole);
}

TEST_CASE("epochs: a fork begins where its source was, with its own learning rate") {
  struct ForkOnce {
    std::unique_ptr<tune::Pruner> make(std::uint64_t) const {
      struct Forker final : tune::Pruner {
        tune::Decision report(const tune::History& history, std::int64_t number) override {
          return number == 0 && history[0].intermediate.size() == 2 ? tune::Decision::pause : tune::Decision::go_on;
        }
        std::optional<tune::Start> next(const tune::History& history, bool) override {
          if (history.size() == 0) return std::nullopt;
          if (history.size() == 1) return tune::Start{0, true, {{"lr", 0.5}}, {{"forked", "true"}}};
          if (history[0].state == tune::TrialState::paused) return tune::Start{0};
          return std::nullopt;
        }
      };
      return std::make_unique<Forker>();
    }
  };
  const TemporaryDirectory directory;
  for (const std::string& url : {std::string(), "sqlite:" + directory.path("fork.db")}) {
    auto study = tune::Study::open(url, "forks", {.pruner = ForkOnce{}, .seed = 1});
    std::vector<std::pair<std::int64_t, int>> seen;
    std::map<std::int64_t, double> weight;
    study.optimize(
        [&](tune::Trial& trial) {
          const double lr = trial.suggest_float("lr", 0.1, 1);
          Tensor w = full({1}, 1.0, {.requires_grad = true});
          struct {
            Tensor w;
          } model{w};
          optim::SGD sgd({w}, {.lr = lr});
          optim::ExponentialLR schedule(sgd, {.gamma = 0.5});
          for (const int epoch : trial.epochs(3, model, sgd, schedule)) {
            seen.emplace_back(trial.number(), epoch);
            CHECK(sgd.lr() == Approx(lr * std::pow(0.5, epoch - 1)));
            sgd.zero_grad();
            sum(w).backward();
            sgd.step();
            schedule.step();
            trial.report(epoch, w.item<float>());
          }
          weight[trial.number()] = w.item<float>();
        },
        {.trials = 2});
    CHECK(seen == std::vector<std::pair<std::int64_t, int>>{{0, 1}, {0, 2}, {1, 3}, {0, 3}});
    const auto trials = study.trials();
    REQUIRE(trials.size() == 2);
    const double lr = trials[0].parameters.at(0).value;
    CHECK(trials[1].parameters.at(0).value == 0.5);
    CHECK(trials[1].attributes.at("forked") == "true");
    CHECK(weight[0] == Approx(1 - lr * 1.75));
    CHECK(weight[1] == Approx(1 - lr * 1.5 - 0.5 * 0.25));
  }
}

TEST_CASE("epochs: a saved state that does not fit fails the trial with a message") {
  auto study = tune::Study::open("", "misfit", {.pruner = PauseAfter{{1}}});
  int calls = 0;
  const auto objective = [&](tune::Trial& trial) {
    nn::Linear net(2 + calls++, 1);
    for (const int epoch : trial.epochs(2, net)) trial.report(epoch, 1);
  };
  CHECK_THROWS_WITH(study.optimize(objective, {.trials = 1, .max_failures = 1}), Contains("load_state_dict"));
  const auto trial = study.trials().at(0);
  CHECK(trial.state == tune::TrialState::failed);
  CHECK_THAT(trial.attributes.at("error"), Contains("load_state_dict") && Contains("(1, 2)"));
}
