#include <xgrad/core/error.hpp>
#include <xgrad/tune/importance/importance.hpp>
#include <xgrad/tune/samplers/coarse_to_fine.hpp>
#include <xgrad/tune/samplers/grid.hpp>
#include <xgrad/tune/samplers/sobol.hpp>
#include <xgrad/tune/samplers/tpe.hpp>
#include <xgrad/tune/trials/ranking.hpp>
#include <xgrad/tune/trials/space.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "../catch.hpp"
#include "search.hpp"

using namespace xgrad::tune;

TEST_CASE("a Sobol sequence has one point in each dyadic cell", "[tune]") {
  const SobolSequence sequence(3);
  for (std::size_t d = 0; d < SobolSequence::dimensions; ++d)
    for (int m = 0; m <= 10; ++m) {
      std::set<int> cells;
      for (int i = 0; i < 1 << m; ++i) cells.insert(static_cast<int>(sequence(i, d) * (1 << m)));
      REQUIRE(cells.size() == std::size_t{1} << m);
    }
}

TEST_CASE("an unscrambled Sobol sequence is that of Joe and Kuo", "[tune]") {
  const SobolSequence sequence(0, false);
  // scipy.stats.qmc.Sobol(64, scramble=False).random(256)[200] * 256; scipy goes in the order of the Gray code.
  const std::vector<int> expected{53,  99,  105, 151, 209, 143, 7,   249, 85, 159, 255, 151, 79,  151, 25,  177,
                                  163, 217, 191, 45,  93,  77,  221, 69,  17, 97,  57,  201, 11,  135, 227, 23,
                                  59,  219, 239, 91,  219, 17,  221, 69,  53, 17,  227, 209, 249, 109, 51,  215,
                                  237, 13,  147, 89,  25,  25,  221, 233, 43, 189, 131, 227, 85,  243, 85,  91};
  for (std::size_t d = 0; d < 64; ++d) CHECK(static_cast<int>(sequence(200 ^ 100, d) * 256) == expected[d]);
  CHECK_THROWS_WITH(sequence(0, 64), "SobolSequence: dimension 64 of 64");
  CHECK_THROWS_WITH(sequence(-1, 0), "SobolSequence: point -1 is below 0");
}

TEST_CASE("Sobol trials spread each parameter, in whichever order workers take them", "[tune]") {
  std::set<int> x, y;
  std::vector<double> upwards, downwards;
  for (const bool up : {true, false}) {
    const auto sampler = Sobol{}.make(9);
    for (std::int64_t i = 0; i < 32; ++i) {
      TrialRecord trial{.number = up ? i : 31 - i};
      const double a = sampler->suggest(History(), trial, "x", FloatDistribution{0, 32});
      trial.parameters.push_back({"x", FloatDistribution{0, 32}, a});
      const double b = sampler->suggest(History(), trial, "y", IntDistribution{1, 32});
      x.insert(static_cast<int>(a));
      y.insert(static_cast<int>(b));
      (up ? upwards : downwards).push_back(a);
    }
  }
  std::reverse(downwards.begin(), downwards.end());
  CHECK(upwards == downwards);
  CHECK(x.size() == 32);
  CHECK(y.size() == 32);
}

TEST_CASE("Grid gives every combination once", "[tune]") {
  const Grid grid{{{"lr", {1e-3, 1e-2}},
                   {"layers", {std::int64_t{1}, std::int64_t{3}}},
                   {"act", {std::string("relu"), true, 0.5}}}};
  const CategoricalDistribution activations{{0.5, std::string("relu"), true}};
  CHECK(grid.size() == 12);
  Search search(grid, 1);
  std::set<std::vector<double>> seen;
  for (int i = 0; i < 12; ++i)
    search.run([&](Search& t) {
      const double free = t("free", FloatDistribution{0, 1});
      seen.insert(
          {t("lr", FloatDistribution{1e-4, 1, log_scale}), t("layers", IntDistribution{1, 4}), t("act", activations)});
      return free;
    });
  CHECK(seen.size() == 12);
  CHECK(seen.begin()->at(0) == 1e-3);
  CHECK(search.history()[0].parameters[3].value == 1);  // relu
  CHECK(search.history()[1].parameters[3].value == 2);
  CHECK(search.history()[3].parameters[2].value == 3);

  CHECK_THROWS_WITH(Search(grid, 1).run([](Search& t) {
    return t("lr", FloatDistribution{1e-2, 1});
  }),
                    "Grid: \"lr\": 0.001 is not a value of its distribution");
  CHECK_THROWS_WITH(Grid{}.make(0), "Grid: no axes");
  CHECK_THROWS_WITH((Grid{{{"a", {}}}}.make(0)), "Grid: \"a\" has no values");
  CHECK_THROWS_WITH((Grid{{{"a", {1.0}}, {"a", {2.0}}}}.make(0)), "Grid: \"a\" is given twice");
}

namespace {

// Conditional parameters, and trials that end in every way.
double eventful(Search& t) {
  const double kind = t("kind", CategoricalDistribution{{std::string("a"), std::string("b")}});
  const double lr = t("lr", FloatDistribution{1e-4, 1, log_scale});
  double value = std::pow(std::log10(lr) + 2, 2) + kind;
  if (kind == 0) value += t("depth", IntDistribution{1, 9});
  if (kind == 1) value += t("rate", FloatDistribution{0, 1, Scale::linear, 0.25});
  const auto number = t.history().size() - 1;
  if (number % 7 == 2) t.end_as(TrialState::pruned);
  if (number % 7 == 4) t.end_as(TrialState::failed);
  if (number % 11 == 5) t.end_as(TrialState::diverged);
  if (number % 13 == 6) t.end_as(TrialState::paused);
  if (number % 17 == 8) t.end_as(TrialState::running);
  t.report(number % 3, value);
  return value;
}

}  // namespace

TEST_CASE("TPE decides from the history alone", "[tune]") {
  for (const std::optional<bool> multivariate : {std::optional<bool>(), std::optional(false)}) {
    const TPE tpe{.multivariate = multivariate};
    Search search(tpe, 4);
    for (int i = 0; i < 150; ++i) {
      search.run(eventful);
      if (i % 10 == 3 && i > 30) {  // a paused or running trial from before ends
        search.edit(i - 20, [](TrialRecord& t) {
          t.state = TrialState::complete;
          t.values = {t.intermediate.rbegin()->second};
        });
      }
    }
    // A sampler that sees the finished history at once draws what the one that followed it draws.
    Search restarted(tpe, 4, search.history());
    CHECK(restarted.run(eventful) == search.run(eventful));
    const auto &a = search.history()[150].parameters, &b = restarted.history()[150].parameters;
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i].value == b[i].value);
    CHECK(Search(tpe, 5, search.history()).run(eventful) != restarted.history()[150].values.at(0));
  }
}

TEST_CASE("TPE maximises as it minimises", "[tune]") {
  const auto objective = [](double sign) {
    return [sign](Search& t) { return sign * std::pow(t("x", FloatDistribution{0, 1}) - 0.3, 2); };
  };
  Search down(TPE{}, 1, History({minimize})), up(TPE{}, 1, History({maximize}));
  for (int i = 0; i < 60; ++i) REQUIRE(down.run(objective(1)) == -up.run(objective(-1)));
}

TEST_CASE("TPE draws at random first, as Random does", "[tune]") {
  Search tpe(TPE{.startup_trials = 5}, 1), random(Random{}, 1);
  const auto objective = [](Search& t) { return t("x", FloatDistribution{0, 1}); };
  for (int i = 0; i < 5; ++i) CHECK(tpe.run(objective) == random.run(objective));
  CHECK(tpe.run(objective) != random.run(objective));
  CHECK_THROWS_WITH(TPE{.candidates = 0}.make(0), "TPE: candidates 0 is below 1");
  CHECK_THROWS_WITH(TPE{.startup_trials = -1}.make(0), "TPE: startup_trials -1 is below 0");
}

TEST_CASE("a trial without parameters does not keep TPE from drawing them together", "[tune]") {
  const auto objective = [](Search& t) { return t("x", FloatDistribution{0, 1}) + t("y", FloatDistribution{0, 1}); };
  Search search(TPE{}, 1);
  search.run([](Search&) { return 1.0; });
  for (int i = 0; i < 20; ++i) search.run(objective);
  Search apart(TPE{.multivariate = false}, 1, search.history());
  CHECK(search.run(objective) != apart.run(objective));
}

TEST_CASE("TPE learns from trials that diverged", "[tune]") {
  // The loss falls towards 0.6, beyond which training diverges.
  const auto diverging = [](Search& t) {
    const double x = t("x", FloatDistribution{0, 1});
    if (x > 0.6) t.end_as(TrialState::diverged);
    return x > 0.6 ? std::numeric_limits<double>::quiet_NaN() : 1 - x;
  };
  const auto unseen = [&](Search& t) {
    const double value = diverging(t);
    if (std::isnan(value)) t.end_as(TrialState::failed);
    return value;
  };
  const auto wasted = [](const auto& objective) {
    int count = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      Search search(TPE{}, seed);
      for (int i = 0; i < 60; ++i) count += std::isnan(search.run(objective)) && i >= 20;
    }
    return count;
  };
  CHECK(wasted(diverging) < 0.75 * wasted(unseen));

  // None of them is a good example, even if there is nothing else.
  Search search(TPE{}, 1);
  for (int i = 0; i < 30; ++i)
    search.run([](Search& t) {
      t.end_as(TrialState::diverged);
      return t("x", FloatDistribution{0, 1});
    });
  CHECK(search.history().size() == 30);
}

TEST_CASE("TPE keeps away from what is running", "[tune]") {
  double nearest = 1;
  Search search(TPE{}, 3);
  const auto x = [](Search& t) { return t("x", FloatDistribution{0, 1}); };
  for (int i = 0; i < 30; ++i) search.run([&](Search& t) { return std::abs(x(t) - 0.5); });
  std::vector<double> asked;
  for (int i = 0; i < 8; ++i)
    asked.push_back(search.run([&](Search& t) {
      t.end_as(TrialState::running);
      return x(t);
    }));
  std::sort(asked.begin(), asked.end());
  for (std::size_t i = 1; i < asked.size(); ++i) nearest = std::min(nearest, asked[i] - asked[i - 1]);
  CHECK(asked.back() - asked.front() > 0.1);
  CHECK(nearest > 0);
}

TEST_CASE("trials stand in the order complete, further, diverged", "[tune]") {
  const double inf = std::numeric_limits<double>::infinity();
  const auto trial = [](std::int64_t number, TrialState state, std::vector<double> values,
                        std::map<std::int64_t, double> reports) {
    return TrialRecord{
        .number = number, .state = state, .values = std::move(values), .intermediate = std::move(reports)};
  };
  const std::vector<TrialRecord> best_first{trial(8, TrialState::complete, {0.9}, {}),
                                            trial(3, TrialState::complete, {0.1}, {}),
                                            trial(4, TrialState::complete, {0.1}, {{1, 0.7}}),
                                            trial(5, TrialState::paused, {}, {{1, 0.2}, {9, 0.1}}),
                                            trial(6, TrialState::pruned, {}, {{3, 0.8}}),
                                            trial(7, TrialState::pruned, {}, {{3, 0.7}}),
                                            trial(1, TrialState::pruned, {}, {}),
                                            trial(0, TrialState::complete, {inf}, {}),
                                            trial(2, TrialState::diverged, {}, {{9, 0.9}})};
  for (std::size_t i = 1; i < best_first.size(); ++i) {
    INFO(i);
    CHECK(rank_of(best_first[i - 1], maximize) < rank_of(best_first[i], maximize));
  }
  CHECK(rank_of(best_first[1], minimize) < rank_of(best_first[0], minimize));
  CHECK_FALSE(rank_of(trial(0, TrialState::running, {}, {{1, 0.5}}), minimize));
  CHECK_FALSE(rank_of(trial(0, TrialState::failed, {1}, {}), minimize));
}

TEST_CASE("the Pareto front has the trials that none dominates", "[tune]") {
  History history({minimize, maximize});
  const auto add = [&](std::vector<double> values, TrialState state = TrialState::complete) {
    history.put({.number = history.size(), .state = state, .values = std::move(values)});
  };
  add({1, 1});
  add({2, 3});
  add({2, 2});  // dominated by 1
  add({3, 3});  // dominated by 1
  add({0, -5});
  add({1, 1});  // equal to 0
  add({-1, 9}, TrialState::pruned);
  add({-1, std::numeric_limits<double>::quiet_NaN()});
  CHECK(pareto_front(history) == std::vector<std::int64_t>{0, 1, 4, 5});

  const std::vector<std::vector<double>> points{{0, 4}, {1, 2}, {2, 1.9}, {4, 0}, {4, 4}, {3, 3}};
  const auto best = [&](std::size_t wanted) {
    auto list = best_fronts(points, wanted);
    std::sort(list.begin(), list.end());
    return list;
  };
  CHECK(best(2) == std::vector<std::size_t>{0, 3});
  CHECK(best(3) == std::vector<std::size_t>{0, 2, 3});  // crowding: of 1 1/2 + 2.1/4, of 2 3/4 + 2/4
  CHECK(best(4) == std::vector<std::size_t>{0, 1, 2, 3});
  CHECK(best(5) == std::vector<std::size_t>{0, 1, 2, 3, 5});
  CHECK(best(9).size() == 6);
}

TEST_CASE("TPE searches the Pareto front of several objectives", "[tune]") {
  // Both objectives are good on the segment from (0, 0) to (1, 0) alone.
  const auto objective = [](Search& t) {
    const double x = t("x", FloatDistribution{-4, 4}), y = t("y", FloatDistribution{-4, 4});
    t.also({(x - 1) * (x - 1) + y * y});
    return x * x + y * y;
  };
  const auto near_segment = [&](const AnySampler& sampler) {
    int near = 0;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      Search search(sampler, seed, History({minimize, minimize}));
      for (int i = 0; i < 100; ++i) search.run(objective);
      for (const TrialRecord& t : search.history())
        near += std::abs(t.parameters[1].value) < 0.5 && std::abs(t.parameters[0].value - 0.5) < 1;
    }
    return near;
  };
  CHECK(near_segment(TPE{}) > 5 * near_segment(Random{}));
}

TEST_CASE("ranges whose ends are the same on their scale give their low end", "[tune]") {
  const auto beyond = [](double x) { return std::nextafter(x, 2 * x); };
  const Distribution narrow[] = {FloatDistribution{0.1, beyond(0.1), Scale::log},
                                 FloatDistribution{-beyond(1e300), -1e300, Scale::log_one_minus},
                                 FloatDistribution{0, 5e-324}, FloatDistribution{0.5, 0.5, Scale::log}};
  for (const AnySampler& sampler : {AnySampler(Random{}), AnySampler(Sobol{}), AnySampler(TPE{}),
                                    AnySampler(TPE{.multivariate = false}), AnySampler(CoarseToFine{})}) {
    Search search(sampler, 1);
    for (int i = 0; i < 60; ++i)
      search.run([&](Search& trial) {
        double sum = trial("free", FloatDistribution{0, 1});
        for (std::size_t k = 0; k < std::size(narrow); ++k) {
          const double value = trial("x" + std::to_string(k), narrow[k]);
          CHECK(value == std::get<FloatDistribution>(narrow[k]).low);
          CHECK(warp(narrow[k], value) == 0.5);
        }
        return sum;
      });
    for (const auto& [name, share] : importance(search.history())) CHECK(share == (name == "free" ? 1 : 0));
  }
  // Ends whose middle is beyond the largest number, and ends that are hardly apart.
  for (const FloatDistribution& range :
       {FloatDistribution{1e308, 1.7e308}, FloatDistribution{0.1, beyond(beyond(beyond(0.1)))},
        FloatDistribution{1, beyond(1), Scale::log}, FloatDistribution{0, 1e-299},
        FloatDistribution{1e-20, beyond(1e-20), Scale::log_one_minus}})
    for (const AnySampler& sampler : {AnySampler(Random{}), AnySampler(TPE{}), AnySampler(CoarseToFine{})}) {
      Search search(sampler, 1);
      for (int i = 0; i < 60; ++i)
        search.run([&](Search& trial) {
          const double value = trial("x", range);
          CHECK(contains(range, value));
          return trial("y", FloatDistribution{0, 1});
        });
    }
}
