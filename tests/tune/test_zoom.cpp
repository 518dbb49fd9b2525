#include <xgrad/core/error.hpp>
#include <xgrad/tune/samplers/coarse_to_fine.hpp>
#include <xgrad/tune/trials/space.hpp>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "search.hpp"

using namespace xgrad::tune;

namespace {

struct Side {
  double low, high;
};

nlohmann::json logged(const Search& search, std::int64_t number) {
  return nlohmann::json::parse(search.history()[number].attributes.at("zoom"));
}

Side side(const Search& search, std::int64_t number, const std::string& name) {
  const auto box = logged(search, number)["box"];
  if (!box.contains(name)) return {0, 1};
  return {box[name][0], box[name][1]};
}

double best(const Search& search) {
  double least = search.history()[0].values[0];
  for (const TrialRecord& t : search.history()) least = std::min(least, t.values[0]);
  return least;
}

const FloatDistribution unit{0, 1};

template <class Objective>
Search searched(const Objective& objective, int trials, std::uint64_t seed, const CoarseToFine& zoom = {}) {
  Search search(zoom, seed);
  for (int i = 0; i < trials; ++i) search.run(objective);
  return search;
}

}  // namespace

TEST_CASE("CoarseToFine finds an optimum on a face", "[tune]") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto search = searched([](Search& t) { return t("x", unit) + 1 - t("y", unit); }, 80, seed);
    INFO("seed " << seed << ", box x " << side(search, 79, "x").low << " to " << side(search, 79, "x").high);
    CHECK(best(search) < 0.08);  // half of what is expected of 80 random draws
    CHECK(side(search, 79, "x").low < 0.02);
    CHECK(side(search, 79, "y").high > 0.98);
  }
}

TEST_CASE("CoarseToFine leaves the wrong one of two basins", "[tune]") {
  // A wide basin of depth 1, which looks best at first, and a narrow one of depth 2.
  const auto basins = [](Search& t) {
    const double x = t("x", unit), y = t("y", unit);
    const auto basin = [&](double a, double b, double width) {
      return std::exp(-((x - a) * (x - a) + (y - b) * (y - b)) / (2 * width * width));
    };
    return -basin(0.25, 0.25, 0.2) - 2 * basin(0.75, 0.8, 0.1);
  };
  int misled = 0, recovered = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto search = searched(basins, 160, seed);
    double first_round = 0;
    for (std::int64_t i = 0; i < 16; ++i) first_round = std::min(first_round, search.history()[i].values[0]);
    misled += first_round > -1;
    recovered += first_round > -1 && best(search) < -1.5;
  }
  CHECK(misled >= 10);
  CHECK(recovered >= 0.85 * misled);
}

TEST_CASE("CoarseToFine keeps a dimension wide that does not matter", "[tune]") {
  double idle = 0, x = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto search = searched(
        [](Search& t) {
          t("idle", unit);
          return std::pow(t("x", unit) - 0.3, 2) + std::pow(t("y", unit) - 0.6, 2);
        },
        64, seed);
    idle += (side(search, 63, "idle").high - side(search, 63, "idle").low) / 20;
    x += (side(search, 63, "x").high - side(search, 63, "x").low) / 20;
  }
  CHECK(idle > 0.6);
  CHECK(x < 0.3);
}

TEST_CASE("CoarseToFine logs the box that trials are drawn from", "[tune]") {
  const FloatDistribution lr{1e-5, 1, log_scale};
  const CategoricalDistribution act{{true, false}};
  const auto objective = [&](Search& t) {
    return std::pow(std::log10(t("lr", lr)) + 2, 2) + t("act", act) + 0 * t("k", IntDistribution{1, 64});
  };
  const auto search = searched(objective, 64, 5);
  int global = 0;
  double volume = 1;
  for (const TrialRecord& t : search.history()) {
    const auto zoom = logged(search, t.number);
    CHECK(zoom["round"] == t.number / 16);
    CHECK_FALSE(zoom["box"].contains("act"));
    const double u = warp(lr, t.parameters[0].value);
    const Side box = side(search, t.number, "lr");
    if (zoom["global"])
      ++global;
    else
      CHECK((u >= box.low - 1e-12 && u <= box.high + 1e-12));
    if (t.number % 16 == 0) {
      double now = 1;
      for (const char* name : {"lr", "k"}) now *= side(search, t.number, name).high - side(search, t.number, name).low;
      CHECK(now >= volume / 4 - 1e-12);
      volume = now;
    }
  }
  CHECK(volume < 0.25);
  CHECK(global == 12);  // floor(64 / 5)
}

TEST_CASE("CoarseToFine goes on after a restart as if there had been none", "[tune]") {
  const auto objective = [](Search& t) {
    const double x = t("x", unit);
    if (x > 0.9) t.end_as(TrialState::diverged);
    return std::abs(x - 0.2) + std::abs(t("y", unit) - 0.9);
  };
  Search search(CoarseToFine{}, 2);
  for (int i = 0; i < 100; ++i) {
    Search restarted(CoarseToFine{}, 2, search.history());
    REQUIRE(restarted.run(objective) == search.run(objective));
    REQUIRE(restarted.history()[i].attributes == search.history()[i].attributes);
  }
}

TEST_CASE("CoarseToFine takes no box that it did not write", "[tune]") {
  const auto objective = [](Search& t) { return std::abs(t("x", unit) - 0.2); };
  const auto search = searched(objective, 32, 2);
  for (const char* attribute :
       {"", "[]", "{\"since\": 9, \"box\": {}}", "{\"since\": -1, \"box\": {}}", "{\"since\": 0}",
        "{\"since\": 0, \"box\": {\"x\": [0.5]}}", "{\"since\": 0, \"box\": {\"x\": [0.5, 0.4]}}",
        "{\"since\": 0, \"box\": {\"x\": [\"a\", 2]}}", "{\"since\": 0, \"box\": {\"x\": [-1, 2]}}"}) {
    INFO(attribute);
    History history = search.history();
    for (std::int64_t i = 16; i < 32; ++i) history.change(i, [&](TrialRecord& t) { t.attributes["zoom"] = attribute; });
    Search other(CoarseToFine{}, 2, std::move(history));
    other.run(objective);  // of round 2, made from round 1, made from round 0
    const Side x = side(other, 32, "x");
    CHECK(logged(other, 32)["since"] == 0);
    CHECK(x.low <= 0.2);
    CHECK(x.high >= 0.2);
    CHECK(x.high - x.low < 0.5);
  }
}

TEST_CASE("CoarseToFine starts anew when two rounds brought nothing", "[tune]") {
  // Better than 1/32 there is nothing.
  const auto search = searched(
      [](Search& t) { return std::max(1.0 / 32, std::abs(t("x", unit) - 0.3) + std::abs(t("y", unit) - 0.6)); }, 192,
      3);
  std::int64_t first = 0, anew = 16;  // the first of the best trials, and the first trial after a new start
  while (search.history()[first].values[0] > 1.0 / 32) ++first;
  while (anew < 176 && logged(search, anew)["since"] == 0) anew += 16;
  CHECK(logged(search, anew)["since"] == anew / 16);
  CHECK(logged(search, anew)["box"].empty());
  CHECK(anew / 16 >= first / 16 + 3);
  const Side x = side(search, anew - 1, "x"), y = side(search, anew - 1, "y");
  CHECK((x.high - x.low) * (y.high - y.low) <= 1.0 / 64);
  CHECK_THROWS_WITH((CoarseToFine{.points = 12}.make(0)), "CoarseToFine: points 12 is not a power of 2");
  CHECK_THROWS_WITH((CoarseToFine{.top = 0}.make(0)), "CoarseToFine: top 0 is not in (0, 1]");
  CHECK_THROWS_WITH((CoarseToFine{.global = 1.5}.make(0)), "CoarseToFine: global 1.5 is not in [0, 1]");
}
