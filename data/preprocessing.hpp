#pragma once
// Preprocessing of tables that is fitted to the training samples, saved with the model, and applied to any others.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "../autograd/named_tensors.hpp"
#include "labels.hpp"

namespace xgrad::data {

// fit(x) learns from samples (N, D), transform(x) applies what it learnt to others of D features. The names and what
// they compute are scikit-learn's. What was learnt is float64; x may have any dtype, and a floating one is kept, any
// other becomes float32. transform() is made of differentiable operations. All have state_dict() and load_state_dict(),
// so that train::Checkpoint keeps them beside the model. Throws Error for other shapes, for less than one sample, and
// where fit() was not called.
//
//     data::StandardScaler scaler;
//     const Tensor x = scaler.fit_transform(train_table.numbers({"age", "height"}));
//     train::Checkpoint checkpoint("net.checkpoint", net, adam, scaler);

namespace internal {

/// Numbers for each feature, by name.
class FittedFeatures {
 public:
  NamedTensors state_dict() const;
  /// Throws Error, with nothing changed, unless the names and shapes are those of such a state.
  void load_state_dict(const NamedTensors& state);
  bool is_fitted() const { return !state_.empty(); }

 protected:
  FittedFeatures(const char* name, std::initializer_list<const char*> entries) : name_(name), entries_(entries) {}
  ~FittedFeatures() = default;
  /// (D,) float64.
  const Tensor& entry(std::string_view name) const;
  /// Calls learn(the numbers of a feature without NaN, feature), which returns one number for each entry.
  template <class Learn>
  void fit_features(const Tensor& x, Learn&& learn);
  /// f(x in float64) in the dtype that transform() returns.
  template <class F>
  Tensor apply(const Tensor& x, F&& f) const;

 private:
  const char* name_;
  std::vector<const char*> entries_;
  NamedTensors state_;
};

}  // namespace internal

struct StandardScalerOptions {
  bool with_mean = true;
  bool with_std = true;
};

/// (x - mean) / std of each feature, with the biased standard deviation of the samples; 1 where it is constant. NaN is
/// passed over, and stays.
class StandardScaler : public internal::FittedFeatures {
 public:
  explicit StandardScaler(const StandardScalerOptions& options = {})
      : FittedFeatures("StandardScaler", {"mean", "var", "scale"}), options_(options) {}
  StandardScaler& fit(const Tensor& x);
  Tensor transform(const Tensor& x) const;
  Tensor inverse_transform(const Tensor& x) const;
  Tensor fit_transform(const Tensor& x) { return fit(x).transform(x); }

  Tensor mean() const { return entry("mean"); }
  Tensor var() const { return entry("var"); }
  Tensor scale() const { return entry("scale"); }

 private:
  StandardScalerOptions options_;
};

struct MinMaxScalerOptions {
  double min = 0, max = 1;  // what the least and the largest sample become
  bool clip = false;        // others too are kept between
};

/// Each feature brought to [min, max] by a straight line. NaN is passed over, and stays.
class MinMaxScaler : public internal::FittedFeatures {
 public:
  /// Throws Error unless min < max.
  explicit MinMaxScaler(const MinMaxScalerOptions& options = {});
  MinMaxScaler& fit(const Tensor& x);
  Tensor transform(const Tensor& x) const;
  Tensor inverse_transform(const Tensor& x) const;
  Tensor fit_transform(const Tensor& x) { return fit(x).transform(x); }

  Tensor data_min() const { return entry("data_min"); }
  Tensor data_max() const { return entry("data_max"); }

 private:
  MinMaxScalerOptions options_;
};

enum class ImputeStrategy { mean, median, most_frequent, constant };

struct SimpleImputerOptions {
  ImputeStrategy strategy = ImputeStrategy::mean;  // of equally frequent numbers the least
  double fill_value = 0;                           // for `constant`
};

/// A number in the place of NaN, for each feature one. Throws Error for a feature that is NaN in all samples, unless
/// the strategy is `constant`.
class SimpleImputer : public internal::FittedFeatures {
 public:
  explicit SimpleImputer(const SimpleImputerOptions& options = {})
      : FittedFeatures("SimpleImputer", {"statistics"}), options_(options) {}
  SimpleImputer& fit(const Tensor& x);
  Tensor transform(const Tensor& x) const;
  Tensor fit_transform(const Tensor& x) { return fit(x).transform(x); }

  Tensor statistics() const { return entry("statistics"); }

 private:
  SimpleImputerOptions options_;
};

/// Numbers for classes: 0, 1, ... in the order of the classes that fit() has seen, sorted.
class LabelEncoder {
 public:
  LabelEncoder& fit(const Labels& labels);
  /// (N,) int64. Throws Error for a label that fit() has not seen, and for a missing one.
  Tensor transform(const Labels& labels) const;
  Tensor fit_transform(const Labels& labels) { return fit(labels).transform(labels); }
  /// The class of each number (N,).
  std::vector<std::string> inverse_transform(const Tensor& numbers) const;

  const std::vector<std::string>& classes() const { return classes_; }
  NamedTensors state_dict() const;
  void load_state_dict(const NamedTensors& state);

 private:
  friend class OneHotEncoder;
  /// The number of each label, -1 for what is missing or was not seen.
  std::vector<std::int64_t> numbers_of(const Labels& labels) const;

  std::vector<std::string> classes_;
};

struct OneHotEncoderOptions {
  bool ignore_unknown = false;  // a label that fit() has not seen, or is missing, is all zeros; else an Error
};

/// A column of zeros and ones for each class of each feature.
///
///     data::OneHotEncoder encoder;
///     const Tensor x = encoder.fit_transform({table["sex"], table["port"]});  // (N, 2 + 3) float32
class OneHotEncoder {
 public:
  explicit OneHotEncoder(const OneHotEncoderOptions& options = {}) : options_(options) {}
  OneHotEncoder& fit(const std::vector<Labels>& features);
  Tensor transform(const std::vector<Labels>& features) const;
  Tensor fit_transform(const std::vector<Labels>& features) { return fit(features).transform(features); }

  /// The classes of each feature, sorted.
  std::vector<std::vector<std::string>> categories() const;
  NamedTensors state_dict() const;
  void load_state_dict(const NamedTensors& state);

 private:
  OneHotEncoderOptions options_;
  std::vector<LabelEncoder> features_;
};

}  // namespace xgrad::data
