#include "probability_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../ops/shape.hpp"
#include "metric_input.hpp"

namespace xgrad::train {

namespace {

double mean(const detail::CompensatedSum& sum, std::int64_t count) {
  return count ? sum.value() / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
}

/// In place: logits of a row become probabilities.
void to_probabilities(std::span<double> row) {
  if (row.size() == 1) {
    row[0] = 1 / (1 + std::exp(-row[0]));
    return;
  }
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (double& x : row) sum += x = std::exp(x - largest);
  for (double& x : row) x /= sum;
}

}  // namespace

void LogLoss::update(const Tensor& prediction, const Tensor& target) {
  const std::vector<double> logs = detail::target_log_probabilities("LogLoss", prediction, target, from_logits_);
  for (const double log : logs) sum_ += -log;
  count_ += static_cast<std::int64_t>(logs.size());
}

double LogLoss::compute() const { return mean(sum_, count_); }

void Perplexity::update(const Tensor& logits, const Tensor& target) {
  check(logits.defined() && target.defined() && logits.dim() >= 2 && logits.dim() == target.dim() + 1 &&
            std::equal(target.shape().begin(), target.shape().end(), logits.shape().begin()) && logits.size(-1) > 1,
        "Perplexity: logits ", logits.defined() ? logits.shape() : Shape(), " do not go along with targets ",
        target.defined() ? target.shape() : Shape(), "; (N, ..., C) and (N, ...) are needed, for more than one class");
  const std::int64_t classes = logits.size(-1);
  std::vector<std::int64_t> labels = target.detach().to_vector<std::int64_t>();
  std::vector<bool> counts(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    counts[i] = labels[i] != ignore_index_;
    if (!counts[i]) labels[i] = 0;
  }
  const std::vector<double> logs = detail::target_log_probabilities(
      "Perplexity", reshape(logits.detach(), {target.numel(), classes}), tensor(labels), true);
  for (std::size_t i = 0; i < logs.size(); ++i)
    if (counts[i]) {
      sum_ += -logs[i];
      ++count_;
    }
}

double Perplexity::compute() const { return std::exp(mean(sum_, count_)); }

CalibrationError::CalibrationError(const CalibrationErrorOptions& options) : options_(options) {
  check(options.bins >= 1 && options.bins <= 1 << 20, "CalibrationError: ", options.bins,
        " bins; 1 to 1048576 are possible");
  reset();
}

void CalibrationError::reset() {
  xgrad::detail::with_memory_for("CalibrationError",
                                 [&] { bins_.assign(static_cast<std::size_t>(options_.bins), Bin{}); });
}

void CalibrationError::update(const Tensor& prediction, const Tensor& target) {
  constexpr const char* op = "CalibrationError";
  detail::Rows scores = detail::rows(op, prediction);
  check(prediction.dim() <= 2 && is_floating(prediction.dtype()) && scores.width > 0, op, ": predictions of shape ",
        prediction.shape(), "; (N, C) probabilities of C classes, or (N,) of class 1, are needed");
  const bool binary = scores.width == 1;
  const auto labels = detail::class_numbers(op, target, scores.count, binary ? 2 : scores.width);
  if (options_.from_logits) {
    const NoGrad no_grad;
    scores.values = scores.values.clone();
    const auto all = scores.values.span<double>();
    const auto width = static_cast<std::size_t>(scores.width);
    for (std::size_t i = 0; i < all.size(); i += width) to_probabilities(all.subspan(i, width));
  }
  for (const double p : scores.values.span<const double>())
    check(p >= 0 && p <= 1, op, ": ", p, " is no probability; for scores of any size say {.from_logits = true}");

  const auto bins = static_cast<double>(options_.bins), width = 1 / bins;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span<const double> row = scores[static_cast<std::int64_t>(i)];
    const auto best = std::max_element(row.begin(), row.end());
    const double confidence = *best;
    // The number of inner edges below it: rounding of the product may be off by one.
    auto bin = std::min(std::floor(confidence * bins), bins - 1);
    while (bin > 0 && !(bin * width < confidence)) --bin;
    while (bin < bins - 1 && (bin + 1) * width < confidence) ++bin;
    Bin& to = bins_[static_cast<std::size_t>(bin)];
    ++to.count;
    to.right += binary ? labels[i] == 1 : best - row.begin() == labels[i];
    to.confidence += confidence;
  }
}

double CalibrationError::compute() const {
  std::int64_t count = 0;
  detail::CompensatedSum sum;
  for (const Bin& bin : bins_) {
    count += bin.count;
    sum += std::abs(static_cast<double>(bin.right) - bin.confidence.value());
  }
  return mean(sum, count);
}

}  // namespace xgrad::train
