#include <xgrad/core/error.hpp>
#include <xgrad/tune/pruners/asha.hpp>
#include <xgrad/tune/pruners/median.hpp>
#include <xgrad/tune/pruners/patience.hpp>
#include <xgrad/tune/pruners/pbt.hpp>
#include <xgrad/tune/pruners/percentile.hpp>
#include <xgrad/tune/pruners/rungs.hpp>
#include <xgrad/tune/pruners/threshold.hpp>
#include <xgrad/tune/pruners/wilcoxon.hpp>
#include <xgrad/tune/trials/space.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "../catch.hpp"

using namespace xgrad::tune;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

// A study with one worker that only keeps the books: the n-th report of trial i is curve(i, n), trials have `epochs`.
struct Books {
  History history;
  std::unique_ptr<Pruner> pruner;
  int epochs;
  std::vector<std::int64_t> log = {};                   // which trial was run, in the order of the reports
  std::map<std::int64_t, std::int64_t> forked_at = {};  // step of the checkpoint at which a trial began

  template <class Curve>
  void run(std::int64_t trials, const Curve& curve) {
    while (true) {
      const bool may_begin = history.size() < trials;
      const auto start = pruner->next(history, may_begin);
      if (!start && !may_begin) return;
      std::int64_t number = history.size();
      if (start && !start->fork) {
        number = start->source;
        history.change(number, [](TrialRecord& t) { t.state = TrialState::running; });
      } else {
        history.put({.number = number});
        if (start) forked_at[number] = *history[start->source].checkpoint;
        if (start && start->replaces)
          history.change(*start->replaces, [](TrialRecord& t) { t.state = TrialState::pruned; });
      }
      while (history[number].state == TrialState::running) report(number, curve);
    }
  }

  template <class Curve>
  void report(std::int64_t number, const Curve& curve) {
    const auto step = forked_at[number] + static_cast<std::int64_t>(history[number].intermediate.size()) + 1;
    const double value = curve(number, step);
    log.push_back(number);
    history.change(number, [&](TrialRecord& t) {
      t.intermediate[step] = value;
      t.checkpoint = step;
    });
    const Decision decision = pruner->report(history, number);
    history.change(number, [&](TrialRecord& t) {
      if (decision == Decision::prune) t.state = TrialState::pruned;
      if (decision == Decision::pause) t.state = TrialState::paused;
      if (step == epochs || std::isnan(value))
        t.state = std::isnan(value) ? TrialState::diverged : TrialState::complete;
    });
  }

  std::vector<std::size_t> reports() const {
    std::vector<std::size_t> counts;
    for (const TrialRecord& t : history) counts.push_back(t.intermediate.size());
    return counts;
  }
};

double by_number(std::int64_t number, std::int64_t) { return static_cast<double>(number); }

}  // namespace

TEST_CASE("ASHA promotes the best third of a rung, from the top", "[tune]") {
  // Each trial is better than all before it, so from the third on it is the best third of rung 0, and from the fifth
  // on, when three are in rung 1, also of that.
  Books books{History({maximize}), ASHA{}.make(0), 9};
  books.run(6, by_number);
  CHECK(books.log ==
        std::vector<std::int64_t>{0, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5});
  CHECK(books.history[3].state == TrialState::paused);
  CHECK(books.history[5].state == TrialState::complete);

  // Each is worse: trial 0 goes on when two others were there, 1 when there are six in the rung, 2 when nine.
  Books falling{History({minimize}), ASHA{}.make(0), 9};
  falling.run(9, by_number);
  CHECK(falling.log == std::vector<std::int64_t>{0, 1, 2, 0, 0, 3, 4, 5, 1, 1, 6, 7, 8, 2, 2, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("ASHA's epochs are those of successive halving", "[tune]") {
  Books books{History({minimize}), ASHA{.eta = 3}.make(0), 9};
  books.run(60, [](std::int64_t number, std::int64_t) { return static_cast<double>(number * 37 % 61); });
  const auto counts = books.reports();
  CHECK(std::count_if(counts.begin(), counts.end(), [](auto n) { return n >= 1; }) == 60);
  CHECK(std::count_if(counts.begin(), counts.end(), [](auto n) { return n >= 3; }) >= 20);
  CHECK(std::count_if(counts.begin(), counts.end(), [](auto n) { return n >= 9; }) >= 6);
  CHECK(books.log.size() < 0.3 * 60 * 9);
  const auto best = std::min_element(books.history.begin(), books.history.end(), [](const auto& a, const auto& b) {
    return a.intermediate.at(1) < b.intermediate.at(1);
  });
  CHECK(best->state == TrialState::complete);
}

TEST_CASE("ASHA decides from the history alone", "[tune]") {
  const auto noise = [](std::int64_t number, std::int64_t step) {
    const auto x = static_cast<double>(number * 7919 % 101 + step * 31 % 17);
    return number % 10 == 3 && step == 2 ? not_a_number : x;
  };
  Books books{History({minimize}), ASHA{.eta = 2}.make(0), 16};
  for (int trials = 1; trials <= 80; ++trials) {
    books.run(trials, noise);
    const auto a = books.pruner->next(books.history, true), b = ASHA{.eta = 2}.make(0)->next(books.history, true);
    REQUIRE(a.has_value() == b.has_value());
    if (a) REQUIRE(a->source == b->source);
  }
  const auto counts = books.reports();
  CHECK(*std::max_element(counts.begin(), counts.end()) == 16);
}

TEST_CASE("the stopping ASHA prunes what is not in the best third so far", "[tune]") {
  Books books{History({maximize}), ASHA{.stopping = true}.make(0), 9};
  const std::vector<double> values{5, 4, 6, 3, 7, 6.5};
  books.run(6, [&](std::int64_t number, std::int64_t) { return values[static_cast<std::size_t>(number)]; });
  // 0: alone. 1: best floor(2 / 3) = 0, and not the best of all. 2, 4: the best. 5: second of six.
  CHECK(books.reports() == std::vector<std::size_t>{9, 1, 9, 1, 9, 3});
  CHECK(books.history[5].state == TrialState::pruned);
  CHECK(books.history[4].state == TrialState::complete);
}

TEST_CASE("rungs rank as sorting does", "[tune]") {
  Rungs rungs(1, 3, 81, minimize);
  CHECK(rungs.size() == 5);
  CHECK(rungs.at_rung(27) == 3);
  CHECK_FALSE(rungs.at_rung(28));
  History history;
  std::vector<std::pair<double, std::int64_t>> paused, all;
  for (std::int64_t i = 0; i < 300; ++i) {
    const double value = static_cast<double>(i * 7919 % 211);
    const bool diverged = i % 9 == 4, running = i % 5 == 2;
    TrialRecord trial{.number = i, .state = TrialState::paused, .intermediate = {{0, diverged ? not_a_number : value}}};
    if (running) trial.state = TrialState::running;
    if (diverged) trial.state = TrialState::diverged;
    rungs.update(trial);
    all.push_back({diverged ? std::numeric_limits<double>::infinity() : value, i});
    std::sort(all.begin(), all.end());
    std::optional<std::int64_t> expected;
    for (std::size_t k = 0; k < all.size() / 3 && !expected; ++k)
      if (all[k].second % 5 != 2 && all[k].second % 9 != 4) expected = all[k].second;
    REQUIRE(rungs.promotable() == expected);
    for (std::size_t k = 0; k < all.size(); ++k)
      REQUIRE(rungs.survives(all[k].second, 0) == (k < std::max<std::size_t>(1, all.size() / 3)));
  }
  // A report that is taken back, as by a trial that goes back to its checkpoint.
  const std::int64_t best = *rungs.promotable();
  rungs.update({.number = best});
  CHECK(rungs.promotable() != best);
}

TEST_CASE("a trial that diverges before a rung counts as worst in it", "[tune]") {
  Rungs rungs(3, 3, 27, minimize);
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto value = static_cast<double>(i);
    rungs.update({.number = i, .state = TrialState::paused, .intermediate = {{0, 9}, {1, 9}, {2, value}}});
  }
  CHECK_FALSE(rungs.survives(1, 0));  // floor(5 / 3) = 1
  rungs.update({.number = 5, .state = TrialState::diverged, .intermediate = {{0, -9}}});
  CHECK(rungs.survives(1, 0));
  CHECK_FALSE(rungs.survives(5, 0));
  rungs.update({.number = 5, .state = TrialState::failed, .intermediate = {{0, -9}}});
  CHECK_FALSE(rungs.survives(1, 0));
}

TEST_CASE("Hyperband's brackets", "[tune]") {
  CHECK(Hyperband{.max_reports = 81}.brackets() == std::vector<std::int64_t>{81, 34, 15, 8, 5});
  CHECK(Hyperband{.max_reports = 243}.brackets().size() == 6);
  CHECK(Hyperband{.max_reports = 242}.brackets().size() == 5);
  CHECK(Hyperband{.max_reports = 1}.brackets() == std::vector<std::int64_t>{1});
  CHECK(Hyperband{.max_reports = 9}.brackets() == std::vector<std::int64_t>{9, 5, 3});

  const Hyperband hyperband{.max_reports = 81};
  std::vector<int> counts(5);
  for (std::int64_t i = 143; i < 286; ++i) ++counts[static_cast<std::size_t>(hyperband.bracket(i))];
  CHECK(counts == std::vector<int>{5, 8, 15, 34, 81});
  counts.assign(5, 0);
  for (std::int64_t i = 0; i < 15; ++i) ++counts[static_cast<std::size_t>(hyperband.bracket(i))];
  CHECK(counts[4] >= 8);
  CHECK(counts[3] >= 3);

  CHECK_THROWS_WITH((Hyperband{.max_reports = 9, .eta = 1}.make(0)), "Hyperband: eta 1 is below 2");
  CHECK_THROWS_WITH((Hyperband{.max_reports = 0}.make(0)), "Hyperband: max_reports 0 is below 1");
  CHECK_THROWS_WITH((ASHA{.eta = 1}.make(0)), "ASHA: eta 1 is below 2");
  CHECK_THROWS_WITH((ASHA{.first = 0}.make(0)), "ASHA: first 0 is below 1");
}

TEST_CASE("Hyperband pauses each bracket at its own rungs", "[tune]") {
  const Hyperband hyperband{.max_reports = 9};
  Books books{History({minimize}), hyperband.make(0), 9};
  books.run(17, by_number);
  for (const TrialRecord& t : books.history) {
    INFO("trial " << t.number << " in bracket " << hyperband.bracket(t.number));
    const auto n = t.intermediate.size();
    const std::size_t first = hyperband.bracket(t.number) == 2 ? 1 : hyperband.bracket(t.number) == 1 ? 3 : 9;
    CHECK(n >= first);
    CHECK((n == 1 || n == 3 || n == 9));
    CHECK((t.state == TrialState::complete) == (n == 9));
  }
  // Bracket 2: of 9 trials 3 go on to 3 epochs, 1 to 9; bracket 1: of 5 one; bracket 0: all 3.
  CHECK(books.log.size() == 9 + 3 * 2 + 6 + 5 * 3 + 6 + 3 * 9);
}

TEST_CASE("Median prunes what is worse than the median of complete trials", "[tune]") {
  Books books{History({minimize}), Median{.startup_trials = 3}.make(0), 3};
  const std::vector<std::vector<double>> curves{{9, 5, 1},   {8, 6, 2},   {7, 7, 3},           {6, 6.1, 6.1},
                                                {8.5, 6, 7}, {7.5, 6, 2}, {not_a_number, 9, 9}};
  const auto curve = [&](std::int64_t number, std::int64_t step) {
    return curves[static_cast<std::size_t>(number)][static_cast<std::size_t>(step - 1)];
  };
  books.run(6, curve);
  // 0 to 2: start-up. 3: its best, 6, is above the median 2 at step 3. 4: 8.5 > 7.5. 5: never strictly worse.
  CHECK(books.reports() == std::vector<std::size_t>{3, 3, 3, 3, 1, 3});
  CHECK(books.pruner->report(books.history, 3) == Decision::prune);
  CHECK(books.pruner->report(books.history, 4) == Decision::prune);
  CHECK(books.pruner->report(books.history, 5) == Decision::go_on);
  books.history.put({.number = 6, .intermediate = {{1, not_a_number}}});
  CHECK(books.pruner->report(books.history, 6) == Decision::prune);
  books.history.put({.number = 7, .intermediate = {{20, 1e9}}});  // nobody else came so far
  CHECK(books.pruner->report(books.history, 7) == Decision::go_on);

  const auto decide = [&](const Median& median, std::map<std::int64_t, double> reports) {
    History history({maximize});
    for (std::int64_t i = 0; i < 5; ++i)
      history.put(
          {.number = i, .state = TrialState::complete, .intermediate = {{1, 0.5}, {2, 0.6}, {3, 0.6}, {4, 0.7}}});
    history.put({.number = 5, .intermediate = std::move(reports)});
    return median.make(0)->report(history, 5);
  };
  CHECK(decide({}, {{1, 0.4}}) == Decision::prune);
  CHECK(decide({}, {{1, 0.5}}) == Decision::go_on);
  CHECK(decide({}, {{1, 0.9}, {2, 0.1}}) == Decision::go_on);
  CHECK(decide({.startup_trials = 6}, {{1, 0.4}}) == Decision::go_on);
  CHECK(decide({.warmup_steps = 2}, {{1, 0.4}}) == Decision::go_on);
  CHECK(decide({.warmup_steps = 2}, {{2, 0.4}}) == Decision::prune);
  CHECK(decide({.interval = 3}, {{1, 0.4}, {2, 0.4}}) == Decision::go_on);
  CHECK(decide({.interval = 3}, {{2, 0.4}, {4, 0.4}}) == Decision::prune);
  CHECK_THROWS_WITH((Median{.interval = 0}.make(0)), "Median: interval 0 is below 1");
}

TEST_CASE("Patience and Threshold", "[tune]") {
  const auto decide = [](const AnyPruner& pruner, std::vector<double> reports, Direction direction = minimize) {
    History history({direction});
    history.put({.number = 0});
    for (std::size_t i = 0; i < reports.size(); ++i)
      history.change(0, [&](TrialRecord& t) { t.intermediate[static_cast<std::int64_t>(i)] = reports[i]; });
    return pruner.make(0)->report(history, 0);
  };
  CHECK(decide(Patience{.patience = 1}, {1, 2}) == Decision::go_on);
  CHECK(decide(Patience{.patience = 1}, {1, 2, 2}) == Decision::prune);
  CHECK(decide(Patience{.patience = 1}, {1, 2, 1}) == Decision::go_on);
  CHECK(decide(Patience{.patience = 1, .min_delta = 1}, {1, 2, 2}) == Decision::go_on);
  CHECK(decide(Patience{.patience = 1, .min_delta = 0.9}, {1, 2, 2}) == Decision::prune);
  CHECK(decide(Patience{.patience = 1}, {1, 2, 2}, maximize) == Decision::go_on);
  CHECK(decide(Patience{.patience = 1}, {2, 1, 1}, maximize) == Decision::prune);
  CHECK(decide(Patience{.patience = 0}, {1, not_a_number}) == Decision::go_on);
  CHECK(decide(Patience{.patience = 1, .then = Threshold{.upper = 5}}, {1, 2, 2}) == Decision::go_on);
  CHECK(decide(Patience{.patience = 1, .then = Threshold{.upper = 5}}, {1, 2, 6}) == Decision::prune);
  CHECK(decide(Patience{.patience = 2, .then = Threshold{.upper = 5}}, {1, 2, 6}) == Decision::go_on);
  CHECK_THROWS_WITH((Patience{.patience = -1}.make(0)), "Patience: patience -1 is below 0");

  CHECK(decide(Threshold{.lower = 0, .upper = 1}, {2, 1}) == Decision::go_on);
  CHECK(decide(Threshold{.lower = 0, .upper = 1}, {1.1}) == Decision::prune);
  CHECK(decide(Threshold{.lower = 0, .upper = 1}, {-0.1}) == Decision::prune);
  CHECK(decide(Threshold{}, {not_a_number}) == Decision::prune);
  CHECK(decide(Threshold{.upper = 1, .warmup_steps = 2}, {9, 9}) == Decision::go_on);
  CHECK(decide(Threshold{.upper = 1, .warmup_steps = 2}, {9, 9, 9}) == Decision::prune);
  CHECK_THROWS_WITH((Threshold{.lower = 2, .upper = 1}.make(0)), "Threshold: lower 2 is not below upper 1");
  CHECK(decide(None{}, {not_a_number}) == Decision::go_on);
}

namespace {

// Eight paused members of a population; a smaller last value is better.
History population(std::vector<double> values) {
  const FloatDistribution lr{1e-4, 1, log_scale};
  const CategoricalDistribution act{{true, false}};
  History history;
  for (const double value : values) {
    const auto number = history.size();
    history.put({.number = number,
                 .state = TrialState::paused,
                 .parameters = {{"lr", lr, unwarp(lr, 0.5)}, {"act", act, 1}},
                 .intermediate = {{0, 1}, {1, value}},
                 .checkpoint = 1});
  }
  return history;
}

}  // namespace

TEST_CASE("PBT trains a population in turns and copies the best over the worst", "[tune]") {
  const PBT pbt{.population = 8, .resample = 0};
  const auto pruner = pbt.make(1);
  History history = population({7, 1, 2, 3, 4, 5, 6, 0});

  // All are equally far, so trial 0 is next, which is the worst: a fork of 7 or 1 replaces it.
  const auto start = pruner->next(history, true);
  REQUIRE(start);
  CHECK(start->fork);
  CHECK((start->source == 7 || start->source == 1));
  CHECK(start->replaces == 0);
  CHECK(start->attributes.at("parent") == std::to_string(start->source));
  const double u = warp(FloatDistribution{1e-4, 1, log_scale}, start->parameters.at("lr"));
  CHECK(std::abs(u - 0.5) == Approx(0.2));
  CHECK(start->parameters.at("act") == 1);
  CHECK(pbt.make(1)->next(history, true)->parameters == start->parameters);  // after a restart

  SECTION("no more trials: it goes on") {
    const auto end = pruner->next(history, false);
    CHECK(end->source == 0);
    CHECK_FALSE(end->fork);
  }
  SECTION("only what has a checkpoint is copied, and what is not at its end") {
    history.change(7, [](TrialRecord& t) { t.checkpoint.reset(); });
    CHECK(pruner->next(history, true)->source == 1);
    history.change(1, [](TrialRecord& t) { t.state = TrialState::complete; });
    const auto none = pruner->next(history, true);
    CHECK(none->source == 0);
    CHECK_FALSE(none->fork);
  }
  SECTION("members in the middle go on, the least far first") {
    history.change(0, [](TrialRecord& t) { t.intermediate[2] = 9; });
    const auto one = pruner->next(history, true);
    CHECK(one->source == 1);
    CHECK_FALSE(one->fork);
    history.change(3, [](TrialRecord& t) { t.intermediate.erase(1); });
    CHECK(pruner->next(history, true)->source == 3);
  }
  SECTION("NaN is worst, and a diverged member is made up for") {
    history.change(4, [](TrialRecord& t) { t.intermediate[1] = not_a_number, t.state = TrialState::diverged; });
    const auto fork = pruner->next(history, true);
    CHECK(fork->fork);
    CHECK_FALSE(fork->replaces);
  }
  SECTION("the population fills first") {
    const History small = population({1, 2, 3});
    CHECK_FALSE(pruner->next(small, true));
  }
}

TEST_CASE("PBT changes only the parameters it may", "[tune]") {
  const History history = population({7, 1, 2, 3, 4, 5, 6, 0});
  const auto kept = PBT{.resample = 0, .parameters = {"act"}}.make(1)->next(history, true);
  CHECK(kept->parameters.at("lr") == unwarp(FloatDistribution{1e-4, 1, log_scale}, 0.5));
  int fresh = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const double u =
        warp(FloatDistribution{1e-4, 1, log_scale}, PBT{}.make(seed)->next(history, true)->parameters.at("lr"));
    fresh += std::abs(std::abs(u - 0.5) - 0.2) > 1e-9;
  }
  CHECK(fresh / 400.0 == Approx(0.25).margin(0.065));  // three standard deviations
  CHECK_THROWS_WITH((PBT{.population = 1}.make(0)), "PBT: population 1 is below 2");
  CHECK_THROWS_WITH((PBT{.quantile = 0.6}.make(0)), "PBT: quantile 0.6 is not in (0, 0.5]");
}

TEST_CASE("a PBT study trains every survivor to its end", "[tune]") {
  Books books{History({minimize}), PBT{.population = 4, .interval = 2}.make(3), 8};
  books.run(5, [](std::int64_t number, std::int64_t step) { return static_cast<double>((number * 7 + step) % 13); });
  // Trial 3 is worst when the others are at 6 steps; 1 is best then.
  CHECK(books.history[3].state == TrialState::pruned);
  CHECK(books.history[3].intermediate.rbegin()->first == 4);
  CHECK(books.history[4].intermediate.begin()->first == 7);
  const auto ended = [&](TrialState state) {
    return std::count_if(books.history.begin(), books.history.end(), [&](const auto& t) { return t.state == state; });
  };
  CHECK(ended(TrialState::complete) == 4);
  CHECK(books.log.size() == 3 * 8 + 4 + 2);
}

TEST_CASE("tune: Percentile prunes at numpy's percentile, once enough trials are at the step") {
  History history;
  for (int i = 0; i < 5; ++i)
    history.put({.number = i, .state = TrialState::complete, .values = {1.0 * i}, .intermediate = {{1, 1.0 * i}}});
  const auto decide = [&](const AnyPruner& options, double value, std::int64_t step) {
    History now = history;
    now.put({.number = 5, .intermediate = {{step, value}}});
    return options.make(0)->report(now, 5);
  };
  // numpy.percentile([0, 1, 2, 3, 4], 30) = 1.2
  CHECK(decide(Percentile{30}, 1.19, 1) == Decision::go_on);
  CHECK(decide(Percentile{30}, 1.21, 1) == Decision::prune);
  CHECK(decide(Percentile{.percentile = 30, .min_trials = 6}, 9, 1) == Decision::go_on);
  CHECK(decide(Median{.min_trials = 5}, 2.1, 1) == Decision::prune);
  CHECK(decide(Median{.min_trials = 6}, 2.1, 1) == Decision::go_on);
  CHECK_THROWS_AS(Percentile{101}.make(0), xgrad::Error);
}

TEST_CASE("tune: Wilcoxon prunes what is worse on most parts") {
  // scipy.stats.wilcoxon(x, alternative="greater", zero_method="zsplit").pvalue, of ties with method="approx"
  CHECK(signed_rank_p({1, 2, -3, 4, 5, 6}) == Approx(0.078125));
  CHECK(signed_rank_p({1, 1, -1, 2, 0, 3, 3}) == Approx(0.03665579397897009));
  History history;
  TrialRecord best{.number = 0, .state = TrialState::complete, .values = {1}};
  for (int part = 0; part < 8; ++part) best.intermediate[part] = 1 + 0.1 * part;
  history.put(best);
  const auto pruned = [&](double shift) {
    History now = history;
    TrialRecord trial{.number = 1};
    for (int part = 0; part < 6; ++part) trial.intermediate[part] = 1 + 0.1 * part + shift * (1 + 0.01 * part);
    now.put(trial);
    return Wilcoxon{}.make(0)->report(now, 1) == Decision::prune;
  };
  CHECK(pruned(1));
  CHECK_FALSE(pruned(-1));
}
