// Values of scikit-learn: tests/reference/make_preprocessing.py.
#include <xgrad/autograd/create.hpp>
#include <xgrad/data/csv.hpp>
#include <xgrad/data/preprocessing.hpp>
#include <xgrad/train/checkpoint.hpp>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::StartsWith;
using nlohmann::json;

namespace {

Tensor numbers(const json& rows) {
  std::vector<std::vector<double>> values;
  for (const json& row : rows) {
    values.emplace_back();
    for (const json& value : row) values.back().push_back(value.is_null() ? NAN : value.get<double>());
  }
  return tensor(values);
}

void expect(const Tensor& value, const json& expected) {
  const std::vector<double> a = value.to_vector<double>(), b = numbers(expected).to_vector<double>();
  CHECK(value.dtype() == float64);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    CHECK(((std::isnan(a[i]) && std::isnan(b[i])) || std::abs(a[i] - b[i]) <= 1e-12 * std::max(1.0, std::abs(b[i]))));
}

}  // namespace

TEST_CASE("preprocessing: as scikit-learn's") {
  using data::ImputeStrategy;
  std::ifstream file(XGRAD_TESTS_DIR "/reference/preprocessing.json");
  REQUIRE(file);
  for (const json& problem : json::parse(file)) {
    INFO(problem);
    const Tensor x = numbers(problem["x"]), y = numbers(problem["y"]);
    data::StandardScaler standard;
    expect(standard.fit(x).transform(y), problem["standard"]);
    expect(standard.inverse_transform(standard.transform(y)), problem["y"]);
    expect(data::StandardScaler({.with_std = false}).fit_transform(x), problem["centred"]);
    data::MinMaxScaler min_max({.min = -1, .max = 2});
    expect(min_max.fit(x).transform(y), problem["min_max"]);
    expect(min_max.inverse_transform(min_max.transform(y)), problem["y"]);
    expect(data::MinMaxScaler({.clip = true}).fit(x).transform(y), problem["clipped"]);
    expect(data::SimpleImputer().fit_transform(x), problem["mean"]);
    expect(data::SimpleImputer({.strategy = ImputeStrategy::median}).fit_transform(x), problem["median"]);
    expect(data::SimpleImputer({.strategy = ImputeStrategy::most_frequent}).fit_transform(x), problem["most_frequent"]);
    expect(data::SimpleImputer({.strategy = ImputeStrategy::constant, .fill_value = -7}).fit_transform(x),
           problem["constant"]);

    const auto labels = problem["labels"].get<std::vector<std::string>>();
    data::LabelEncoder encoder;
    CHECK(encoder.fit_transform(labels).to_vector<int>() == problem["encoded"].get<std::vector<int>>());
    CHECK(encoder.inverse_transform(encoder.transform(labels)) == labels);
    const Tensor other = tensor(problem["numbers"].get<std::vector<std::int64_t>>());
    expect(data::OneHotEncoder().fit_transform({labels, other}).to(float64), problem["one_hot"]);
  }
}

TEST_CASE("preprocessing: columns of a table, classes that were not seen, missing ones") {
  const data::Table table = data::parse_csv("port,size\nlee,1\nkiel,2\n,1\n");
  data::OneHotEncoder strict, lenient({.ignore_unknown = true});
  CHECK_THROWS_WITH(strict.fit_transform({table["port"], table["size"]}),
                    StartsWith("OneHotEncoder: the label of sample 2 is missing"));
  CHECK(lenient.fit_transform({table["port"], table["size"]}).to_vector<int>() ==
        std::vector{0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0});
  CHECK(lenient.categories()[0] == std::vector<std::string>{"kiel", "lee"});
  const data::Table others = data::parse_csv("port,size\nrom,2\nlee,2\n");  // of other categories
  CHECK(lenient.transform({others["port"], others["size"]}).to_vector<int>() == std::vector{0, 0, 0, 1, 0, 1, 0, 1});
  data::LabelEncoder encoder;
  encoder.fit(table["port"]);
  CHECK_THROWS_WITH(encoder.transform(others["port"]),
                    StartsWith("LabelEncoder: fit() has not seen `rom`, the label of sample 0"));
  CHECK(encoder.fit(table.rows({0})["port"]).classes() == std::vector<std::string>{"lee"});
  CHECK_THROWS_WITH(encoder.inverse_transform(tensor({1})), StartsWith("LabelEncoder: 1 is no class; there are 1"));
  CHECK_THROWS_AS(encoder.fit(tensor({0.5})), Error);
}

TEST_CASE("preprocessing: kept in a checkpoint beside the model") {
  const TemporaryDirectory directory;
  const Tensor x = tensor({{1, 10}, {3, 30}}, {.dtype = float64});
  const std::vector<std::string> names{"b", "a"};
  const std::string path = directory.path("fitted");
  {
    data::StandardScaler scaler;
    data::LabelEncoder labels;
    data::OneHotEncoder one_hot;
    data::SimpleImputer not_fitted;
    scaler.fit(x);
    labels.fit(names);
    one_hot.fit({names, tensor({5, 6})});
    train::Checkpoint(path, scaler, labels, one_hot, not_fitted).save();
  }
  data::StandardScaler scaler;
  data::LabelEncoder labels;
  data::OneHotEncoder one_hot;
  data::SimpleImputer not_fitted;
  train::Checkpoint(path, scaler, labels, one_hot, not_fitted).restore();
  CHECK(scaler.transform(x).to_vector<int>() == std::vector{-1, -1, 1, 1});
  CHECK(labels.classes() == std::vector<std::string>{"a", "b"});
  CHECK(one_hot.categories() == std::vector<std::vector<std::string>>{{"a", "b"}, {"5", "6"}});
  CHECK_FALSE(not_fitted.is_fitted());
  CHECK_THROWS_AS(scaler.load_state_dict({{"mean", zeros({2})}}), Error);
  CHECK_THROWS_AS(labels.load_state_dict(
                      {{"classes.bytes", tensor(std::vector<std::uint8_t>{65})}, {"classes.lengths", tensor({2})}}),
                  Error);
  CHECK(scaler.mean().to_vector<int>() == std::vector{2, 20});
}

TEST_CASE("preprocessing: dtypes are kept, other shapes are errors") {
  data::StandardScaler scaler;
  CHECK_THROWS_WITH(scaler.transform(zeros({2, 2})), StartsWith("StandardScaler: it was not fitted; call fit() first"));
  CHECK_THROWS_WITH(scaler.fit(zeros({0, 2})), StartsWith("StandardScaler: samples of shape (0, 2)"));
  CHECK_THROWS_WITH(scaler.fit(zeros({2})), StartsWith("StandardScaler: samples of shape (2,)"));
  scaler.fit(tensor({{1, 2}, {3, 4}}));
  CHECK(scaler.transform(tensor({{1, 2}})).dtype() == float32);
  CHECK(scaler.transform(zeros({3, 2}, {.dtype = float16})).dtype() == float16);
  CHECK(scaler.transform(zeros({0, 2})).shape() == Shape{0, 2});
  CHECK_THROWS_WITH(scaler.transform(zeros({2, 3})),
                    StartsWith("StandardScaler: samples of shape (2, 3); it was fitted to (N, 2)"));
  CHECK_THROWS_WITH(data::SimpleImputer().fit(tensor({{1.0, NAN}})), StartsWith("SimpleImputer: feature 1 is NaN"));
  CHECK_THROWS_WITH(data::MinMaxScaler({.min = 1}), StartsWith("MinMaxScaler: min 1 is not less than max 1"));
}
