#include <xgrad/tune.hpp>
#include <xgrad/tune/report/results.hpp>

#include <signal.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::StartsWith;

namespace {

const double nan_value = std::numeric_limits<double>::quiet_NaN();

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("tune: suggestions have the types that were asked for, and are given again") {
  auto study = tune::Study::open("", "types");
  auto trial = study.ask();
  static_assert(std::is_same_v<decltype(trial.suggest_categorical("a", {32, 64})), std::int64_t>);
  const std::int64_t batch = trial.suggest_categorical("batch", {32, 64});
  CHECK((batch == 32 || batch == 64));
  const std::string name = trial.suggest_categorical("name", {"relu", "tanh"});
  CHECK((name == "relu" || name == "tanh"));
  static_assert(std::is_same_v<decltype(trial.suggest_categorical("b", {true, false})), bool>);
  const double rate = trial.suggest_categorical("rate", {0.5, 1.5});
  CHECK((rate == 0.5 || rate == 1.5));
  const std::vector<std::string> names{"x", "y"};
  static_assert(std::is_same_v<decltype(trial.suggest_categorical("c", names)), std::string>);
  const double x = trial.suggest_float("x", 0, 1, {.step = 0.25});
  CHECK(x * 4 == std::floor(x * 4));
  const auto i = trial.suggest_int("i", 1, 9, {.step = 4});
  CHECK((i == 1 || i == 5 || i == 9));
  const double lr = trial.suggest_float("lr", 1e-4, 1, tune::log_scale);
  CHECK(trial.suggest_float("lr", 1e-4, 1, tune::log_scale) == lr);
  CHECK_THAT(message_of([&] { trial.suggest_float("lr", 1e-3, 1, tune::log_scale); }),
             StartsWith("suggest: \"lr\": trial 0 has it already, from another range"));
  CHECK(message_of([&] { trial.suggest_float("l", 1, 0.1); }) == "suggest_float: \"l\": low 1 is above high 0.1");
  CHECK_THAT(message_of([&] { trial.suggest_float("", 0, 1); }), Contains("name"));
  CHECK(trial.record().parameters.size() == 6);
}

TEST_CASE("tune: what the objective does becomes the state of its trial") {
  const TemporaryDirectory directory;
  for (const std::string& url : {std::string("memory:"), "sqlite:" + directory.path("states.db")}) {
    auto study = tune::Study::open(url, "states");
    study.optimize(
        [&](tune::Trial& trial) -> double {
          trial.suggest_float("x", 0, 1);
          switch (trial.number()) {
            case 0:
              throw std::runtime_error("no \"luck\"");
            case 1:
              return nan_value;
            case 2:
              return std::numeric_limits<double>::infinity();
            case 3:
              trial.report(0, nan_value);
              return trial.should_prune() ? 0 : 1;
            case 4:
              trial.set_attribute("k", "[1, 2]");
              return 0.5;
            case 5:
              trial.suggest_float("y", 1, 0);
              return 2;
            default:
              return 3;
          }
        },
        {.trials = 5});  // two more failed
    const auto trials = study.trials();
    REQUIRE(trials.size() == 7);
    CHECK(trials[0].state == tune::TrialState::failed);
    CHECK(trials[0].attributes.at("error") == "\"no \\\"luck\\\"\"");
    for (const std::size_t i : {1, 2, 3}) CHECK(trials[i].state == tune::TrialState::diverged);
    CHECK(std::isnan(trials[3].intermediate.at(0)));
    CHECK(trials[4].state == tune::TrialState::complete);
    CHECK(trials[4].values == std::vector<double>{0.5});
    CHECK(trials[4].attributes.at("k") == "[1, 2]");
    CHECK(trials[5].state == tune::TrialState::failed);
    CHECK(study.best_trial().number == 4);
    const auto again = tune::Study::open(url, "states").trials();
    if (url == "memory:") continue;
    REQUIRE(again.size() == 7);
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(again[i].state == trials[i].state);
      CHECK(again[i].values == trials[i].values);
      CHECK(again[i].attributes == trials[i].attributes);
      REQUIRE(again[i].parameters.size() == 1);
      CHECK(again[i].parameters[0].value == trials[i].parameters[0].value);
      CHECK(again[i].parameters[0].distribution == trials[i].parameters[0].distribution);
      CHECK(again[i].completed.has_value());
    }
  }
}

TEST_CASE("tune: an objective that returns nothing gives its last report, and one without either fails") {
  auto study = tune::Study::open("", "void");
  study.optimize(
      [](tune::Trial& trial) {
        if (trial.number() == 1) return;
        trial.report(3, 7);
        trial.report(1, 5);
        trial.report(3, 9);  // was reported before
      },
      {.trials = 2});
  const auto trials = study.trials();
  CHECK(trials[0].values == std::vector<double>{7});
  CHECK(trials[1].state == tune::TrialState::failed);
  CHECK_THAT(trials[1].attributes.at("error"), Contains("neither returned nor reported"));
}

TEST_CASE("tune: enqueued trials run first, with the values given") {
  const TemporaryDirectory directory;
  for (const std::string& url : {std::string(), "sqlite:" + directory.path("queue.db")}) {
    auto study = tune::Study::open(url, "queue");
    CHECK(study.enqueue({{"x", 0.125}, {"c", std::int64_t{64}}}) == 0);
    CHECK(study.enqueue({{"x", 5.0}}) == 1);
    CHECK(study.trials().at(1).state == tune::TrialState::waiting);
    study.optimize(
        [](tune::Trial& trial) {
          const double x = trial.suggest_float("x", 0, 1);
          return x + static_cast<double>(trial.suggest_categorical("c", {32, 64}));
        },
        {.trials = 3});
    const auto trials = study.trials();
    REQUIRE(trials.size() == 4);  // the failed one does not count
    CHECK(trials[0].values == std::vector<double>{64.125});
    CHECK(trials[1].state == tune::TrialState::failed);
    CHECK_THAT(trials[1].attributes.at("error"), Contains("enqueued value 5.0 is not in its range"));
    CHECK(trials[2].state == tune::TrialState::complete);
  }
}

TEST_CASE("tune: ask and tell; what is told twice changes nothing") {
  auto study = tune::Study::open("", "ask", {.direction = tune::maximize});
  auto first = study.ask(), second = study.ask(), third = study.ask();
  CHECK(study.tell(second, 2));
  CHECK_FALSE(study.tell(second, 3));
  third.report(0, 1);
  CHECK(study.tell(third, tune::TrialState::pruned));
  CHECK(study.tell(first, tune::TrialState::failed));
  CHECK_THROWS_AS(study.tell(first, tune::TrialState::running), Error);
  const auto trials = study.trials();
  CHECK(trials[0].state == tune::TrialState::failed);
  CHECK(trials[1].values == std::vector<double>{2});
  CHECK(trials[2].state == tune::TrialState::pruned);
  CHECK(trials[2].values == std::vector<double>{1});
  CHECK_THROWS_AS(study.tell(study.ask(), std::vector<double>{1, 2}), Error);
  {
    const auto dropped = study.ask();
    CHECK(dropped.number() == 3);  // the one that could not be told
  }
  CHECK(study.ask().number() == 3);
}

TEST_CASE("tune: optimize() does not wait for a trial that was asked for") {
  const TemporaryDirectory directory;
  for (const std::string& url : {std::string(), "sqlite:" + directory.path("asked.db")}) {
    auto study = tune::Study::open(url, "asked");
    const auto held = study.ask();
    study.optimize([](tune::Trial&) { return 1.0; }, {.trials = 3});
    CHECK(study.trials().size() == 3);
    CHECK(study.tell(held, 2));
  }
}

TEST_CASE("tune: several objectives have a front") {
  auto study = tune::Study::open("", "front", {.directions = {tune::minimize, tune::maximize}});
  const std::vector<std::vector<double>> values{{1, 1}, {2, 3}, {2, 2}, {0, 0}, {2, 3}};
  study.optimize([&](tune::Trial& trial) { return values.at(static_cast<std::size_t>(trial.number())); },
                 {.trials = 5});
  std::vector<std::int64_t> front;
  for (const auto& trial : study.pareto_front()) front.push_back(trial.number);
  CHECK(front == std::vector<std::int64_t>{0, 1, 3, 4});
  CHECK_THAT(message_of([&] { study.best_trial(); }), Contains("2 objectives"));
}

TEST_CASE("tune: a trial that takes too long is pruned") {
  auto study = tune::Study::open("", "slow");
  study.optimize(
      [](tune::Trial& trial) {
        for (const int epoch : trial.epochs(1000)) {
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
          trial.report(epoch, epoch);
        }
      },
      {.trials = 1, .trial_time_limit = std::chrono::milliseconds(30)});
  const auto trial = study.trials().at(0);
  CHECK(trial.state == tune::TrialState::pruned);
  CHECK(trial.attributes.at("pruned_by") == "\"time limit\"");
  CHECK(trial.intermediate.size() < 100);
}

namespace {

volatile sig_atomic_t interruptions = 0;

// How many trials a study of 5 has when the second one is interrupted, and SIGINT is handled so.
std::size_t trials_when_interrupted(void (*handler)(int)) {
  auto study = tune::Study::open("", "interrupted");
  const auto before = ::signal(SIGINT, handler);
  study.optimize(
      [](tune::Trial& trial) {
        if (trial.number() == 1) ::raise(SIGINT);
        return 0;
      },
      {.trials = 5});
  ::signal(SIGINT, before);
  return study.trials().size();
}

}  // namespace

TEST_CASE("tune: SIGINT stops a study and reaches the program's handler, unless the program ignores it") {
  interruptions = 0;
  CHECK(trials_when_interrupted([](int) { interruptions = interruptions + 1; }) == 2);
  CHECK(interruptions == 1);
  CHECK(trials_when_interrupted(SIG_IGN) == 5);  // as a shell has it for a program in the background
}

TEST_CASE("tune: any number of workers draws the same random parameters", "[threads]") {
  const auto run = [](int workers) {
    auto study = tune::Study::open("", "w", {.sampler = tune::Random{}, .seed = 11});
    study.optimize([](tune::Trial& trial) { return trial.suggest_float("x", 0, 1); },
                   {.trials = 200, .workers = workers});
    std::vector<double> values;
    for (const auto& trial : study.trials()) values.push_back(trial.values.at(0));
    return values;
  };
  const auto one = run(1);
  REQUIRE(one.size() == 200);
  CHECK(run(4) == one);
}

TEST_CASE("tune: several workers pause and resume each other's trials", "[threads]") {
  auto study = tune::Study::open(
      "", "asha", {.direction = tune::maximize, .sampler = tune::Random{}, .pruner = tune::ASHA{.eta = 2}});
  study.optimize(
      [](tune::Trial& trial) {
        const double x = trial.suggest_float("x", 0, 1);
        for (const int epoch : trial.epochs(8)) trial.report(epoch, x * epoch);
      },
      {.trials = 64, .workers = 4});
  std::int64_t complete = 0, reports = 0;
  const auto trials = study.trials();
  for (const auto& trial : trials) {
    CHECK((trial.state == tune::TrialState::complete || trial.state == tune::TrialState::paused));
    complete += trial.state == tune::TrialState::complete;
    reports += static_cast<std::int64_t>(trial.intermediate.size());
  }
  CHECK(trials.size() == 64);
  CHECK(complete >= 8);
  CHECK(reports < 64 * 8 / 2);
}

TEST_CASE("tune: messages for what cannot be opened") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("d.db");
  tune::Study::open(url, "s", {.direction = tune::maximize});
  CHECK_THAT(message_of([&] { tune::Study::open(url, "s"); }), Contains("direction maximize"));
  CHECK_THAT(message_of([&] { tune::Study::open("mysql://x", "s"); }), StartsWith("tune: \"mysql://x\" is no storage"));
  CHECK_THAT(message_of([&] { tune::Study::open("sqlite:/no/such/place.db", "s"); }),
             Contains("unable to open database file"));
  const std::string text = directory.write("text.db", std::string(2000, 'x'));
  CHECK_THAT(message_of([&] { tune::Study::open("sqlite:" + text, "s"); }), Contains("not a database"));
  CHECK_THAT(message_of([&] { tune::Study::open(url, ""); }), Contains("name"));
  CHECK_THAT(message_of([&] { tune::Study::open("", "s").best_trial(); }), Contains("none of 0 trials"));
}

TEST_CASE("tune: results as text, CSV and JSON") {
  const TemporaryDirectory directory;
  auto study = tune::Study::open("", "results", {.direction = tune::maximize});
  study.enqueue({{"x", 0.5}, {"kind", std::string("a,\"b\"")}});
  study.enqueue({{"x", 0.25}, {"kind", std::string("c")}});
  study.optimize(
      [](tune::Trial& trial) {
        const double x = trial.suggest_float("x", 0, 1);
        trial.suggest_categorical("kind", {"a,\"b\"", "c"});
        trial.report(1, x / 2);
        return x;
      },
      {.trials = 2});
  std::ostringstream best;
  best << study.best_trial();
  CHECK(best.str() == "trial 0: 0.5\n  x     0.5\n  kind  a,\"b\"");
  CHECK(study.table() ==
        "trial     state  value     x   kind\n"
        "    0  complete    0.5   0.5  a,\"b\"\n"
        "    1  complete   0.25  0.25      c\n");
  study.write_csv(directory.path("t.csv"));
  std::ifstream csv(directory.path("t.csv"), std::ios::binary);
  std::string header, line;
  std::getline(csv, header);
  std::getline(csv, line);
  CHECK(header == "number,state,value,started,completed,params_x,params_kind,attributes_fixed_params\r");
  CHECK_THAT(line, StartsWith("0,complete,0.5,20") && Contains(",0.5,\"a,\"\"b\"\"\","));
  study.write_json(directory.path("t.json"));
  std::ifstream file(directory.path("t.json"));
  const auto json = nlohmann::json::parse(file);
  CHECK(json["directions"] == nlohmann::json{"maximize"});
  CHECK(json["trials"][1]["parameters"]["x"] == 0.25);
  CHECK(json["trials"][1]["intermediate"] == nlohmann::json::parse("[[1, 0.125]]"));
  CHECK(json["trials"][0]["distributions"]["x"]["name"] == "FloatDistribution");
}

TEST_CASE("tune: an attribute that is no strict JSON, as Python's NaN, is exported as text") {
  tune::History history;
  tune::TrialRecord trial;
  trial.attributes = {{"from_python", "{\"loss\": NaN}"}, {"strict", "[1, null]"}};
  history.put(trial);
  const auto attributes = nlohmann::json::parse(tune::json_of(history))["trials"][0]["attributes"];
  CHECK(attributes["from_python"] == "{\"loss\": NaN}");
  CHECK(attributes["strict"] == nlohmann::json::parse("[1, null]"));
}

TEST_CASE("tune: optimize() in an objective of the same study is an error, not a wait for ever") {
  const TemporaryDirectory directory;
  const std::string file = directory.path("s.db");
  for (const std::string& url : {std::string("memory:"), "sqlite:" + file, "sqlite:///" + file}) {
    auto study = tune::Study::open(url, "s");
    study.optimize(
        [&](tune::Trial& trial) {
          auto inner = url == "memory:" ? study : tune::Study::open("sqlite:" + file, "s");
          if (trial.number() % 3 == 0) inner.optimize([](tune::Trial&) { return 1; }, {.trials = 3});
          auto other = tune::Study::open(url, "other");
          other.optimize([](tune::Trial&) { return 1; }, {.trials = 1});
          return 1;
        },
        {.trials = 3});
    CHECK(study.trials().at(0).state == tune::TrialState::failed);
    CHECK_THAT(study.trials().at(0).attributes.at("error"), Contains("in an objective of the same study"));
    CHECK(study.trials().at(1).state == tune::TrialState::complete);
  }
}

TEST_CASE("tune: durations at their limits") {
  using std::chrono::milliseconds;
  for (const milliseconds limit : {milliseconds(std::chrono::hours(24LL * 365 * 300)), milliseconds::max()}) {
    auto study = tune::Study::open("", "s", {.lease = limit, .checkpoint_interval = limit});
    study.optimize(
        [](tune::Trial& trial) {
          trial.report(1, 1);
          return trial.should_prune() ? 0 : 1;
        },
        {.trials = 3, .trial_time_limit = limit});
    for (const auto& trial : study.trials()) CHECK(trial.state == tune::TrialState::complete);
    const TemporaryDirectory directory;
    const std::string url = "sqlite:" + directory.path("s.db");
    auto a = tune::Study::open(url, "s", {.lease = limit}), b = tune::Study::open(url, "s", {.lease = limit});
    const auto first = a.ask();
    CHECK(b.ask().number() == 1);
    CHECK(a.tell(first, 1));
  }
  const milliseconds negative(-1);
  CHECK_THROWS_AS(tune::Study::open("", "s", {.lease = negative}), Error);
  CHECK_THROWS_AS(tune::Study::open("", "s", {.checkpoint_interval = negative}), Error);
  CHECK_THROWS_WITH(tune::Study::open("", "s").optimize([](tune::Trial&) { return 1; }, {.trial_time_limit = negative}),
                    Contains("negative"));
}

TEST_CASE("tune: what a storage cannot hold is an error before anything is stored") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("s.db");
  const double inf = std::numeric_limits<double>::infinity();
  auto study = tune::Study::open(url, "s", {.sampler = tune::Random{}});
  const auto number = [&] {
    auto trial = study.ask();
    CHECK_THROWS_AS(trial.suggest_categorical("c", {0.5, inf}), Error);
    CHECK_THROWS_AS(trial.suggest_categorical("c", {"caf\xe9", "x"}), Error);
    for (const std::string& name :
         {std::string("caf\xe9"), std::string("a\0b", 3), std::string(513, 'a'), std::string()}) {
      CHECK_THROWS_AS(trial.suggest_float(name, 0, 1), Error);
      CHECK_THROWS_AS(trial.set_attribute(name, "1"), Error);
      CHECK_THROWS_AS(study.enqueue({{name, 1.0}}), Error);
      CHECK_THROWS_AS(tune::Study::open(url, name), Error);
    }
    CHECK_THROWS_WITH(trial.set_attribute("deep", std::string(200'000, '[') + std::string(200'000, ']')),
                      Contains("nested deeper than 100"));
    CHECK_THROWS_AS(study.enqueue({{"x", inf}}), Error);
    CHECK_THROWS_AS(study.enqueue({{"x", std::string("\xff")}}), Error);
    trial.suggest_categorical("text", std::vector<std::string>{std::string("a\0b", 3), "c"});
    trial.suggest_categorical("limits", std::vector<std::int64_t>{INT64_MIN, INT64_MAX});
    trial.suggest_categorical("reals", {1e308, 5e-324, 1e16});
    trial.report(INT64_MAX, 1);
    return trial.number();
  }();  // the trial is given back
  auto again = tune::Study::open(url, "s", {.sampler = tune::Random{}, .seed = 5});
  auto trial = again.ask();
  REQUIRE(trial.number() == number);
  const auto record = trial.record();
  REQUIRE(record.parameters.size() == 3);
  trial.suggest_categorical("text", std::vector<std::string>{std::string("a\0b", 3), "c"});
  trial.suggest_categorical("limits", std::vector<std::int64_t>{INT64_MIN, INT64_MAX});
  trial.suggest_categorical("reals", {1e308, 5e-324, 1e16});
  CHECK(trial.record().parameters.size() == 3);
  CHECK(again.tell(trial, 1));
  CHECK(again.trials().size() == 1);
}

TEST_CASE("tune: names and choices neither steer a terminal nor run in a spreadsheet") {
  const TemporaryDirectory directory;
  tune::History history;
  tune::TrialRecord trial;
  trial.state = tune::TrialState::complete;
  trial.values = {-1};
  const auto add = [&](const char* name, const char* choice) {
    trial.parameters.push_back({name, tune::CategoricalDistribution{{std::string(choice)}}, 0});
  };
  add("\x1b[1m", "\x1b[31m");
  for (const char* formula : {"=1+1", "+1+1", "-1-1", "@x", "-2"}) add(formula, formula);
  history.put(trial);
  CHECK_THAT(tune::table(history), !Contains("\x1b") && Contains("\\x1b[1m") && Contains("\\x1b[31m"));
  tune::write_csv(history, directory.path("t.csv"));
  std::ifstream csv(directory.path("t.csv"), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(csv), {}};
  CHECK_THAT(text,
             Contains(",\\x1b[31m,'=1+1,'+1+1,'-1-1,'@x,-2\r\n") && Contains("complete,-1,") && !Contains("\x1b"));
  std::ostringstream out;
  out << history[0];
  CHECK_THAT(out.str(), !Contains("\x1b"));
  trial.parameters = {{"c", tune::CategoricalDistribution{{std::string("a")}}, 4}};
  CHECK_THROWS_WITH(tune::value_of(trial.parameters[0]), Contains("no choice 4 among 1"));
}
