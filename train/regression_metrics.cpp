#include "regression_metrics.hpp"

#include <cmath>
#include <limits>

#include "metric_input.hpp"

namespace xgrad::train {

namespace detail {

void Residuals::update(const Tensor& prediction, const Tensor& target) {
  const Rows predicted = rows(op_, prediction), given = rows(op_, target);
  check(predicted.count == given.count && predicted.width == given.width &&
            (prediction.shape() == target.shape() || predicted.width == 1),
        op_, ": predictions ", prediction.shape(), " and targets ", target.shape(), " differ in shape");
  const auto width = static_cast<std::size_t>(given.width);
  check(count_ == 0 || outputs_.size() == width, op_, ": ", given.width, " numbers a sample, but ", outputs_.size(),
        " before; reset() starts anew");
  if (given.count == 0) return;
  xgrad::detail::with_memory_for(op_, [&] { outputs_.resize(width); });
  const auto before = static_cast<double>(count_), added = static_cast<double>(given.count), after = before + added;
  for (std::size_t j = 0; j < width; ++j) {
    Output& output = outputs_[j];
    if (count_ == 0) output.origin = given[0][j];
    CompensatedSum sum;
    for (std::int64_t i = 0; i < given.count; ++i) {
      const double residual = predicted[i][j] - given[i][j];
      output.absolute += std::abs(residual);
      output.squared += residual * residual;
      sum += given[i][j] - output.origin;
    }
    const double mean = sum.value() / added;
    CompensatedSum deviations;
    for (std::int64_t i = 0; i < given.count; ++i) {
      const double deviation = given[i][j] - output.origin - mean;
      deviations += deviation * deviation;
    }
    // Moments of two groups as those of one: Chan, Golub and LeVeque (1983).
    const double apart = mean - output.mean;
    output.deviations += deviations.value() + apart * apart * (before * added / after);
    output.mean += apart * (added / after);
  }
  count_ += given.count;
}

void Residuals::reset() {
  count_ = 0;
  outputs_.clear();
}

double Residuals::mean_of(double (*value)(const Output&, double)) const {
  if (outputs_.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (const Output& output : outputs_) sum += value(output, static_cast<double>(count_));
  return sum / static_cast<double>(outputs_.size());
}

}  // namespace detail

double MAE::compute() const {
  return mean_of([](const Output& output, double count) { return output.absolute.value() / count; });
}

double RMSE::compute() const {
  return mean_of([](const Output& output, double count) { return std::sqrt(output.squared.value() / count); });
}

double R2::compute() const {
  if (count() < 2) return std::numeric_limits<double>::quiet_NaN();
  return mean_of([](const Output& output, double) {
    const double residual = output.squared.value();
    if (output.deviations == 0) return residual == 0 ? 1.0 : 0.0;
    return 1 - residual / output.deviations;
  });
}

}  // namespace xgrad::train
