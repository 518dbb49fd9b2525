#include <xgrad/core/error.hpp>
#include <xgrad/tune/samplers/sampler.hpp>
#include <xgrad/tune/trials/draws.hpp>
#include <xgrad/tune/trials/space.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "../catch.hpp"

using namespace xgrad::tune;

namespace {

const double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

CategoricalDistribution choices(std::vector<Choice> list) { return {std::move(list)}; }

// n draws of the Random sampler, one a trial.
std::vector<double> draw(const Distribution& distribution, std::int64_t n, std::uint64_t seed = 1) {
  const auto sampler = Random{}.make(seed);
  History history;
  TrialRecord trial;
  std::vector<double> values;
  for (trial.number = 0; trial.number < n; ++trial.number)
    values.push_back(sampler->suggest(history, trial, "p", checked("p", distribution)));
  return values;
}

// The largest distance between the distribution of `values` and a continuous cumulative distribution function.
template <class Cdf>
double kolmogorov_smirnov(std::vector<double> values, Cdf cdf) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double p = cdf(values[i]), k = static_cast<double>(i);
    distance = std::max({distance, p - k / n, (k + 1) / n - p});
  }
  return distance;
}

const double critical = 1.949 / 1000;  // Kolmogorov-Smirnov, 10^6 draws, p = 0.001

double share(const std::vector<double>& values, double low, double high) {
  return static_cast<double>(
             std::count_if(values.begin(), values.end(), [&](double v) { return v >= low && v < high; })) /
         static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("draws of a float are uniform in its scale", "[tune]") {
  SECTION("linear") {
    CHECK(kolmogorov_smirnov(draw(FloatDistribution{-2, 5}, 1000000), [](double x) { return (x + 2) / 7; }) < critical);
  }
  SECTION("log") {
    const auto lr = draw(FloatDistribution{1e-4, 1, log_scale}, 1000000);
    CHECK(kolmogorov_smirnov(lr, [](double x) { return std::log10(x) / 4 + 1; }) < critical);
    for (int decade = -4; decade < 0; ++decade)
      CHECK(share(lr, std::pow(10.0, decade), std::pow(10.0, decade + 1)) == Approx(0.25).margin(0.002));
    CHECK(share(draw(FloatDistribution{1e-4, 1}, 1000000), 0.1, 2) == Approx(0.9).margin(0.002));
  }
  SECTION("log_one_minus") {
    auto beta = draw(FloatDistribution{0.9, 0.999, log_one_minus}, 1000000);
    CHECK(kolmogorov_smirnov(beta, [](double x) { return (-1 - std::log10(1 - x)) / 2; }) < critical);
    std::nth_element(beta.begin(), beta.begin() + 500000, beta.end());
    CHECK(beta[500000] == Approx(0.990).margin(0.0002));
  }
}

TEST_CASE("every step, whole number and choice is as likely as its cell is wide", "[tune]") {
  const std::int64_t n = 1000000;
  SECTION("steps of a float") {
    const auto values = draw(FloatDistribution{0, 0.55, Scale::linear, 0.1}, n);
    for (int i = 0; i <= 5; ++i) CHECK(share(values, 0.1 * i - 1e-9, 0.1 * i + 1e-9) == Approx(1 / 6.0).margin(0.002));
  }
  SECTION("whole numbers") {
    const auto values = draw(IntDistribution{1, 4}, n);
    for (int i = 1; i <= 4; ++i) CHECK(share(values, i, i + 0.5) == Approx(0.25).margin(0.002));
  }
  SECTION("steps of a whole number") {
    const auto values = draw(IntDistribution{-3, 10, Scale::linear, 5}, n);
    for (const int i : {-3, 2, 7}) CHECK(share(values, i, i + 0.5) == Approx(1 / 3.0).margin(0.002));
  }
  SECTION("whole numbers, log") {
    const auto values = draw(IntDistribution{1, 32, log_scale}, n);
    for (int i = 1; i <= 32; ++i)
      CHECK(share(values, i, i + 0.5) == Approx(std::log((i + 0.5) / (i - 0.5)) / std::log(65.0)).margin(0.002));
  }
  SECTION("choices") {
    const auto values = draw(choices({std::monostate{}, true, std::int64_t{7}, 0.5, std::string("relu")}), n);
    for (int i = 0; i < 5; ++i) CHECK(share(values, i, i + 0.5) == Approx(0.2).margin(0.002));
  }
}

TEST_CASE("60 random draws hit the best 5 percent with probability 0.954", "[tune]") {
  const auto values = draw(FloatDistribution{0, 1}, 60 * 16000);
  int hits = 0;
  for (std::size_t i = 0; i < values.size(); i += 60)
    hits += std::any_of(&values[i], &values[i] + 60, [](double v) { return v < 0.05; });
  CHECK(hits / 16000.0 == Approx(1 - std::pow(0.95, 60)).margin(0.0055));  // three standard deviations
  CHECK(1 - std::pow(0.95, 60) == Approx(0.954).margin(0.0005));
}

TEST_CASE("draws depend on seed, trial and name alone", "[tune]") {
  std::set<double> seen;
  for (const std::uint64_t seed : {0, 1})
    for (const std::int64_t trial : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 33})
      for (const char* name : {"", "lr", "rl"}) {
        Draws draws(seed, trial, name);
        for (int i = 0; i < 5; ++i) seen.insert(draws.uniform());
      }
  CHECK(seen.size() == 2 * 3 * 3 * 5);
  CHECK(Draws(7, 3, "lr").uniform() == Draws(7, 3, "lr").uniform());
}

TEST_CASE("warp and unwarp are inverse, and unwarp stays in the range", "[tune]") {
  const std::vector<Distribution> all{FloatDistribution{-2, 5},
                                      FloatDistribution{1e-10, 1e-4, log_scale},
                                      FloatDistribution{0.9, 0.9999, log_one_minus},
                                      FloatDistribution{0, 0.55, Scale::linear, 0.1},
                                      FloatDistribution{3, 3},
                                      IntDistribution{-5, 9, Scale::linear, 3},
                                      IntDistribution{32, 512, log_scale},
                                      choices({std::int64_t{32}, std::int64_t{64}, std::int64_t{128}})};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Distribution d = checked("p", all[i]);
    INFO("distribution " << i);
    for (int k = 0; k <= 1000; ++k) {
      const double value = unwarp(d, k / 1000.0);
      REQUIRE(contains(d, value));
      REQUIRE(warp(d, value) >= 0);
      REQUIRE(warp(d, value) <= 1);
      REQUIRE(unwarp(d, warp(d, value)) == Approx(value).epsilon(1e-12));
      if (count(d) == 0) REQUIRE(warp(d, value) == Approx(k / 1000.0).margin(1e-9));
    }
  }
  CHECK(count(checked("p", all[3])) == 6);
  CHECK(count(checked("p", all[4])) == 1);
  CHECK(count(checked("p", all[5])) == 5);
  CHECK(count(all[6]) == 481);
  CHECK(count(all[7]) == 3);
  CHECK(std::get<FloatDistribution>(checked("p", all[3])).high == Approx(0.5));
  CHECK(std::get<IntDistribution>(checked("p", all[5])).high == 7);
  CHECK_FALSE(contains(all[5], -4));
  CHECK_FALSE(contains(all[3], 0.15));
  CHECK_FALSE(contains(all[7], 0.5));
  CHECK_FALSE(contains(all[0], not_a_number));
}

TEST_CASE("distributions that make no sense are refused", "[tune]") {
  using Catch::Contains;
  const auto message = [](const Distribution& d) -> std::string {
    try {
      checked("lr", d);
    } catch (const xgrad::Error& e) {
      return e.what();
    }
    return "";
  };
  CHECK(message(FloatDistribution{1, 0.1}) == "suggest_float: \"lr\": low 1 is above high 0.1");
  CHECK(message(FloatDistribution{not_a_number, 1}) == "suggest_float: \"lr\": the range nan to 1 is not finite");
  CHECK(message(FloatDistribution{0, inf}) == "suggest_float: \"lr\": the range 0 to inf is not finite");
  CHECK_THAT(message(FloatDistribution{-1.7e308, 1.7e308}), Contains("too wide"));
  CHECK(message(FloatDistribution{0, 1, log_scale}) == "suggest_float: \"lr\": a log scale needs low > 0, which is 0");
  CHECK(message(FloatDistribution{0, 1, log_one_minus}) ==
        "suggest_float: \"lr\": log_one_minus needs high < 1, which is 1");
  CHECK(message(FloatDistribution{0, 1, Scale::linear, 0.0}) == "suggest_float: \"lr\": step 0 is not above 0");
  CHECK(message(FloatDistribution{1, 2, log_scale, 0.1}) == "suggest_float: \"lr\": a step needs the linear scale");
  CHECK(message(IntDistribution{4, 1}) == "suggest_int: \"lr\": low 4 is above high 1");
  CHECK(message(IntDistribution{0, 4, log_scale}) == "suggest_int: \"lr\": a log scale needs low >= 1, which is 0");
  CHECK_THAT(message(IntDistribution{0, 4, log_one_minus}), Contains("log_one_minus"));
  CHECK(message(IntDistribution{0, 4, Scale::linear, 0}) == "suggest_int: \"lr\": step 0 is below 1");
  CHECK(message(IntDistribution{1, 4, log_scale, 2}) == "suggest_int: \"lr\": a step needs the linear scale");
  CHECK_THAT(message(IntDistribution{0, std::numeric_limits<std::int64_t>::max()}), Contains("beyond 2^53"));
  CHECK(message(choices({})) == "suggest_categorical: \"lr\": no choices");
  CHECK(message(choices({true, std::string("a"), true})) ==
        "suggest_categorical: \"lr\": choices 0 and 2 are the same");
  CHECK(message(choices({0.5, not_a_number})) == "suggest_categorical: \"lr\": choice 1 is NaN");
  CHECK(message(choices({0.5, inf})) == "suggest_categorical: \"lr\": choice 1 is infinite, which cannot be stored");
  CHECK(message(choices({std::string("\xff")})) ==
        "suggest_categorical: \"lr\": choice 0 is not UTF-8, and cannot be stored");
  CHECK(message(FloatDistribution{0, 1e300, Scale::linear, 1e-300}) ==
        "suggest_float: \"lr\": step 1e-300 is too small for the range 0 to 1e+300");
}

TEST_CASE("a history has trials by number, and tells what changed", "[tune]") {
  History history;
  history.put({.number = 0});
  history.put({.number = 1});
  const TrialRecord& first = history[0];
  history.change(0, [](TrialRecord& t) { t.intermediate[1] = 0.5; });
  CHECK(first.intermediate.at(1) == 0.5);
  history.put({.number = 1, .state = TrialState::complete});
  CHECK(history[1].state == TrialState::complete);
  const auto changes = history.changes(1);
  CHECK(std::vector(changes.begin(), changes.end()) == std::vector<std::int64_t>{1, 0, 1});
  CHECK(history.changes(history.changes_made()).empty());
  CHECK_THROWS_WITH(history.put({.number = 3}), "History::put: trial 3 after 2 trials: numbers have no gaps");
  CHECK_THROWS_WITH(history[2], "History: there is no trial 2 among 2");
}
