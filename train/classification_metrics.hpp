#pragma once
// How often a classifier is right, and about which classes: streaming metrics of class numbers.

#include <cstdint>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::train {

// A metric is updated batch by batch, of any sizes, and gives what one batch of everything would have given.
// Predictions are scores (N, C), of which the largest counts, or class numbers (N,) of an integer dtype; targets are
// class numbers (N,) or (N, 1). update() throws Error, with nothing changed, for other shapes and for class numbers
// that are not in 0, ..., C - 1. Values are scikit-learn's, undefined ones 0 as there; before the first sample: NaN.

struct TopKOptions {
  std::int64_t top_k = 1;
};

/// The part of samples whose class is among the top_k of the largest scores. Of equal scores that of the first class
/// counts as larger, as in argmax (scikit-learn's top_k_accuracy_score: the last).
class Accuracy {
 public:
  /// Throws Error for top_k below 1.
  explicit Accuracy(const TopKOptions& options = {});
  void update(const Tensor& prediction, const Tensor& target);
  double compute() const;
  void reset() { right_ = count_ = 0; }

 private:
  std::int64_t top_k_, right_ = 0, count_ = 0;
};

/// How the values of classes become one: `macro`, their mean over the classes that occur among predictions or targets;
/// `weighted`, by how many samples each class has; `micro`, the value of all samples counted together.
enum class Average { macro, micro, weighted };

/// How many samples of each class were taken for each: counts[target][prediction].
class ConfusionMatrix {
 public:
  /// Throws Error for less than 1 class.
  explicit ConfusionMatrix(std::int64_t classes);
  void update(const Tensor& prediction, const Tensor& target);
  /// (C, C) int64, targets along the first axis.
  Tensor compute() const;
  void reset();

  std::int64_t classes() const { return classes_; }
  double accuracy() const;
  /// TP / (TP + FP), TP / (TP + FN) and 2 TP / (2 TP + FP + FN).
  double precision(Average average = Average::macro) const;
  double recall(Average average = Average::macro) const;
  double f1(Average average = Average::macro) const;
  /// (C,) float64: the same of each class.
  Tensor precision_per_class() const;
  Tensor recall_per_class() const;
  Tensor f1_per_class() const;

 private:
  struct Counts {
    double right, predicted, actual;
  };
  using Value = double (*)(const Counts&);
  std::vector<Counts> counts() const;
  double averaged(Value value, Average average) const;
  Tensor per_class(Value value) const;
  static double precision_of(const Counts& c);
  static double recall_of(const Counts& c);
  static double f1_of(const Counts& c);

  std::int64_t classes_;
  std::vector<std::int64_t> matrix_;
};

/// One value of a ConfusionMatrix as a metric.
template <double (ConfusionMatrix::*value)(Average) const>
class ConfusionMetric {
 public:
  explicit ConfusionMetric(std::int64_t classes, Average average = Average::macro)
      : matrix_(classes), average_(average) {}
  void update(const Tensor& prediction, const Tensor& target) { matrix_.update(prediction, target); }
  double compute() const { return (matrix_.*value)(average_); }
  void reset() { matrix_.reset(); }

 private:
  ConfusionMatrix matrix_;
  Average average_;
};

/// `Precision precision(10, Average::weighted)`.
using Precision = ConfusionMetric<&ConfusionMatrix::precision>;
using Recall = ConfusionMetric<&ConfusionMatrix::recall>;
using F1 = ConfusionMetric<&ConfusionMatrix::f1>;

}  // namespace xgrad::train
