#pragma once
// How far predicted numbers are from the true ones: streaming metrics of regression.

#include <cstdint>
#include <vector>

#include "../autograd/tensor.hpp"
#include "compensated_sum.hpp"

namespace xgrad::train {

namespace detail {

/// Sums over the samples, for each number of a target apart.
class Residuals {
 public:
  explicit Residuals(const char* op) : op_(op) {}
  void update(const Tensor& prediction, const Tensor& target);
  void reset();

 protected:
  struct Output {
    CompensatedSum absolute, squared;  // of prediction - target
    double origin = 0;  // the first target, from which others are measured: a mean far from 0 has no digits
    double mean = 0, deviations = 0;  // to spare. Of targets, and the sum of their squared deviations from it
  };
  std::int64_t count() const { return count_; }
  /// The mean of value(output) over the numbers of a target; NaN before the first sample.
  double mean_of(double (*value)(const Output& output, double count)) const;

 private:
  const char* op_;
  std::int64_t count_ = 0;
  std::vector<Output> outputs_;
};

}  // namespace detail

// Predictions and targets have one shape, (N,), (N, 1) against (N,), or (N, ...), of any dtype; of several numbers a
// sample the value is the mean of that of each, as scikit-learn's uniform_average. update() throws Error, with nothing
// changed, for other shapes.

/// The mean of |prediction - target|.
class MAE : public detail::Residuals {
 public:
  MAE() : Residuals("MAE") {}
  double compute() const;
};

/// The root of the mean of (prediction - target)^2.
class RMSE : public detail::Residuals {
 public:
  RMSE() : Residuals("RMSE") {}
  double compute() const;
};

/// The part of the variance that predictions explain: 1 - sum (prediction - target)^2 / sum (target - mean)^2. For
/// constant targets 1 where predictions are exact, else 0; NaN for less than two samples, as scikit-learn's r2_score.
class R2 : public detail::Residuals {
 public:
  R2() : Residuals("R2") {}
  double compute() const;
};

}  // namespace xgrad::train
