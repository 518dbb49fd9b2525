#include "classification_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metric_input.hpp"

namespace xgrad::train {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Whether the score of one class comes before that of another: NaN is the largest, as for argmax.
bool comes_before(double a, std::size_t class_a, double b, std::size_t class_b) {
  if (std::isnan(a) != std::isnan(b)) return std::isnan(a);
  return a > b || (!(a < b) && class_a < class_b);
}

std::int64_t largest(std::span<const double> scores) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < scores.size(); ++i)
    if (comes_before(scores[i], i, scores[best], best)) best = i;
  return static_cast<std::int64_t>(best);
}

bool are_class_numbers(const Tensor& prediction) {
  return prediction.defined() && prediction.dim() == 1 && !is_floating(prediction.dtype());
}

}  // namespace

Accuracy::Accuracy(const TopKOptions& options) : top_k_(options.top_k) {
  check(top_k_ >= 1, "Accuracy: top_k is ", top_k_, "; it must be at least 1");
}

void Accuracy::update(const Tensor& prediction, const Tensor& target) {
  constexpr auto any = std::numeric_limits<std::int64_t>::max();
  std::int64_t right = 0, count = 0;
  if (are_class_numbers(prediction)) {
    check(top_k_ == 1, "Accuracy: top_k is ", top_k_, ", which needs scores of shape (N, C), not class numbers");
    count = prediction.size(0);
    const auto predicted = detail::class_numbers("Accuracy", prediction, count, any),
               labels = detail::class_numbers("Accuracy", target, count, any);
    for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i];
  } else {
    const detail::Rows scores = detail::rows("Accuracy", prediction);
    check(prediction.dim() == 2 && scores.width > 1, "Accuracy: predictions of shape ", prediction.shape(),
          "; scores (N, C) of more than one class, or class numbers (N,) of an integer dtype, are needed");
    count = scores.count;
    const auto labels = detail::class_numbers("Accuracy", target, count, scores.width);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::span<const double> row = scores[static_cast<std::int64_t>(i)];
      const auto label = static_cast<std::size_t>(labels[i]);
      std::int64_t before = 0;
      for (std::size_t k = 0; k < row.size(); ++k) before += comes_before(row[k], k, row[label], label);
      right += before < top_k_;
    }
  }
  right_ += right;
  count_ += count;
}

double Accuracy::compute() const { return count_ ? static_cast<double>(right_) / static_cast<double>(count_) : nan; }

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes) {
  check(classes >= 1 && classes <= 1 << 15, "ConfusionMatrix: ", classes, " classes; 1 to 32768 are possible");
  reset();
}

void ConfusionMatrix::reset() {
  xgrad::detail::with_memory_for("ConfusionMatrix",
                                 [&] { matrix_.assign(static_cast<std::size_t>(classes_ * classes_), 0); });
}

void ConfusionMatrix::update(const Tensor& prediction, const Tensor& target) {
  std::vector<std::int64_t> predicted;
  if (are_class_numbers(prediction)) {
    predicted = detail::class_numbers("ConfusionMatrix", prediction, prediction.size(0), classes_);
  } else {
    const detail::Rows scores = detail::rows("ConfusionMatrix", prediction);
    check(prediction.dim() == 2 && scores.width == classes_, "ConfusionMatrix: predictions of shape ",
          prediction.shape(), "; scores (N, ", classes_, "), or class numbers (N,) of an integer dtype, are needed");
    for (std::int64_t i = 0; i < scores.count; ++i) predicted.push_back(largest(scores[i]));
  }
  const auto labels =
      detail::class_numbers("ConfusionMatrix", target, static_cast<std::int64_t>(predicted.size()), classes_);
  for (std::size_t i = 0; i < labels.size(); ++i)
    ++matrix_[static_cast<std::size_t>(labels[i] * classes_ + predicted[i])];
}

Tensor ConfusionMatrix::compute() const {
  Tensor out = xgrad::detail::empty({classes_, classes_}, int64);
  std::copy(matrix_.begin(), matrix_.end(), out.data<std::int64_t>());
  return out;
}

std::vector<ConfusionMatrix::Counts> ConfusionMatrix::counts() const {
  const auto n = static_cast<std::size_t>(classes_);
  std::vector<Counts> out(n, Counts{0, 0, 0});
  for (std::size_t actual = 0; actual < n; ++actual)
    for (std::size_t predicted = 0; predicted < n; ++predicted) {
      const auto count = static_cast<double>(matrix_[actual * n + predicted]);
      out[actual].actual += count;
      out[predicted].predicted += count;
      if (actual == predicted) out[actual].right = count;
    }
  return out;
}

double ConfusionMatrix::precision_of(const Counts& c) { return c.predicted > 0 ? c.right / c.predicted : 0; }
double ConfusionMatrix::recall_of(const Counts& c) { return c.actual > 0 ? c.right / c.actual : 0; }
double ConfusionMatrix::f1_of(const Counts& c) {
  return c.predicted + c.actual > 0 ? 2 * c.right / (c.predicted + c.actual) : 0;
}

double ConfusionMatrix::averaged(Value value, Average average) const {
  double sum = 0, weights = 0;
  Counts all{0, 0, 0};
  for (const Counts& c : counts()) {
    const double weight = average == Average::weighted ? c.actual : c.actual + c.predicted > 0 ? 1 : 0;
    sum += weight * value(c);
    weights += weight;
    all = {all.right + c.right, all.predicted + c.predicted, all.actual + c.actual};
  }
  if (all.actual == 0) return nan;
  return average == Average::micro ? value(all) : sum / weights;
}

Tensor ConfusionMatrix::per_class(Value value) const {
  Tensor out = xgrad::detail::empty({classes_}, float64);
  const std::vector<Counts> all = counts();
  std::transform(all.begin(), all.end(), out.data<double>(), value);
  return out;
}

double ConfusionMatrix::accuracy() const { return averaged(recall_of, Average::micro); }
double ConfusionMatrix::precision(Average average) const { return averaged(precision_of, average); }
double ConfusionMatrix::recall(Average average) const { return averaged(recall_of, average); }
double ConfusionMatrix::f1(Average average) const { return averaged(f1_of, average); }
Tensor ConfusionMatrix::precision_per_class() const { return per_class(precision_of); }
Tensor ConfusionMatrix::recall_per_class() const { return per_class(recall_of); }
Tensor ConfusionMatrix::f1_per_class() const { return per_class(f1_of); }

}  // namespace xgrad::train
