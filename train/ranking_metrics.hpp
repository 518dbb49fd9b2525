#pragma once
// How well scores put samples in order: streaming metrics of rankings.

#include <cstdint>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::train {

namespace detail {

/// The scores and classes of all samples: a ranking is known when all are there. 8 bytes a score and 8 a sample.
class RankedScores {
 public:
  explicit RankedScores(const char* op) : op_(op) {}
  void update(const Tensor& prediction, const Tensor& target);
  void reset();

 protected:
  /// Samples of one score, of several in falling order.
  struct Group {
    double positive = 0, negative = 0;
  };
  using Value = double (*)(const std::vector<Group>& groups, double positive, double negative);
  /// The value of class 1 of two, or the mean over classes, each against the rest; NaN where there is no sample.
  double mean_of(Value value) const;

 private:
  const char* op_;
  std::int64_t width_ = 0;  // scores a sample, 0 before the first
  std::vector<double> scores_;
  std::vector<std::int64_t> labels_;
};

}  // namespace detail

// Predictions are scores of class 1 of two, (N,) or (N, 1), or of C classes, (N, C): then the value is the mean over
// classes of each against the rest. Targets are class numbers (N,) or (N, 1). update() throws Error, with nothing
// changed, for other shapes, class numbers out of range, and a score that is NaN. Scores are kept until reset().

/// Area under the receiver operating characteristic: the chance that a random sample of the class has a larger score
/// than one of the rest, ties counted half. NaN where a class has no sample, or all of them, as scikit-learn's
/// roc_auc_score.
class ROCAUC : public detail::RankedScores {
 public:
  ROCAUC() : RankedScores("ROCAUC") {}
  double compute() const;
};

/// The sum over thresholds of precision times the rise in recall, which does not interpolate; 0 where the class has no
/// sample, as scikit-learn's average_precision_score.
class AveragePrecision : public detail::RankedScores {
 public:
  AveragePrecision() : RankedScores("AveragePrecision") {}
  double compute() const;
};

}  // namespace xgrad::train
