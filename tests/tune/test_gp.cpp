// Gaussian processes, CMA-ES, NSGA-II, several objectives, constraints, and how Auto chooses.
#include <xgrad/core/error.hpp>
#include <xgrad/tune/samplers/acquisition.hpp>
#include <xgrad/tune/samplers/acquisition_search.hpp>
#include <xgrad/tune/samplers/automatic.hpp>
#include <xgrad/tune/samplers/bounded_lbfgs.hpp>
#include <xgrad/tune/samplers/cmaes.hpp>
#include <xgrad/tune/samplers/covariance_adaptation.hpp>
#include <xgrad/tune/samplers/gp.hpp>
#include <xgrad/tune/samplers/nsgaii.hpp>
#include <xgrad/tune/samplers/sobol.hpp>
#include <xgrad/tune/samplers/tpe.hpp>
#include <xgrad/tune/trials/hypervolume.hpp>
#include <xgrad/tune/trials/log.hpp>
#include <xgrad/tune/trials/ranking.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "../catch.hpp"
#include "search.hpp"

using namespace xgrad::tune;

namespace {

double median_of_best(const AnySampler& sampler, int trials, const std::function<double(Search&)>& objective) {
  std::vector<double> found;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Search search(sampler, seed);
    double best = 1e300;
    for (int i = 0; i < trials; ++i) best = std::min(best, search.run(objective));
    found.push_back(best);
  }
  std::sort(found.begin(), found.end());
  return found[2];
}

double bowl(Search& search) {
  double sum = 0;
  for (const char* name : {"a", "b", "c"}) sum += std::pow(search(name, FloatDistribution{-4, 5}) - 1, 2);
  return sum;
}

Points points_of(std::size_t n, std::size_t d) {
  const SobolSequence sequence(3);
  Points points{d};
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < d; ++k) points.values.push_back(sequence(static_cast<std::int64_t>(i), k));
  return points;
}

// Central differences of f at x.
std::vector<double> numeric(const std::function<double(const double*)>& f, std::vector<double> x) {
  std::vector<double> out;
  for (double& each : x) {
    const double at = each, h = 1e-6;
    each = at + h;
    const double above = f(x.data());
    each = at - h;
    out.push_back((above - f(x.data())) / (2 * h));
    each = at;
  }
  return out;
}

}  // namespace

TEST_CASE("tune: L-BFGS in a box ends at Rosenbrock's minimum, or where the box cuts it off") {
  const auto rosenbrock = [](std::span<const double> x, std::span<double> g) {
    g[0] = -400 * x[0] * (x[1] - x[0] * x[0]) - 2 * (1 - x[0]);
    g[1] = 200 * (x[1] - x[0] * x[0]);
    return 100 * std::pow(x[1] - x[0] * x[0], 2) + std::pow(1 - x[0], 2);
  };
  std::vector<double> x{-1.2, 1};
  const std::vector<double> low{-2, -2}, high{2, 2}, half{0.5, 2};
  minimize_in_box(rosenbrock, x, low, high, {.max_iterations = 500, .tolerance = 1e-8});
  CHECK(x[0] == Approx(1).margin(1e-4));
  x = {-1.2, 1};
  minimize_in_box(rosenbrock, x, low, half, {.max_iterations = 500, .tolerance = 1e-8});
  CHECK(x[0] == 0.5);
  CHECK(x[1] == Approx(0.25).margin(1e-4));
}

TEST_CASE("tune: a Gaussian process goes through its observations, and its gradients are right") {
  const Points points = points_of(12, 2);
  std::vector<double> y;
  for (std::size_t i = 0; i < points.size(); ++i) y.push_back(std::sin(5 * points[i][0]) + points[i][1]);
  const double mean = std::accumulate(y.begin(), y.end(), 0.0) / 12;
  for (double& value : y) value -= mean;
  const Kernel kernel = fit_kernel(points, y, {{false, false}, true});
  const GaussianProcess process(kernel, points, y, {2}, {false, false});
  for (std::size_t i = 0; i < 12; ++i) {
    CHECK(process(points[i]).mean == Approx(y[i]).margin(1e-3));
    CHECK(process(points[i]).deviation < 1e-2);
  }
  const std::vector<double> x{0.37, 0.61};
  std::vector<double> by_mean(2), by_deviation(2);
  process(x.data(), by_mean, by_deviation);
  const auto means = numeric([&](const double* at) { return process(at).mean; }, x);
  const auto deviations = numeric([&](const double* at) { return process(at).deviation; }, x);
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(by_mean[k] == Approx(means[k]).epsilon(1e-4));
    CHECK(by_deviation[k] == Approx(deviations[k]).epsilon(1e-4));
  }
  // A point that is being observed leaves the mean, and takes away the variance around it.
  Points pending{2};
  pending.add(x);
  const GaussianProcess waiting(kernel, points, y, pending, {false, false});
  CHECK(waiting(x.data()).mean == Approx(process(x.data()).mean).margin(1e-6));
  CHECK(waiting(x.data()).deviation < 0.1 * process(x.data()).deviation);
}

TEST_CASE("tune: acquisitions have the gradients of their values, also far from any improvement") {
  const Points points = points_of(10, 2);
  std::vector<double> y, z;
  for (std::size_t i = 0; i < points.size(); ++i) {
    y.push_back(std::cos(4 * points[i][0]));
    z.push_back(points[i][0] - points[i][1]);
  }
  const Kernel kernel{{3, 3}, 1, 1e-4};
  const GaussianProcess one(kernel, points, y, {2}, {false, false}), two(kernel, points, z, {2}, {false, false});
  std::vector<Acquisition> all{Acquisition(one, 0.2), Acquisition(one, -30), Acquisition(one, 0, false),
                               Acquisition({one, two}, improvement_boxes({{-0.5, 0.5}, {0.3, -0.4}}, {1, 1}), 7)};
  all[1].add_constraint(two, 0.1);
  all[2].add_constraint(two, -20);
  for (const Acquisition& acquisition : all) {
    const std::vector<double> x{0.41, 0.83};
    std::vector<double> gradient(2);
    const double value = acquisition(x.data(), gradient);
    CHECK(value == acquisition(x.data()));
    CHECK(std::isfinite(value));
    const auto expected = numeric([&](const double* at) { return acquisition(at); }, x);
    for (std::size_t k = 0; k < 2; ++k) CHECK(gradient[k] == Approx(expected[k]).epsilon(1e-3).margin(1e-6));
  }
}

TEST_CASE("tune: hypervolume, its contributions, and boxes of what would improve it") {
  const std::vector<std::vector<double>> points{{1, 3}, {2, 2}, {3, 1}, {3, 3}};
  CHECK(hypervolume(points, {4, 4}) == Approx(6));
  CHECK(hypervolume({{1, 1, 1}, {0, 2, 2}, {5, 0, 0}}, {3, 3, 3}) == Approx(8 + 3 - 2));
  CHECK(hypervolume({{5, 5}}, {4, 4}) == 0);
  const auto contributions = hypervolume_contributions(points, {4, 4});
  CHECK(contributions == std::vector<double>{1, 1, 1, 0});
  CHECK(hypervolume_subset(points, 1, {4, 4}) == std::vector<std::size_t>{1});
  // What a point adds is what of it lies in the boxes.
  for (const std::vector<double>& added : {std::vector<double>{0, 0, 0}, {0.5, 2.5, 0.2}, {2, 0, 1}}) {
    std::vector<std::vector<double>> front{{1, 1, 1}, {0, 2, 2}, {2, 2, 0}};
    const std::vector<double> reference{3, 3, 3};
    double gain = 0;
    for (const auto& box : improvement_boxes(front, reference)) {
      double volume = 1;
      for (std::size_t m = 0; m < 3; ++m) volume *= std::max(0.0, box.high[m] - std::max(box.low[m], added[m]));
      gain += volume;
    }
    const double before = hypervolume(front, reference);
    front.push_back(added);
    CHECK(gain == Approx(hypervolume(front, reference) - before));
  }
}

TEST_CASE("tune: GP and CMA-ES find the bottom of a bowl, GP in few trials") {
  CHECK(median_of_best(GP{}, 25, bowl) < 1e-3);
  CHECK(median_of_best(CMAES{}, 300, bowl) < 1e-3);
  CHECK(median_of_best(Random{}, 25, bowl) > 0.1);
}

TEST_CASE("tune: GP leaves a place that it wrongly takes for the best") {
  // Hartmann's function of six dimensions has two minima, -3.32237 and -3.2032; expected improvement alone stays for
  // one of these seeds where x5 = 0, at -3.1377, though x5 = 0.04 has -3.2032.
  const auto hartmann = [](Search& trial) {
    constexpr double alpha[4] = {1, 1.2, 3, 3.2};
    constexpr double a[4][6] = {
        {10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}};
    constexpr double p[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                                {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                                {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                                {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
    double total = 0, x[6];
    for (int i = 0; i < 6; ++i) x[i] = trial("x" + std::to_string(i), FloatDistribution{0, 1});
    for (int k = 0; k < 4; ++k) {
      double sum = 0;
      for (int i = 0; i < 6; ++i) sum += a[k][i] * std::pow(x[i] - p[k][i], 2);
      total -= alpha[k] * std::exp(-sum);
    }
    return total;
  };
  for (const std::uint64_t seed : {2, 3, 7}) {
    Search search(GP{}, seed);
    double best = 0;
    for (int i = 0; i < 100; ++i) best = std::min(best, search.run(hartmann));
    INFO("seed " << seed);
    CHECK(best < -3.2);
  }
}

TEST_CASE("tune: GP searches a box where it is told to, and keeps apart from what was tried") {
  const Points points = points_of(12, 2);
  std::vector<double> y;
  for (std::size_t i = 0; i < points.size(); ++i) y.push_back(points[i][0] + points[i][1]);
  const GaussianProcess process({{3, 3}, 1, 1e-4}, points, y, {2}, {false, false});
  const FloatDistribution unit{0, 1};
  const std::vector<SearchAxis> axes{{unit, 0, false, std::nullopt, 0.3, 0.5},
                                     {unit, 0, false, std::nullopt, 0.6, 0.9}};
  Points starts{2};
  starts.add(std::vector<double>{0.0, 0.0});
  const Acquisition acquisition(process, 0.5);
  const auto search = [&](const std::set<std::vector<double>>& taken, double apart) {
    return most_promising(acquisition, axes, starts, taken, Draws(1, 2, "search"), apart);
  };
  const std::vector<double> found = search({}, 0);
  double most = -1e300;
  for (int i = 0; i <= 40; ++i)
    for (int j = 0; j <= 40; ++j) {
      const double at[2] = {0.3 + 0.005 * i, 0.6 + 0.0075 * j};
      most = std::max(most, acquisition(at));
    }
  CHECK(acquisition(found.data()) >= most);
  const std::vector<double> other = search({found}, 0.05);
  CHECK(std::max(std::abs(other[0] - found[0]), std::abs(other[1] - found[1])) >= 0.05);
  for (const auto& x : {found, other}) CHECK((0.3 <= x[0] && x[0] <= 0.5 && 0.6 <= x[1] && x[1] <= 0.9));
}

TEST_CASE("tune: GP draws mixed parameters, and never the same discrete ones twice while there are others") {
  Search search(GP{.startup_trials = 4}, 1);
  std::set<std::vector<double>> seen;
  for (int i = 0; i < 24; ++i)
    search.run([&](Search& trial) {
      const double n = trial("n", IntDistribution{0, 3}),
                   c = trial("c", CategoricalDistribution{{std::string("a"), std::string("b"), std::string("c")}}),
                   s = trial("s", FloatDistribution{0, 1, Scale::linear, 1.0});
      if (i >= 4)
        CHECK(seen.insert({n, c, s}).second);
      else
        seen.insert({n, c, s});
      return n + c + s;
    });
  CHECK(seen.contains({0, 0, 0}));
}

TEST_CASE("tune: GP goes by constraints, diverged and running trials, and several objectives") {
  Search constrained(GP{}, 2);
  double best = 1e300;
  for (int i = 0; i < 30; ++i) {
    const double value = constrained.run([&](Search& trial) {
      const double x = trial("x", FloatDistribution{0, 1}), y = trial("y", FloatDistribution{0, 1});
      constrained.edit(i, [&](auto& record) { record.constraints["c"] = 0.5 - x; });
      return x + y;
    });
    if (is_feasible(constrained.history()[i])) best = std::min(best, value);
  }
  CHECK(best < 0.52);

  Search diverging(GP{}, 3);
  int lost = 0;
  for (int i = 0; i < 30; ++i)
    diverging.run([&](Search& trial) {
      const double x = trial("x", FloatDistribution{0, 1});
      if (x > 0.6) {
        diverging.end_as(TrialState::diverged);
        lost += i >= 10;
      }
      return x > 0.6 ? 0 : -x;
    });
  CHECK(lost < 15);

  Search several(GP{}, 4, History({minimize, minimize}));
  for (int i = 0; i < 25; ++i)
    several.run([&](Search& trial) {
      const double x = trial("x", FloatDistribution{0, 1}), y = trial("y", FloatDistribution{0, 1});
      several.also({1 - std::sqrt(x) + 4 * y});
      return x + 4 * y;
    });
  std::vector<std::vector<double>> front;
  for (const auto number : pareto_front(several.history())) front.push_back(several.history()[number].values);
  CHECK(hypervolume(front, {1.1, 1.1}) > 0.75);  // of 0.877 at most: 1.1^2 - 1/3
  Search four(GP{}, 5, History({minimize, minimize, minimize, minimize}));
  CHECK_THROWS_WITH(four.run(bowl), Catch::StartsWith("GP: 4 objectives"));
}

TEST_CASE("tune: CMA-ES goes on from what is stored, with whole numbers, and begins anew when it has converged") {
  const auto objective = [](Search& trial) {
    return std::pow(trial("x", FloatDistribution{0, 1}) - 0.3, 2) + std::abs(trial("n", IntDistribution{0, 20}) - 17);
  };
  Search whole(CMAES{}, 1);
  for (int i = 0; i < 120; ++i) whole.run(objective);
  Search half(CMAES{}, 1);
  for (int i = 0; i < 57; ++i) half.run(objective);
  Search resumed(CMAES{}, 1, half.history());
  for (int i = 57; i < 120; ++i) resumed.run(objective);
  double best = 1e300;
  for (int i = 0; i < 120; ++i) {
    CHECK(resumed.history()[i].values == whole.history()[i].values);
    best = std::min(best, whole.history()[i].values[0]);
  }
  CHECK(best < 1e-2);
  Search restarting(CMAES{.restarts = CMAES::Restarts::bipop}, 1);
  std::set<std::string> runs;
  for (int i = 0; i < 400; ++i) {
    restarting.run([](Search& trial) { return std::min(trial("x", FloatDistribution{0, 1}), 0.9) > 2 ? 0.0 : 1.0; });
    const auto& attributes = restarting.history()[i].attributes;
    if (attributes.contains("cmaes:generation")) runs.insert(attributes.at("cmaes:generation").substr(0, 4));
  }
  CHECK(runs.size() >= 2);
  CHECK_THROWS_AS(CMAES{.population = 2}.make(0), xgrad::Error);
}

TEST_CASE("tune: CMA-ES goes the steps of the cmaes package, also with adapted learning rates") {
  // cmaes 0.13.1, CMA(mean, sigma, population_size=6, lr_adapt=...), told the same points.
  const auto state_after = [](bool adapt) {
    CovarianceAdaptation run({0.5, 0.5, 0.5}, 0.2, 6, {0, 0, 0}, adapt);
    for (int g = 0; g < 12; ++g) {
      std::vector<std::vector<double>> points(6);
      for (int k = 0; k < 6; ++k)
        for (int i = 0; i < 3; ++i)
          points[static_cast<std::size_t>(k)].push_back(0.5 + 0.2 / (1 + 0.1 * g) *
                                                                  std::sin(1 + 7.3 * k + 3.1 * i + 11.7 * g));
      run.tell(points);
    }
    std::vector<double> state = run.mean();
    state.push_back(run.sigma());
    return state;
  };
  const auto close = [](const std::vector<double>& found, const std::vector<double>& expected) {
    for (std::size_t i = 0; i < 4; ++i) CHECK(found[i] == Approx(expected[i]).epsilon(1e-6));
  };
  close(state_after(false), {0.42555148, 0.57348549, 0.42760464, 0.10751936598806501});
  close(state_after(true), {0.45660134, 0.544058, 0.45535888, 0.15957392240427773});
  CHECK(median_of_best(CMAES{.lr_adapt = true}, 300, bowl) < 1e-2);
}

TEST_CASE("tune: NSGA-II and TPE come close to a front of two objectives, and keep to constraints") {
  const auto volume = [](const AnySampler& sampler) {
    Search search(sampler, 1, History({minimize, maximize}));
    for (int i = 0; i < 200; ++i)
      search.run([&](Search& trial) {
        const double x = trial("x", FloatDistribution{0, 1}), y = trial("y", FloatDistribution{0, 1}),
                     z = x < 0.5 ? trial("z", FloatDistribution{0, 1}) : 0;
        const double g = 1 + 4 * y + 4 * z;
        search.also({-g * (1 - std::sqrt(x / g))});
        search.edit(i, [&](auto& record) { record.constraints["c"] = 0.1 - x; });
        return x;
      });
    std::vector<std::vector<double>> front;
    for (const auto number : pareto_front(search.history())) {
      front.push_back(search.history()[number].values);
      CHECK(front.back()[0] >= 0.1);
      front.back()[1] *= -1;
    }
    return hypervolume(front, {1.1, 1.1});
  };
  const double random = volume(Random{});
  CHECK(volume(NSGAII{.population = 20}) > random);
  CHECK(volume(TPE{}) > random);
}

TEST_CASE("tune: TPE with groups draws conditional parameters together") {
  const auto objective = [](Search& trial) {
    if (trial("kind", CategoricalDistribution{{std::string("a"), std::string("b")}}) == 0)
      return std::abs(trial("x", FloatDistribution{0, 1}) + trial("y", FloatDistribution{0, 1}) - 1.5);
    return 0.5 + trial("z", FloatDistribution{0, 1});
  };
  CHECK(median_of_best(TPE{.group = true}, 60, objective) < 0.05);
}

TEST_CASE("tune: TPE tries no combination of discrete parameters twice while there are others, unless it may") {
  const auto repeated = [](const TPE& options, int trials) {
    Search search(options, 1);
    std::set<std::vector<double>> seen;
    int again = 0;
    for (int i = 0; i < trials; ++i)
      search.run([&](Search& trial) {
        const double n = trial("n", IntDistribution{-2, 4, Scale::linear, 2}),
                     c = trial("c", CategoricalDistribution{{std::string("a"), true, std::monostate()}}),
                     s = trial("s", FloatDistribution{0.3, 0.8, Scale::linear, 0.1});
        again += !seen.insert({n, c, s}).second && i >= 4;
        return n + c + s;
      });
    return again;
  };
  CHECK(repeated({.startup_trials = 4}, 60) == 0);
  CHECK(repeated({.startup_trials = 4}, 72 + 10) >= 10);  // there are 72
  CHECK(repeated({.startup_trials = 4, .duplicates = true}, 60) > 0);
}

TEST_CASE("tune: Auto says what it chose and why") {
  std::string said;
  set_log([&](std::string_view message) { said = message; });
  const auto choice = [&](const SearchPlan& plan, std::vector<Direction> directions,
                          const std::function<double(Search&)>& objective) {
    said.clear();
    Search search(Auto{}, 1, History(directions));
    search.prepare(plan);
    for (int i = 0; i < 11; ++i)
      search.run([&](Search& trial) {
        search.also(std::vector<double>(directions.size() - 1, 1.0));
        return objective(trial);
      });
    return said;
  };
  const auto mixed = [](Search& trial) { return bowl(trial) + trial("kind", CategoricalDistribution{{true, false}}); };
  const auto conditional = [](Search& trial) {
    return trial("c", CategoricalDistribution{{true, false}}) == 0 ? trial("x", FloatDistribution{0, 1}) : 1;
  };
  CHECK(choice({.trials = 100}, {minimize}, bowl) == "Auto draws by GP: 3 parameters, 100 trials");
  CHECK(choice({.trials = 1000}, {minimize}, bowl) == "Auto draws by CMAES: 3 parameters, 1000 trials");
  CHECK(choice({.trials = 1000}, {minimize}, mixed) == "Auto draws by TPE: 4 parameters, 1000 trials");
  CHECK(choice({.trials = 100, .prunes = true}, {minimize}, bowl) == "Auto draws by TPE: a pruner ends trials early");
  CHECK(choice({}, {minimize}, conditional) == "Auto draws by TPE: not all trials have the same parameters");
  CHECK(choice({.trials = 100}, {minimize, minimize}, bowl) ==
        "Auto draws by GP: 2 objectives, 3 parameters, 100 trials");
  CHECK(choice({.trials = 500}, {minimize, minimize}, bowl) ==
        "Auto draws by NSGAII: 2 objectives, 3 parameters, 500 trials");
  set_log({});
}
