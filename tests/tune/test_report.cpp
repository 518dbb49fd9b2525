#include <xgrad/io/file.hpp>
#include <xgrad/tune.hpp>
#include <xgrad/tune/report/report.hpp>

#include <limits>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;

namespace {

// The data in the page.
nlohmann::json data_of(const std::string& page) {
  const std::string before = "<script type=\"application/json\" id=\"data\">";
  const auto begin = page.find(before) + before.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

}  // namespace

TEST_CASE("tune report: one page with all the data, which loads nothing") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("report.html");
  auto study = tune::Study::open("", "a </script><b> & \"c\"", {.direction = tune::maximize});
  study.write_report(path);  // nothing has run yet
  CHECK(data_of(io::read_file(path))["states"].empty());

  study.optimize(
      [](tune::Trial& trial) {
        const double x = trial.suggest_float("x<!--", 1e-3, 1, tune::log_scale);
        if (trial.number() == 0) trial.suggest_int("only in one", 2, 8);
        trial.suggest_categorical("</script>", {"</script>", "<!--"});
        trial.report(1, x / 2);
        if (trial.number() == 3) trial.report(2, std::numeric_limits<double>::quiet_NaN());
        check(trial.number() != 4, "<four>");
        return x;
      },
      {.trials = 20});
  study.write_report(path);
  const std::string page = io::read_file(path);
  for (const char* outside : {"src=", "href=", "@import", "url(", "fetch(", "https:", "innerHTML"}) {
    CAPTURE(outside);
    CHECK(page.find(outside) == std::string::npos);
  }
  const auto data = data_of(page);
  CHECK(data["name"] == study.name());
  CHECK(data["directions"] == std::vector<std::string>{"maximize"});
  REQUIRE(data["states"].size() == 21);  // one failed
  CHECK(data["states"][3] == "diverged");
  CHECK(data["curves"][3][3].is_null());
  CHECK(data["errors"]["4"] == "<four>");
  CHECK(data["values"][0][0] == study.trials().at(0).values.at(0));
  CHECK(data["started"][0] <= data["ended"][0]);
  CHECK(data["importance"][0].size() == 3);

  const auto& parameters = data["parameters"];
  REQUIRE(parameters.size() == 3);
  CHECK(parameters[0]["name"] == "x<!--");
  CHECK(parameters[0]["scale"] == "log");
  CHECK(parameters[0]["values"][0] == data["values"][0][0]);
  CHECK(parameters[1]["whole"] == true);
  CHECK(parameters[1]["values"][0].is_number_integer());
  CHECK(parameters[1]["values"][1].is_null());
  CHECK(parameters[2]["choices"] == std::vector<std::string>{"</script>", "<!--"});
  CHECK(directory.names() == std::vector<std::string>{"report.html"});
}

TEST_CASE("tune report: ranges that differ between trials share an axis, long curves are thinned") {
  tune::History history;
  for (int i = 0; i < 3; ++i) {
    tune::TrialRecord trial;
    trial.number = i;
    trial.parameters = {{"x", tune::FloatDistribution{0.1 + i, 2.0 + i, tune::log_scale}, 1.5 + i},
                        {"choice", tune::CategoricalDistribution{{std::int64_t{i}, std::string("last")}}, 1}};
    for (int step = 0; step < 70'001; ++step) trial.intermediate[step] = step / 3.0;
    history.put(trial);
  }
  const TemporaryDirectory directory;
  tune::write_report(history, "study", directory.path("report.html"));
  const auto data = data_of(io::read_file(directory.path("report.html")));
  CHECK(data["parameters"][0]["low"] == 0.1);
  CHECK(data["parameters"][0]["high"] == 4.0);
  CHECK(data["parameters"][1]["choices"] == std::vector<std::string>{"0", "last", "1", "2"});
  CHECK(data["parameters"][1]["values"] == std::vector<int>{1, 1, 1});
  CHECK(data["thinned"] == true);
  const auto& curve = data["curves"][0];
  CHECK(curve.size() <= 2000);
  CHECK(curve[curve.size() - 2] == 70'000);
  CHECK(curve.back() == 23333.3);
}

TEST_CASE("tune report: several objectives have names and a hypervolume, trials how far they violate constraints") {
  tune::History history({tune::minimize, tune::maximize});
  history.set_metric_names({"loss", "accuracy"});
  const auto add = [&](double a, double b, double constraint) {
    tune::TrialRecord trial;
    trial.number = history.size();
    trial.state = tune::TrialState::complete;
    trial.values = {a, b};
    if (constraint != 0) trial.constraints = {{"c", constraint}};
    history.put(trial);
  };
  add(4, -4, 0);
  add(0, 0, 2);
  add(1, -3, -1);
  add(2, -2, 0);
  const TemporaryDirectory directory;
  tune::write_report(history, "s", directory.path("report.html"));
  const auto data = data_of(io::read_file(directory.path("report.html")));
  CHECK(data["names"] == std::vector<std::string>{"loss", "accuracy"});
  CHECK(data["violations"] == nlohmann::json::parse("[null, 2.0, 0.0, null]"));
  const std::vector<double> volumes = data["hypervolume"];
  const double a = 0.4 * 0.4, b = 3.4 * 1.4, c = b + 2.4 * 1.0;  // up to (4.4, 4.4)
  for (std::size_t i = 0; i < 4; ++i) CHECK(volumes.at(i) == Approx(std::vector<double>{a, a, b, c}[i]));
}

TEST_CASE("tune report: forks, attributes, times of paused trials, both kinds of importance, and what is promised") {
  const TemporaryDirectory directory;
  auto study = tune::Study::open("", "s", {.sampler = tune::Random{}, .pruner = tune::PBT{.population = 4}});
  study.optimize(
      [](tune::Trial& trial) {
        const double x = trial.suggest_float("x", 0, 1);
        trial.suggest_float("y", 0, 1);
        trial.set_attribute("note", "\"</script>" + std::string(300, 'n') + "\"");
        trial.set_attribute("seed: own", std::to_string(trial.number()));
        auto rng = default_generator();
        for (const int epoch : trial.epochs(4, rng)) trial.report(epoch, x + 1.0 / epoch);
      },
      {.trials = 12, .progress = false});
  study.write_report(directory.path("report.html"));
  const auto data = data_of(io::read_file(directory.path("report.html")));

  REQUIRE(data["attributes"].size() == 2);
  CHECK(data["attributes"][0]["name"] == "note");
  CHECK(data["attributes"][0]["values"]["0"].get<std::string>().size() == 203);
  CHECK(data["attributes"][1]["values"]["3"] == "3");
  std::size_t forks = 0;
  for (const auto& trial : study.trials()) {
    const std::string number = std::to_string(trial.number);
    CHECK(data["parents"].contains(number) == trial.attributes.contains("parent"));
    forks += trial.attributes.contains("parent");
  }
  CHECK(forks > 0);
  CHECK(data["worked"].size() >= 4);
  for (const auto& worked : data["worked"]) CHECK(worked >= 0);
  CHECK(data["fanova"][0].size() == 2);
  for (const auto& point : data["promise"]) {
    CHECK(point[0] <= 12);
    CHECK((point[1] >= 0 && point[2] > 0));
  }

  tune::History history;
  for (const auto& [parent, worked] : {std::pair("7", "1.5"), std::pair("\"x\"", "2"), std::pair("0", "0.25")})
    history.put({.number = history.size(), .attributes = {{"parent", parent}, {"xgrad:seconds", worked}}});
  tune::write_report(history, "s", directory.path("report.html"));
  const auto other = data_of(io::read_file(directory.path("report.html")));
  CHECK(other["parents"] == nlohmann::json{{"2", 0}});  // others cannot have been
  CHECK(other["worked"] == nlohmann::json{{"0", 1500.0}, {"1", 2000.0}, {"2", 250.0}});
}

TEST_CASE("tune report: the terminator's curve falls where a study has found its minimum") {
  auto study = tune::Study::open("", "s", {.sampler = tune::GP{.startup_trials = 5}});
  study.optimize([](tune::Trial& trial) { return std::pow(trial.suggest_float("x", -1, 1) - 0.3, 2); },
                 {.trials = 25, .progress = false});
  const TemporaryDirectory directory;
  study.write_report(directory.path("report.html"));
  const auto promise = data_of(io::read_file(directory.path("report.html")))["promise"];
  REQUIRE(promise.size() >= 15);
  CHECK(promise.back()[0] == 25);
  CHECK(promise.back()[1].get<double>() < 0.01 * promise.front()[1].get<double>());
}
