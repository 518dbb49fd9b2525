// Folds of scikit-learn: tests/reference/make_folds.py.
#include <xgrad/autograd/create.hpp>
#include <xgrad/data/splits.hpp>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "../catch.hpp"

using namespace xgrad;
using Catch::StartsWith;
using Indices = std::vector<std::int64_t>;
using nlohmann::json;

namespace {

void check_parts(const std::vector<Indices>& parts, std::int64_t samples) {
  Indices all, expected(static_cast<std::size_t>(samples));
  for (const Indices& part : parts) {
    CHECK(std::is_sorted(part.begin(), part.end()));
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  std::iota(expected.begin(), expected.end(), std::int64_t{0});
  CHECK(all == expected);
}

std::vector<Indices> validation_parts(const std::vector<data::Fold>& folds, std::int64_t samples) {
  std::vector<Indices> parts;
  for (const data::Fold& fold : folds) {
    check_parts({fold.train, fold.validation}, samples);
    parts.push_back(fold.validation);
  }
  check_parts(parts, samples);
  return parts;
}

}  // namespace

TEST_CASE("k_fold and stratified_k_fold: scikit-learn's folds") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/folds.json");
  REQUIRE(file);
  for (const json& problem : json::parse(file)) {
    const auto labels = problem["labels"].get<Indices>();
    const auto samples = static_cast<std::int64_t>(labels.size()), folds = problem["folds"].get<std::int64_t>();
    CHECK(validation_parts(data::k_fold(samples, folds), samples) == problem["plain"].get<std::vector<Indices>>());
    CHECK(validation_parts(data::stratified_k_fold(tensor(labels), folds), samples) ==
          problem["stratified"].get<std::vector<Indices>>());
  }
}

TEST_CASE("k_fold and stratified_k_fold: shuffled by a seed") {
  Indices labels(40, 1);
  std::fill_n(labels.begin(), 10, 0);
  const auto one = validation_parts(data::k_fold(40, 5, {.shuffle = true, .seed = 1}), 40);
  CHECK(one == validation_parts(data::k_fold(40, 5, {.shuffle = true, .seed = 1}), 40));
  CHECK(one != validation_parts(data::k_fold(40, 5, {.shuffle = true, .seed = 2}), 40));
  const auto two = validation_parts(data::stratified_k_fold(tensor(labels), 5, {.shuffle = true, .seed = 1}), 40);
  CHECK(two != validation_parts(data::stratified_k_fold(tensor(labels), 5), 40));
  for (const Indices& part : two)
    CHECK(std::count_if(part.begin(), part.end(), [](std::int64_t i) { return i < 10; }) == 2);
  CHECK_THROWS_WITH(data::k_fold(3, 4), StartsWith("k_fold: 4 folds of 3 samples"));
  CHECK_THROWS_WITH(data::k_fold(3, 1), StartsWith("k_fold: 1 folds"));
  CHECK_THROWS_WITH(data::stratified_k_fold(tensor(labels), 31), StartsWith("stratified_k_fold: 31 folds"));
  CHECK_THROWS_AS(data::stratified_k_fold(tensor({0.5, 1}), 2), Error);
}

TEST_CASE("stratified_split: the same part of each class") {
  Indices labels(200, 5);
  std::fill_n(labels.begin(), 50, -2);
  const auto parts = data::stratified_split(tensor(labels), {0.7, 0.2, 0.1}, {.seed = 4});
  check_parts(parts, 200);
  const std::size_t expected[][2] = {{35, 140}, {10, 40}, {5, 20}};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(parts[i].size() == expected[i][1]);
    CHECK(std::count_if(parts[i].begin(), parts[i].end(), [](std::int64_t s) { return s < 50; }) ==
          static_cast<std::ptrdiff_t>(expected[i][0]));
  }
  CHECK(parts == data::stratified_split(tensor(labels), {0.7, 0.2, 0.1}, {.seed = 4}));
  CHECK_THROWS_WITH(data::stratified_split(tensor(labels), {0.5}),
                    StartsWith("stratified_split: the fractions sum to 0.5"));
}
