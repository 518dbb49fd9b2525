#include <xgrad/tune/samplers/parzen.hpp>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "reference.hpp"

using namespace xgrad::tune;

namespace {

const nlohmann::json& reference() {
  static const auto json = read_reference("parzen.json");
  return json;
}

struct Case {
  std::vector<Distribution> space;
  std::vector<std::vector<double>> observations, queries;
};

std::vector<std::vector<double>> transposed(const nlohmann::json& columns) {
  std::vector<std::vector<double>> rows(columns[0].size());
  for (const auto& column : columns)
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(column[i]);
  return rows;
}

Case read(const nlohmann::json& json) {
  Case c;
  for (const auto& d : json["space"]) c.space.push_back(distribution(d));
  c.observations = transposed(json["observations"]);
  c.queries = transposed(json["queries"]);
  return c;
}

void compare(const ParzenEstimator& estimator, const Case& c, const nlohmann::json& json) {
  const std::size_t n = c.observations.size();
  REQUIRE(estimator.size() == n);
  double sum = 1;
  for (const double w : estimator.weights()) sum += w;
  for (std::size_t k = 0; k < n; ++k)
    CHECK(estimator.weights()[k] / sum == Approx(json["weights"][k].get<double>()).epsilon(1e-12));
  for (std::size_t d = 0; d < c.space.size(); ++d) {
    if (json["sigmas"][d].empty()) continue;
    for (std::size_t k = 0; k < n; ++k)
      CHECK(estimator.sigmas(d)[k] == Approx(json["sigmas"][d][k].get<double>()).epsilon(1e-11));
  }
  std::vector<double> scratch;
  for (std::size_t i = 0; i < c.queries.size(); ++i)
    CHECK(estimator.log_density(c.queries[i], scratch) == Approx(json["log_pdf"][i].get<double>()).epsilon(1e-9));
}

}  // namespace

TEST_CASE("bandwidths, weights and densities are those of Optuna's Parzen estimator", "[tune]") {
  REQUIRE(reference()["cases"].size() == 9);
  for (const auto& json : reference()["cases"]) {
    DYNAMIC_SECTION(json["name"].get<std::string>()) {
      const Case c = read(json);
      ParzenEstimator estimator(c.space);
      for (std::size_t i = 0; i < c.observations.size(); ++i)
        estimator.insert(static_cast<std::int64_t>(i), c.observations[i]);
      compare(estimator, c, json);
    }
  }
}

TEST_CASE("observations may be added in any order and taken out again", "[tune]") {
  for (const auto& json : reference()["cases"]) {
    DYNAMIC_SECTION(json["name"].get<std::string>()) {
      const Case c = read(json);
      ParzenEstimator estimator(c.space);
      const auto n = static_cast<std::int64_t>(c.observations.size());
      const auto number = [n](std::int64_t i) {
        return (i * 7919 + 3) % std::max<std::int64_t>(n, 1);
      };  // a permutation
      for (std::int64_t i = 0; i < n; ++i) {
        estimator.insert(number(i), c.observations[static_cast<std::size_t>(number(i))]);
        estimator.insert(n + number(i), c.observations[static_cast<std::size_t>(i)]);
      }
      for (std::int64_t i = 0; i < n; ++i) estimator.erase(n + i);
      compare(estimator, c, json);
    }
  }
}

TEST_CASE("a scale is an axis for the Parzen estimator", "[tune]") {
  const auto z = [](double x) { return -std::log1p(-x); };
  ParzenEstimator scaled({FloatDistribution{0.9, 0.999, log_one_minus}}), linear({FloatDistribution{z(0.9), z(0.999)}});
  for (std::int64_t i = 0; const double x : {0.91, 0.99, 0.995, 0.93, 0.92}) {
    scaled.insert(i, {x});
    linear.insert(i++, {z(x)});
  }
  std::vector<double> scratch;
  for (const double x : {0.9, 0.915, 0.97, 0.999})
    CHECK(scaled.log_density({x}, scratch) == Approx(linear.log_density({z(x)}, scratch)).epsilon(1e-9));
  Draws a(1, 0, "test"), b(1, 0, "test");
  for (int i = 0; i < 100; ++i) CHECK(z(scaled.sample(a)[0]) == Approx(linear.sample(b)[0]).epsilon(1e-9));
}

TEST_CASE("draws from a Parzen estimator have its density", "[tune]") {
  const std::vector<Distribution> space{FloatDistribution{0, 1}, IntDistribution{1, 4},
                                        CategoricalDistribution{{std::int64_t{1}, std::int64_t{2}, std::int64_t{3}}}};
  ParzenEstimator estimator(space);
  estimator.insert(0, {0.9, 1, 2});
  estimator.insert(1, {0.2, 4, 0});
  estimator.insert(2, {0.25, 4, 0});
  const int draws = 400000, cells = 10;
  std::vector<double> seen(cells * 4 * 3);
  Draws random(5, 0, "test");
  for (int i = 0; i < draws; ++i) {
    const auto v = estimator.sample(random);
    seen[static_cast<std::size_t>((std::min(std::floor(v[0] * cells), cells - 1.0) * 4 + v[1] - 1) * 3 + v[2])] += 1;
  }
  std::vector<double> scratch;
  double chi_square = 0;
  for (int cell = 0; cell < cells; ++cell)
    for (int layers = 1; layers <= 4; ++layers)
      for (int choice = 0; choice < 3; ++choice) {
        double probability = 0;
        for (int i = 0; i < 100; ++i)
          probability += std::exp(estimator.log_density(
                             {(cell + (i + 0.5) / 100) / cells, double(layers), double(choice)}, scratch)) /
                         (100 * cells);
        const double expected = probability * draws;
        const double difference = seen[static_cast<std::size_t>((cell * 4 + layers - 1) * 3 + choice)] - expected;
        chi_square += difference * difference / expected;
      }
  CHECK(chi_square < 172.0);  // 119 degrees of freedom: p = 0.001
}
