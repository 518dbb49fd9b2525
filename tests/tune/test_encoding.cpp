#include <xgrad/core/error.hpp>
#include <xgrad/tune/encoding.hpp>

#include "../catch.hpp"

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
                            R"({"name": "CategoricalDistribution", "attributes": {"choices": [[1]]}})"})
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
  CHECK_THROWS_AS(tune::time_from_text("yesterday"), Error);
}
