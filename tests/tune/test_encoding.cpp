#include <xgrad/core/error.hpp>
#include <xgrad/tune/report/results.hpp>
#include <xgrad/tune/trials/encoding.hpp>

#include <clocale>
#include <cstdlib>
#include <limits>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using tune::Scale;

TEST_CASE("tune encoding: distributions read back, and as Optuna writes them") {
  const std::vector<tune::Distribution> all{
      tune::FloatDistribution{1e-4, 1, Scale::log},
      tune::FloatDistribution{0, 1, Scale::linear, 0.25},
      tune::FloatDistribution{0.9, 0.999, Scale::log_one_minus},
      tune::IntDistribution{1, 9, Scale::linear, 2},
      tune::IntDistribution{1, 512, Scale::log},
      tune::CategoricalDistribution{{std::int64_t{32}, 1.0, true, "\"a\u00e9", std::monostate()}}};
  for (const auto& distribution : all)
    CHECK(tune::distribution_from_json(tune::distribution_to_json(distribution)) == distribution);
  CHECK(
      tune::distribution_from_json(
          R"({"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}})") ==
      all[0]);
  CHECK(tune::distribution_from_json(
            R"({"name": "IntDistribution", "attributes": {"log": false, "step": 2, "low": 1, "high": 9}})") == all[3]);
  CHECK(tune::distribution_from_json(
            R"({"name": "CategoricalDistribution", "attributes": {"choices": [32, 64, null, "a", true, 1.5]}})") ==
        tune::Distribution(
            tune::CategoricalDistribution{{std::int64_t{32}, std::int64_t{64}, std::monostate(), "a", true, 1.5}}));
  CHECK(tune::distribution_from_json(R"({"name": "LogUniformDistribution", "attributes": {"low": 1e-4, "high": 1}})") ==
        all[0]);
  CHECK(tune::distribution_from_json(
            R"({"name": "DiscreteUniformDistribution", "attributes": {"low": 0, "high": 1, "q": 0.25}})") == all[1]);
  for (const char* wrong : {"", "{}", "[1]", R"({"name": "Beta", "attributes": {"low": 0, "high": 1}})",
                            R"({"name": "FloatDistribution", "attributes": {"low": "x", "high": 1}})",
                            R"({"name": "CategoricalDistribution", "attributes": {"choices": 1}})"})
    CHECK_THROWS_AS(tune::distribution_from_json(wrong), Error);
}

TEST_CASE("tune encoding: texts and times") {
  CHECK(tune::text_to_json("a\"\n") == "\"a\\\"\\n\"");
  CHECK(tune::text_from_json("\"a\\\"\\n\"") == "a\"\n");
  CHECK(tune::is_json(tune::text_to_json("\xff")));
  using namespace std::chrono;
  const auto time = sys_days(year(2024) / 2 / 29) + hours(23) + minutes(5) + seconds(9) + microseconds(42);
  CHECK(tune::time_to_text(time) == "2024-02-29 23:05:09.000042");
  CHECK(tune::time_from_text("2024-02-29 23:05:09.000042") == time);
  CHECK(tune::time_from_text("2024-02-29T23:05:09") == time - microseconds(42));
  CHECK(tune::time_from_text("2024-02-29 23:05:09.5") == time - microseconds(42) + milliseconds(500));
  CHECK(tune::time_from_text("2024-02-29 23:05:09.0000429") == time);
  for (const char* wrong : {"yesterday", "", "2024-02-30 00:00:00", "2024-13-01 00:00:00", "2024-01-01 24:00:00",
                            "9999-01-01 00:00:00", "2263-01-01 00:00:00", "1600-01-01 00:00:00", "-024-01-01 00:00:00",
                            "2024-01-01 00:00", "2024-01-01 00:00:00.1x", "99999999999-01-01 00:00:00", "infinity"})
    CHECK_THROWS_AS(tune::time_from_text(wrong), Error);
}

TEST_CASE("tune encoding: JSON from outside is held to limits") {
  CHECK(tune::is_json(std::string(100, '[') + std::string(100, ']')));
  CHECK(tune::json_fault(std::string(101, '[') + std::string(101, ']')) == "is nested deeper than 100");
  CHECK(tune::is_json("\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') + "\""));
  CHECK(tune::json_fault(std::string(1'000'000, '[')) == "is nested deeper than 100");
  CHECK(tune::json_fault("nan") == "is no JSON");
  for (const char* wrong : {"18446744073709551615", "9223372036854775808", "1e999", "nan"})
    CHECK_THROWS_AS(tune::choice_from_json(wrong), Error);
  // Python's tuples.
  CHECK(tune::choice_from_json("[1, \"a\"]") == tune::Choice(tune::JsonChoice{"[1,\"a\"]"}));
  CHECK(tune::choice_to_json(tune::JsonChoice{"[1,\"a\"]"}) == "[1,\"a\"]");
  CHECK_THROWS_AS(tune::choice_to_json(std::numeric_limits<double>::infinity()), Error);
  CHECK_THROWS_AS(tune::choice_to_json(std::string("\xff")), Error);
  CHECK(tune::choice_from_json("-9223372036854775808") == tune::Choice(std::int64_t{INT64_MIN}));
}

TEST_CASE("tune: what a machine reads is the same in a German locale") {
  const TemporaryDirectory directory;
  if (std::system(("localedef -i de_DE -f UTF-8 '" + directory.path("de_DE.UTF-8") + "' 2>/dev/null").c_str()) == 0)
    ::setenv("LOCPATH", directory.path("").c_str(), 1);
  const bool german = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
  const char point = *std::localeconv()->decimal_point;
  std::string time, distribution, table;
  try {
    using namespace std::chrono;
    time = tune::time_to_text(tune::time_from_text("2026-01-01 00:00:00.987654"));
    distribution = tune::distribution_to_json(tune::distribution_from_json(
        tune::distribution_to_json(tune::FloatDistribution{0.5, 1.5, Scale::linear, 0.25})));
    tune::History history;
    history.put({.state = tune::TrialState::complete, .values = {1234.5}});
    table = tune::table(history) + tune::json_of(history);
  } catch (const Error& error) {
    table = error.what();
  }
  std::setlocale(LC_ALL, "C");
  ::unsetenv("LOCPATH");
  if (!german) WARN("skipped: there is no locale de_DE.UTF-8, and localedef cannot make it");
  if (german) CHECK(point == ',');
  CHECK(time == "2026-01-01 00:00:00.987654");
  CHECK(distribution == R"({"attributes":{"high":1.5,"log":false,"low":0.5,"step":0.25},"name":"FloatDistribution"})");
  CHECK_THAT(table, Catch::Contains("1234.5"));
}
