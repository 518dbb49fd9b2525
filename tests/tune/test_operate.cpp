// What people do with a study day by day: failures, stopping, results from elsewhere, constraints, the best weights.
#include <xgrad/io/file.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/optim/sgd.hpp>
#include <xgrad/tune.hpp>
#include <xgrad/tune/report/results.hpp>
#include <xgrad/tune/storage/database.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::StartsWith;

namespace {

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::int64_t number_of(const std::vector<tune::TrialRecord>& trials, tune::TrialState state) {
  return std::count_if(trials.begin(), trials.end(), [&](const auto& trial) { return trial.state == state; });
}

// What the log says while this lives.
class Logged {
 public:
  Logged() {
    tune::set_log([this](std::string_view message) { text_.append(message).append("\n"); });
  }
  ~Logged() { tune::set_log({}); }
  const std::string& text() const { return text_; }
  std::size_t count(const std::string& part) const {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text_.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
  }

 private:
  std::string text_;
};

tune::TrialRecord known_trial(double x, double value) {
  tune::TrialRecord trial;
  trial.state = tune::TrialState::complete;
  trial.parameters = {{"x", tune::FloatDistribution{0, 1}, x}};
  trial.values = {value};
  return trial;
}

// As it is at first, and read from the storage by somebody else.
template <class Check>
void in_both_storages(const Check& check) {
  const TemporaryDirectory directory;
  check(std::string());
  check("sqlite:" + directory.path("study.db"));
}

}  // namespace

TEST_CASE("tune: a failed trial does not use up the number of trials") {
  in_both_storages([](const std::string& url) {
    auto study = tune::Study::open(url, "s", {.sampler = tune::Random{}});
    bool broken = true;
    const auto objective = [&](tune::Trial& trial) {
      if (broken) throw std::runtime_error("no such file");
      return trial.suggest_float("x", 0, 1);
    };
    CHECK_THAT(message_of([&] { study.optimize(objective, {.trials = 5, .max_failures = 3}); }),
               StartsWith("optimize: 3 trials in a row failed; the last one, trial 2: no such file"));
    broken = false;
    study.optimize(objective, {.trials = 5});
    const auto trials = study.trials();
    CHECK(trials.size() == 8);
    CHECK(number_of(trials, tune::TrialState::complete) == 5);
    CHECK(study.best_trial().number >= 3);
    study.optimize(objective, {.trials = 5});
    CHECK(study.trials().size() == 8);
  });
}

TEST_CASE("tune: failures that end optimize(), and such that are tried again") {
  in_both_storages([](const std::string& url) {
    auto study = tune::Study::open(url, "s", {.sampler = tune::Random{}});
    const auto fatal = [](tune::Trial&) -> double { throw std::logic_error("a bug"); };
    CHECK_THROWS_AS(study.optimize(fatal, {.catch_if =
                                               [](const std::exception& e) {
                                                 return dynamic_cast<const std::runtime_error*>(&e) != nullptr;
                                               }}),
                    std::logic_error);
    CHECK(study.trials().size() == 1);

    std::vector<double> tried;
    study.optimize(
        [&](tune::Trial& trial) {
          tried.push_back(trial.suggest_float("x", 0, 1));
          if (tried.size() <= 3) throw std::runtime_error("out of memory");
          return tried.back();
        },
        {.trials = 2, .retries = 2});
    const auto trials = study.trials();
    REQUIRE(trials.size() == 6);
    CHECK(tried[1] == tried[0]);
    CHECK(tried[2] == tried[0]);
    CHECK(tried[3] != tried[0]);  // tried three times
    CHECK(trials[3].attributes.at("failed_trial") == "1");
    CHECK(trials[3].attributes.at("retry_history") == "[1, 2]");
    CHECK(study.retry(3) == 6);
    CHECK_THAT(message_of([&] { study.retry(4); }), StartsWith("retry: trial 4 is complete, not failed"));
  });
}

TEST_CASE("tune: stop, timeout and callbacks") {
  auto study = tune::Study::open("", "s", {.sampler = tune::Random{}});
  std::vector<double> seen;
  tune::OptimizeOptions options{.trials = 50};
  options.callbacks.push_back([&](tune::Study& which, const tune::TrialRecord& trial) {
    seen.push_back(trial.values.at(0));
    if (seen.size() == 4) which.stop();
  });
  study.optimize([](tune::Trial& trial) { return trial.number(); }, options);
  CHECK(seen == std::vector<double>{0, 1, 2, 3});
  study.optimize([](tune::Trial&) { return 1; }, {.trials = 50, .timeout = std::chrono::milliseconds(0)});
  CHECK(study.trials().size() == 4);
  study.optimize(
      [](tune::Trial&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return 1;
      },
      {.trials = 100'000, .timeout = std::chrono::milliseconds(40)});
  CHECK(study.trials().size() < 30);
  CHECK_THROWS_AS(study.optimize([](tune::Trial&) { return 1; }, {.timeout = std::chrono::milliseconds(-1)}), Error);
}

TEST_CASE("tune: Terminator stops a study of which no more is to be expected") {
  const Logged logged;
  auto study = tune::Study::open("", "s", {.sampler = tune::GP{.startup_trials = 5}});
  study.optimize([](tune::Trial& trial) { return std::pow(trial.suggest_float("x", -1, 1) - 0.3, 2); },
                 {.trials = 200, .callbacks = {tune::Terminator{.startup_trials = 8, .least = 1e-4}}});
  CHECK(study.trials().size() >= 8);
  CHECK(study.trials().size() < 60);
  CHECK(study.best_trial().values.at(0) < 1e-3);
  CHECK(logged.count("Terminator stops the study") == 1);
}

TEST_CASE("tune: what is enqueued is held against the space") {
  in_both_storages([](const std::string& url) {
    auto study = tune::Study::open(url, "s", {.sampler = tune::Random{}});
    const auto objective = [](tune::Trial& trial) {
      return trial.suggest_float("lr", 1e-4, 1, tune::log_scale) +
             static_cast<double>(trial.suggest_categorical("batch", {32, 64}));
    };
    study.optimize(objective, {.trials = 2});
    CHECK_THAT(message_of([&] {
                 study.enqueue({{"lrr", 0.1}});
               }),
               StartsWith("enqueue: no trial of the study has a parameter \"lrr\"; there are batch, lr."));
    CHECK_THAT(message_of([&] {
                 study.enqueue({{"lr", 2.0}});
               }),
               StartsWith("enqueue: \"lr\": 2.0 is not in its range"));
    CHECK_THAT(message_of([&] { study.enqueue({{"batch", std::int64_t{48}}}); }), StartsWith("enqueue: \"batch\": 48"));
    CHECK(study.trials().size() == 2);
    CHECK(study.enqueue({{"lr", 0.5}}) == 2);
    CHECK(study.enqueue({{"lr", 0.5}}, {.skip_if_exists = true}) == 2);
    CHECK(study.enqueue({{"lr", 0.5}}) == 3);
    study.optimize(objective, {.trials = 4});
    std::map<std::string, tune::Choice> first;
    const auto trials = study.trials();
    for (const auto& parameter : trials.at(0).parameters) first[parameter.name] = tune::value_of(parameter);
    CHECK(study.enqueue(first, {.skip_if_exists = true}) == 0);

    const Logged logged;
    study.enqueue({{"unknown", 1.0}}, {.unknown_names = true});
    study.optimize(objective, {.trials = 5});
    CHECK_THAT(logged.text(), Contains("trial 4 was enqueued with a parameter \"unknown\", which it did not ask for"));
  });
}

TEST_CASE("tune: results from elsewhere are trials") {
  in_both_storages([](const std::string& url) {
    auto study = tune::Study::open(url, "s");
    auto trial = known_trial(0.25, 3);
    trial.intermediate = {{1, 5}, {2, 3}};
    trial.attributes = {{"from", "\"paper\""}};
    trial.constraints = {{"memory", -1}};
    CHECK(study.add_trial(trial) == 0);
    trial.state = tune::TrialState::failed;
    trial.values.clear();
    CHECK(study.add_trial(trial) == 1);
    const auto read = url.empty() ? study.trials() : tune::Study::open(url, "s").trials();
    REQUIRE(read.size() == 2);
    CHECK(read[0].parameters.at(0).value == 0.25);
    CHECK(read[0].intermediate == trial.intermediate);
    CHECK(read[0].attributes == trial.attributes);
    CHECK(read[0].constraints == trial.constraints);
    CHECK(read[0].values == std::vector<double>{3});
    CHECK(study.best_trial().number == 0);
    trial.state = tune::TrialState::running;
    CHECK_THROWS_WITH(study.add_trial(trial), StartsWith("add_trial: a trial that is running cannot be added"));
    CHECK_THROWS_WITH(study.add_trial(known_trial(2, 1)), Contains("\"x\": 2 is not in its distribution"));
    auto two = known_trial(0, 1);
    two.values = {1, 2};
    CHECK_THROWS_WITH(study.add_trial(two), StartsWith("add_trial: 2 values for 1 objectives"));
    CHECK(study.trials().size() == 2);
  });
}

TEST_CASE("tune: ask for a trial with a whole space") {
  auto study = tune::Study::open("", "s");
  const auto trial = study.ask({{"x", tune::FloatDistribution{0, 1}},
                                {"n", tune::IntDistribution{1, 3}},
                                {"c", tune::CategoricalDistribution{{std::string("a"), std::string("b")}}}});
  const auto values = trial.parameters();
  REQUIRE(values.size() == 3);
  CHECK(std::get<double>(values.at("x")) < 1);
  CHECK(std::holds_alternative<std::int64_t>(values.at("n")));
  CHECK(std::holds_alternative<std::string>(values.at("c")));
  CHECK(study.tell(trial, 1));
  CHECK_THROWS_AS(study.ask({{"x", tune::FloatDistribution{1, 0}}}), Error);
  CHECK(study.trials().size() == 1);
}

TEST_CASE("tune: attributes of a study, and names of its objectives") {
  in_both_storages([](const std::string& url) {
    auto study = tune::Study::open(url, "s", {.directions = {tune::minimize, tune::maximize}});
    study.set_attribute("data", "{\"rows\": 3}");
    study.set_attribute("data", "[4]");
    study.set_metric_names({"loss", "accuracy"});
    CHECK_THROWS_AS(study.set_attribute("data", "{"), Error);
    CHECK_THROWS_WITH(study.set_metric_names({"loss"}), StartsWith("set_metric_names: 1 names for 2 objectives"));
    if (!url.empty()) study = tune::Study::open(url, "s", {.directions = {tune::minimize, tune::maximize}});
    CHECK(study.attributes() == std::map<std::string, std::string>{{"data", "[4]"}});
    CHECK(study.metric_names() == std::vector<std::string>{"loss", "accuracy"});
    CHECK_THAT(study.table(), Contains("loss") && Contains("accuracy") && !Contains("value_0"));
  });
}

TEST_CASE("tune: constraints decide what is best") {
  in_both_storages([](const std::string& url) {
    auto study = tune::Study::open(url, "s");
    study.optimize(
        [](tune::Trial& trial) {
          const auto n = static_cast<double>(trial.number());
          trial.set_constraint("memory", 2 - n);
          return n;
        },
        {.trials = 2});
    CHECK_THROWS_WITH(study.best_trial(), StartsWith("best_trial: all of 2 complete trials violate a constraint"));
    study.optimize(
        [](tune::Trial& trial) {
          const auto n = static_cast<double>(trial.number());
          trial.set_constraint("memory", 2 - n);
          trial.set_constraint("time", -INFINITY);
          CHECK_THROWS_AS(trial.set_constraint("nan", NAN), Error);
          return n;
        },
        {.trials = 5});
    if (!url.empty()) study = tune::Study::open(url, "s");
    CHECK(study.best_trial().number == 2);
    CHECK(study.trials().at(4).constraints == std::map<std::string, double>{{"memory", -2}, {"time", -INFINITY}});
  });
  auto several = tune::Study::open("", "s", {.directions = {tune::minimize, tune::minimize}});
  for (int i = 0; i < 3; ++i) {
    auto trial = known_trial(0.5, i);
    trial.values = {1.0 * i, 1.0 - i};
    trial.constraints = {{"c", i == 1 ? 1e-9 : 0.0}};
    several.add_trial(trial);
  }
  std::vector<std::int64_t> front;
  for (const auto& trial : several.pareto_front()) front.push_back(trial.number);
  CHECK(front == std::vector<std::int64_t>{0, 2});
}

TEST_CASE("tune: a step that is reported twice, and pauses without a checkpoint, are said once") {
  const Logged logged;
  auto study = tune::Study::open("", "s", {.sampler = tune::Random{}, .pruner = tune::ASHA{.eta = 2}});
  study.optimize(
      [](tune::Trial& trial) {
        const double x = trial.suggest_float("x", 0, 1);
        for (int step = 1; step <= 4; ++step) {
          trial.report(step, x);
          if (trial.number() == 0) trial.report(step, x);
          if (trial.should_prune()) break;
        }
        return x;
      },
      {.trials = 8});
  CHECK(logged.count("reported step 1 twice") == 1);
  CHECK(logged.count("twice") == 1);
  CHECK(logged.count("was paused without a checkpoint") == 1);
  CHECK_THAT(logged.text(), Contains("trial.epochs(n, model, optimizer, ...)"));
}

TEST_CASE("tune: the best trial's weights can be fetched; the others', and paused trials' after clean(), are gone") {
  in_both_storages([](const std::string& url) {
    auto study = tune::Study::open(url, "s", {.sampler = tune::Random{}, .pruner = tune::ASHA{.eta = 2}});
    std::map<std::int64_t, float> weights;
    study.optimize(
        [&](tune::Trial& trial) {
          const double x = trial.suggest_float("x", 0, 1);
          nn::Linear layer(2, 1);
          optim::SGD sgd(nn::parameters(layer), {.lr = 0.1});
          for (const int epoch : trial.epochs(2, layer, sgd)) trial.report(epoch, x);
          weights[trial.number()] = layer.weight.data<float>()[0];
        },
        {.trials = 8});
    if (!url.empty()) study = tune::Study::open(url, "s");
    const auto best = study.best_trial();
    nn::Linear restored(2, 1);
    study.restore_best(restored);
    CHECK(restored.weight.data<float>()[0] == weights.at(best.number));
    CHECK(study.best_checkpoint().step == 2);
    std::int64_t kept = 0, paused = 0;
    for (const auto& trial : study.trials()) {
      kept += trial.checkpoint.has_value();
      paused += trial.state == tune::TrialState::paused;
      if (trial.state == tune::TrialState::complete)
        CHECK(trial.checkpoint.has_value() == (trial.number == best.number));
    }
    CHECK(paused > 0);
    CHECK(kept == paused + 1);
    CHECK(study.clean() == paused);
    CHECK(study.clean() == 0);
    CHECK(study.best_checkpoint().step == 2);
    if (!url.empty()) CHECK(tune::open_storage(url)->checkpoint("s", best.number)->step == 2);
  });
}

TEST_CASE("tune: trials that are paused at the end are pruned to Optuna, and go on where more are wanted") {
  const TemporaryDirectory directory;
  const std::string file = directory.path("study.db");
  const auto run = [&](std::int64_t trials) {
    auto study = tune::Study::open("sqlite:" + file, "s", {.sampler = tune::Random{}, .pruner = tune::ASHA{.eta = 2}});
    study.optimize(
        [](tune::Trial& trial) {
          const double x = trial.suggest_float("x", 0, 1);
          for (const int epoch : trial.epochs(4)) trial.report(epoch, x + epoch);
        },
        {.trials = trials});
    return study.trials();
  };
  const auto optuna_states = [&] {
    std::map<std::string, std::int64_t> counts;
    const auto database = tune::open_sqlite(file, {});
    for (const auto& row : database->query("SELECT state, COUNT(*) FROM trials GROUP BY state"))
      counts[tune::text(row[0])] = tune::integer(row[1]);
    CHECK(database->query("SELECT 1 FROM trials t JOIN trial_values v ON v.trial_id = t.trial_id").size() ==
          static_cast<std::size_t>(counts["PRUNED"] + counts["COMPLETE"]));
    return counts;
  };
  const auto first = run(6);
  CHECK(number_of(first, tune::TrialState::paused) > 0);
  CHECK(optuna_states()["PRUNED"] == number_of(first, tune::TrialState::paused));
  CHECK(optuna_states()["RUNNING"] == 0);
  for (const auto& trial : first) CHECK((trial.state != tune::TrialState::paused || trial.values.empty()));
  const auto second = run(16);
  CHECK(number_of(second, tune::TrialState::complete) > number_of(first, tune::TrialState::complete));
  CHECK(optuna_states()["PRUNED"] == number_of(second, tune::TrialState::paused));
}

TEST_CASE("tune: where standard error is a file, a run of more than a second ends with a line about the study") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("log");
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600), before = ::dup(STDERR_FILENO);
  const auto run = [&](int milliseconds, bool progress) {
    auto study = tune::Study::open("", "s", {.sampler = tune::Random{}});
    ::dup2(file, STDERR_FILENO);
    study.optimize(
        [&](tune::Trial& trial) {
          std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
          trial.set_constraint("c", trial.number() == 0 ? 1 : -1);  // the first one is not the best
          return static_cast<double>(trial.number());
        },
        {.trials = 3, .progress = progress});
    ::dup2(before, STDERR_FILENO);
    return io::read_file(path);
  };
  CHECK(run(1, true).empty());
  CHECK(run(1, false).empty());
  const std::string line = run(350, true);
  CHECK_THAT(line, Contains("3/3") && Contains("best 1") && !Contains("\x1b"));
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  ::close(file);
  ::close(before);
}
