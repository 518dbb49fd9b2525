#pragma once
// How good probabilities are: streaming metrics of what a classifier says of its own certainty.

#include <cstdint>
#include <vector>

#include "../autograd/tensor.hpp"
#include "compensated_sum.hpp"

namespace xgrad::train {

// Predictions are of C classes, (N, C), or of class 1 of two, (N,) or (N, 1); targets are class numbers (N,) or (N, 1).
// update() throws Error, with nothing changed, for other shapes, class numbers out of range, and probabilities outside
// 0 to 1. compute() of no samples is NaN.

struct ProbabilityOptions {
  bool from_logits = false;  // predictions are scores, of which softmax (sigmoid) is the probability
};

/// The mean of -log of the probability of the target class. A probability is taken to be at least the epsilon of its
/// dtype, as in scikit-learn's log_loss; logits have no such bound.
class LogLoss {
 public:
  explicit LogLoss(const ProbabilityOptions& options = {}) : from_logits_(options.from_logits) {}
  void update(const Tensor& prediction, const Tensor& target);
  double compute() const;
  void reset() { *this = LogLoss({from_logits_}); }

 private:
  bool from_logits_;
  detail::CompensatedSum sum_;
  std::int64_t count_ = 0;
};

struct PerplexityOptions {
  std::int64_t ignore_index = -100;  // targets that do not count
};

/// exp of the mean of -log of the probability of the target, from logits (N, C), or (N, ..., C) with targets (N, ...).
class Perplexity {
 public:
  explicit Perplexity(const PerplexityOptions& options = {}) : ignore_index_(options.ignore_index) {}
  void update(const Tensor& logits, const Tensor& target);
  double compute() const;
  void reset() { *this = Perplexity({ignore_index_}); }

 private:
  std::int64_t ignore_index_;
  detail::CompensatedSum sum_;
  std::int64_t count_ = 0;
};

struct CalibrationErrorOptions {
  std::int64_t bins = 15;
  bool from_logits = false;
};

/// Expected calibration error (Guo et al., 2017): over equal bins (lower, upper] of the confidence, the mean of
/// |part that is right - mean confidence|, weighted by samples. The confidence is the largest probability of C classes,
/// and right is the argmax; of two classes, (N,), it is the probability of class 1, and right a sample of class 1: the
/// bins of scikit-learn's calibration_curve.
class CalibrationError {
 public:
  /// Throws Error unless there are 1 to 2^20 bins.
  explicit CalibrationError(const CalibrationErrorOptions& options = {});
  void update(const Tensor& prediction, const Tensor& target);
  double compute() const;
  void reset();

 private:
  struct Bin {
    std::int64_t count = 0, right = 0;
    detail::CompensatedSum confidence;
  };
  CalibrationErrorOptions options_;
  std::vector<Bin> bins_;
};

}  // namespace xgrad::train
