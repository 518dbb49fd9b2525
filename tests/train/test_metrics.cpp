// Values of scikit-learn: tests/reference/make_metrics.py.
#include <xgrad/autograd/create.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/softmax.hpp>
#include <xgrad/train/classification_metrics.hpp>
#include <xgrad/train/probability_metrics.hpp>
#include <xgrad/train/ranking_metrics.hpp>
#include <xgrad/train/regression_metrics.hpp>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../catch.hpp"

using namespace xgrad;
using Catch::StartsWith;
using nlohmann::json;

namespace {

const json& reference() {
  static const json all = [] {
    std::ifstream file(XGRAD_TESTS_DIR "/reference/metrics.json");
    REQUIRE(file);
    return json::parse(file);
  }();
  return all;
}

Tensor numbers(const json& values) {
  if (!values[0].is_array()) return tensor(values.get<std::vector<double>>());
  return tensor(values.get<std::vector<std::vector<double>>>());
}

/// The metric after batches of unequal sizes, after it was reset from others.
template <class Metric>
Metric over_batches(Metric metric, const Tensor& prediction, const Tensor& target) {
  metric.update(slice(prediction, 0, 0, 2), slice(target, 0, 0, 2));
  metric.reset();
  for (std::int64_t begin = 0, size = 1; begin < target.size(0); begin += size, size = size % 5 + 1)
    metric.update(slice(prediction, 0, begin, begin + size), slice(target, 0, begin, begin + size));
  return metric;
}

void expect(const json& expected, double value) {
  INFO(value << " instead of " << expected);
  if (expected.is_null())
    CHECK(std::isnan(value));
  else
    CHECK(std::abs(value - expected.get<double>()) <= 1e-12 * std::max(1.0, std::abs(expected.get<double>())));
}

const train::Average averages[] = {train::Average::macro, train::Average::micro, train::Average::weighted};

}  // namespace

TEST_CASE("metrics: of classes, as scikit-learn") {
  for (const json& problem : reference()["classification"]) {
    const Tensor scores = numbers(problem["scores"]), target = numbers(problem["target"]).to(int64),
                 probabilities = softmax(scores, 1);
    const json& values = problem["values"];
    INFO(problem);
    expect(values["accuracy"], over_batches(train::Accuracy(), scores, target).compute());
    expect(values["accuracy"], over_batches(train::Accuracy(), argmax(scores, 1), target).compute());
    const std::int64_t classes = scores.size(1);
    const auto matrix = over_batches(train::ConfusionMatrix(classes), scores, target);
    CHECK(matrix.compute().to_vector<std::int64_t>() ==
          reshape(numbers(values["confusion"]), {-1}).to_vector<std::int64_t>());
    expect(values["accuracy"], matrix.accuracy());
    for (std::size_t i = 0; i < 3; ++i) {
      expect(values["precision"][i], over_batches(train::Precision(classes, averages[i]), scores, target).compute());
      expect(values["recall"][i], over_batches(train::Recall(classes, averages[i]), scores, target).compute());
      expect(values["f1"][i], over_batches(train::F1(classes, averages[i]), scores, target).compute());
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(classes); ++i)
      expect(values["f1_per_class"][i], matrix.f1_per_class().at({static_cast<std::int64_t>(i)}));
    expect(values["log_loss"], over_batches(train::LogLoss(), probabilities, target).compute());
    expect(values["log_loss"], over_batches(train::LogLoss({.from_logits = true}), scores, target).compute());
    expect(std::exp(values["log_loss"].get<double>()), over_batches(train::Perplexity(), scores, target).compute());
    expect(values["calibration"],
           over_batches(train::CalibrationError({.bins = 10, .from_logits = true}), scores, target).compute());
    if (values.contains("top_2"))
      expect(values["top_2"], over_batches(train::Accuracy({.top_k = 2}), scores, target).compute());
    if (values.contains("roc_auc")) {
      const Tensor exact = numbers(problem["sixteenths"]) / 16;
      expect(values["roc_auc"], over_batches(train::ROCAUC(), exact, target).compute());
      expect(values["average_precision"], over_batches(train::AveragePrecision(), exact, target).compute());
    }
  }
}

TEST_CASE("metrics: of two classes, as scikit-learn") {
  for (const json& problem : reference()["binary"]) {
    const Tensor scores = numbers(problem["scores"]), target = numbers(problem["target"]);
    const json& values = problem["values"];
    INFO(problem);
    for (const Tensor& p : {scores, unsqueeze(scores, 1), stack({1 - scores, scores}, 1)}) {
      expect(values["roc_auc"], over_batches(train::ROCAUC(), p, target).compute());
      expect(values["average_precision"], over_batches(train::AveragePrecision(), p, target).compute());
      expect(values["log_loss"], over_batches(train::LogLoss(), p, target).compute());
    }
    expect(values["calibration"], over_batches(train::CalibrationError({.bins = 7}), scores, target).compute());
  }
}

TEST_CASE("metrics: of regression, as scikit-learn") {
  for (const json& problem : reference()["regression"]) {
    const Tensor prediction = numbers(problem["prediction"]), target = numbers(problem["target"]);
    const json& values = problem["values"];
    INFO(problem);
    expect(values["mae"], over_batches(train::MAE(), prediction, target).compute());
    expect(values["rmse"], over_batches(train::RMSE(), prediction, target).compute());
    expect(values["r2"], over_batches(train::R2(), prediction, target).compute());
  }
}

TEST_CASE("metrics: of no samples they are NaN, of empty batches what they were") {
  CHECK(std::isnan(train::Accuracy().compute()));
  CHECK(std::isnan(train::F1(3).compute()));
  CHECK(std::isnan(train::ROCAUC().compute()));
  CHECK(std::isnan(train::LogLoss().compute()));
  CHECK(std::isnan(train::CalibrationError().compute()));
  CHECK(std::isnan(train::R2().compute()));
  train::Accuracy accuracy;
  accuracy.update(tensor({{1, 2}}), tensor({1}));
  accuracy.update(zeros({0, 2}), zeros({0}));
  CHECK(accuracy.compute() == 1);
  train::Perplexity perplexity({.ignore_index = 0});
  perplexity.update(zeros({1, 3, 4}), tensor({{0, 1, 3}}));
  CHECK(perplexity.compute() == Approx(4));
}

TEST_CASE("metrics: what does not fit is an error, with nothing changed") {
  train::Accuracy accuracy;
  accuracy.update(tensor({1, 0}), tensor({1, 1}));
  CHECK_THROWS_WITH(accuracy.update(zeros({2}), tensor({1, 1})), StartsWith("Accuracy: predictions of shape (2,);"));
  CHECK_THROWS_WITH(accuracy.update(zeros({2, 3}), tensor({1, 3})),
                    StartsWith("Accuracy: 3 is no class; there are 3, from 0"));
  CHECK_THROWS_WITH(accuracy.update(zeros({2, 3}), tensor({1})),
                    StartsWith("Accuracy: targets of shape (1,) do not go along with the predictions of 2 samples"));
  CHECK_THROWS_AS(accuracy.update(zeros({2, 3}), tensor({0.5, 1})), Error);
  CHECK_THROWS_AS(accuracy.update({}, {}), Error);
  CHECK_THROWS_WITH(train::Accuracy({.top_k = 0}), StartsWith("Accuracy: top_k is 0"));
  CHECK(accuracy.compute() == 0.5);
  CHECK_THROWS_WITH(train::ConfusionMatrix(0), StartsWith("ConfusionMatrix: 0 classes"));
  CHECK_THROWS_WITH(train::LogLoss().update(tensor({1.5}), tensor({1})), StartsWith("LogLoss: 1.5 is no probability"));
  CHECK_THROWS_WITH(train::ROCAUC().update(tensor({NAN}), tensor({1})), StartsWith("ROCAUC: a score is NaN"));
  CHECK_THROWS_WITH(train::MAE().update(zeros({2, 2}), zeros({4})),
                    StartsWith("MAE: predictions (2, 2) and targets (4,) differ in shape"));
}
