#include "preprocessing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "../autograd/create.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/math.hpp"

namespace xgrad::data {

namespace internal {

NamedTensors FittedFeatures::state_dict() const { return state_; }

void FittedFeatures::load_state_dict(const NamedTensors& state) {
  check(state.empty() || state.size() == entries_.size(), name_, ": load_state_dict: ", state.size(),
        " entries, where ", entries_.size(), " were expected");
  NamedTensors loaded;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const auto& [name, value] = state[i];
    check(name == entries_[i] && value.defined() && value.dtype() == float64 && value.dim() == 1 &&
              value.shape() == state[0].second.shape(),
          name_, ": load_state_dict: entry `", name, "` is not one of its state");
    loaded.emplace_back(name, value.detach().clone());
  }
  state_ = std::move(loaded);
}

const Tensor& FittedFeatures::entry(std::string_view name) const {
  check(is_fitted(), name_, ": it was not fitted; call fit() first");
  return state_[name];
}

template <class Learn>
void FittedFeatures::fit_features(const Tensor& x, Learn&& learn) {
  check(x.defined() && x.dim() == 2 && x.size(0) > 0, name_, ": samples of shape ", x.defined() ? x.shape() : Shape(),
        "; (N, D) is needed, with at least one");
  const std::int64_t samples = x.size(0), features = x.size(1);
  const Tensor numbers = x.detach().to(float64).contiguous();
  NamedTensors state;
  for (const char* entry : entries_) state.emplace_back(entry, zeros({features}, {.dtype = float64}));
  std::vector<double> values;
  for (std::int64_t j = 0; j < features; ++j) {
    values.clear();
    for (std::int64_t i = 0; i < samples; ++i) {
      const double value = numbers.data<double>()[i * features + j];
      if (!std::isnan(value)) values.push_back(value);
    }
    const auto learnt = learn(values, j);
    for (std::size_t e = 0; e < learnt.size(); ++e) state[e].second.template data<double>()[j] = learnt[e];
  }
  state_ = std::move(state);
}

template <class F>
Tensor FittedFeatures::apply(const Tensor& x, F&& f) const {
  const std::int64_t features = entry(entries_[0]).size(0);
  check(x.defined() && x.dim() == 2 && x.size(1) == features, name_, ": samples of shape ",
        x.defined() ? x.shape() : Shape(), "; it was fitted to (N, ", features, ")");
  return f(x.to(float64)).to(is_floating(x.dtype()) ? x.dtype() : float32);
}

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

/// Texts as tensors, under names that begin with `prefix`.
void add_texts(NamedTensors& state, const std::string& prefix, const std::vector<std::string>& texts) {
  std::vector<std::uint8_t> bytes;
  std::vector<std::int64_t> lengths;
  for (const std::string& text : texts) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    lengths.push_back(static_cast<std::int64_t>(text.size()));
  }
  state.emplace_back(prefix + "bytes", tensor(bytes));
  state.emplace_back(prefix + "lengths", tensor(lengths));
}

/// Throws Error in the name of `op` unless entries `at` and `at` + 1 are what add_texts() has put there.
std::vector<std::string> texts_of(const char* op, const NamedTensors& state, const std::string& prefix,
                                  std::size_t at) {
  const bool fits = at + 1 < state.size() && state[at].first == prefix + "bytes" &&
                    state[at + 1].first == prefix + "lengths" && state[at].second.defined() &&
                    state[at].second.dtype() == uint8 && state[at + 1].second.defined() &&
                    state[at + 1].second.dtype() == int64;
  check(fits, op, ": load_state_dict: `", prefix, "bytes` and `", prefix, "lengths` are missing or none of its state");
  const auto bytes = state[at].second.to_vector<std::uint8_t>();
  std::vector<std::string> texts;
  std::size_t begin = 0;
  for (const std::int64_t length : state[at + 1].second.to_vector<std::int64_t>()) {
    check(length >= 0 && static_cast<std::uint64_t>(length) <= bytes.size() - begin, op,
          ": load_state_dict: the lengths of `", prefix, "lengths` do not fit the bytes");
    const auto* from = reinterpret_cast<const char*>(bytes.data()) + begin;
    texts.emplace_back(from, static_cast<std::size_t>(length));
    begin += static_cast<std::size_t>(length);
  }
  check(begin == bytes.size(), op, ": load_state_dict: `", prefix, "bytes` has more bytes than its lengths say");
  return texts;
}

}  // namespace

}  // namespace internal

StandardScaler& StandardScaler::fit(const Tensor& x) {
  fit_features(x, [](const std::vector<double>& values, std::int64_t) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    if (values.empty()) return std::vector<double>{nan, nan, nan};
    const auto count = static_cast<double>(values.size());
    double mean = 0, squares = 0, rest = 0;
    for (const double value : values) mean += value;
    mean /= count;
    for (const double value : values) {
      squares += (value - mean) * (value - mean);
      rest += value - mean;
    }
    mean += rest / count;  // what rounding of the first sum has left
    const double var = std::max(0.0, (squares - rest * rest / count) / count);
    // No more than rounding: constant.
    const double noise = count * internal::epsilon * var + std::pow(count * mean * internal::epsilon, 2);
    return std::vector<double>{mean, var, var <= noise ? 1 : std::sqrt(var)};
  });
  return *this;
}

Tensor StandardScaler::transform(const Tensor& x) const {
  return apply(x, [&](Tensor y) {
    if (options_.with_mean) y = y - mean();
    return options_.with_std ? y / scale() : y;
  });
}

Tensor StandardScaler::inverse_transform(const Tensor& x) const {
  return apply(x, [&](Tensor y) {
    if (options_.with_std) y = y * scale();
    return options_.with_mean ? y + mean() : y;
  });
}

MinMaxScaler::MinMaxScaler(const MinMaxScalerOptions& options)
    : FittedFeatures("MinMaxScaler", {"data_min", "data_max", "scale", "min"}), options_(options) {
  check(options.min < options.max, "MinMaxScaler: min ", options.min, " is not less than max ", options.max);
}

MinMaxScaler& MinMaxScaler::fit(const Tensor& x) {
  fit_features(x, [&](const std::vector<double>& values, std::int64_t) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    if (values.empty()) return std::vector<double>{nan, nan, nan, nan};
    const auto [least, largest] = std::minmax_element(values.begin(), values.end());
    const double range = *largest - *least;
    const double scale = (options_.max - options_.min) / (range < 10 * internal::epsilon ? 1 : range);
    return std::vector<double>{*least, *largest, scale, options_.min - *least * scale};
  });
  return *this;
}

Tensor MinMaxScaler::transform(const Tensor& x) const {
  return apply(x, [&](const Tensor& y) {
    const Tensor scaled = y * entry("scale") + entry("min");
    return options_.clip ? clamp(scaled, options_.min, options_.max) : scaled;
  });
}

Tensor MinMaxScaler::inverse_transform(const Tensor& x) const {
  return apply(x, [&](const Tensor& y) { return (y - entry("min")) / entry("scale"); });
}

namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return values.size() % 2 == 1 ? *middle : (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double most_frequent(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double best = values[0];
  std::ptrdiff_t most = 0;
  for (auto begin = values.begin(); begin != values.end();) {
    const auto end = std::upper_bound(begin, values.end(), *begin);
    if (end - begin > most) most = end - begin, best = *begin;
    begin = end;
  }
  return best;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

SimpleImputer& SimpleImputer::fit(const Tensor& x) {
  fit_features(x, [&](const std::vector<double>& values, std::int64_t feature) {
    const ImputeStrategy strategy = options_.strategy;
    check(!values.empty() || strategy == ImputeStrategy::constant, "SimpleImputer: feature ", feature,
          " is NaN in all samples; leave it out");
    return std::vector<double>{strategy == ImputeStrategy::mean            ? mean(values)
                               : strategy == ImputeStrategy::median        ? median(values)
                               : strategy == ImputeStrategy::most_frequent ? most_frequent(values)
                                                                           : options_.fill_value};
  });
  return *this;
}

Tensor SimpleImputer::transform(const Tensor& x) const {
  return apply(x, [&](const Tensor& y) { return where(isnan(y), statistics(), y); });
}

LabelEncoder& LabelEncoder::fit(const Labels& labels) {
  classes_ = labels.classes();
  return *this;
}

std::vector<std::int64_t> LabelEncoder::numbers_of(const Labels& labels) const {
  std::unordered_map<std::string_view, std::int64_t> number;
  for (const std::string& name : classes_) number.emplace(name, static_cast<std::int64_t>(number.size()));
  std::vector<std::int64_t> of_class;
  for (const std::string& name : labels.classes()) {
    const auto found = number.find(name);
    of_class.push_back(found == number.end() ? -1 : found->second);
  }
  std::vector<std::int64_t> out;
  for (const std::int64_t code : labels.codes())
    out.push_back(code < 0 ? -1 : of_class[static_cast<std::size_t>(code)]);
  return out;
}

namespace {

[[noreturn]] void fail_unseen(const char* op, const Labels& labels, std::size_t sample) {
  const std::int64_t code = labels.codes()[sample];
  check(code >= 0, op, ": the label of sample ", sample, " is missing");
  fail(op, ": fit() has not seen `", labels.classes()[static_cast<std::size_t>(code)], "`, the label of sample ",
       sample);
}

}  // namespace

Tensor LabelEncoder::transform(const Labels& labels) const {
  const std::vector<std::int64_t> numbers = numbers_of(labels);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i] < 0) fail_unseen("LabelEncoder", labels, i);
  return tensor(numbers);
}

std::vector<std::string> LabelEncoder::inverse_transform(const Tensor& numbers) const {
  std::vector<std::string> names;
  for (const std::int64_t number : numbers.to_vector<std::int64_t>()) {
    check(number >= 0 && static_cast<std::size_t>(number) < classes_.size(), "LabelEncoder: ", number,
          " is no class; there are ", classes_.size(), ", from 0");
    names.push_back(classes_[static_cast<std::size_t>(number)]);
  }
  return names;
}

NamedTensors LabelEncoder::state_dict() const {
  NamedTensors state;
  internal::add_texts(state, "classes.", classes_);
  return state;
}

void LabelEncoder::load_state_dict(const NamedTensors& state) {
  check(state.size() == 2, "LabelEncoder: load_state_dict: ", state.size(), " entries, where 2 were expected");
  classes_ = internal::texts_of("LabelEncoder", state, "classes.", 0);
}

OneHotEncoder& OneHotEncoder::fit(const std::vector<Labels>& features) {
  features_.assign(features.size(), LabelEncoder());
  for (std::size_t j = 0; j < features.size(); ++j) features_[j].fit(features[j]);
  return *this;
}

Tensor OneHotEncoder::transform(const std::vector<Labels>& features) const {
  check(!features_.empty(), "OneHotEncoder: it was not fitted; call fit() first");
  check(features.size() == features_.size(), "OneHotEncoder: ", features.size(), " features; it was fitted to ",
        features_.size());
  std::int64_t width = 0;
  for (const LabelEncoder& feature : features_) width += static_cast<std::int64_t>(feature.classes().size());
  const std::int64_t samples = features[0].size();
  const Tensor out = zeros({samples, width});
  float* column = out.data<float>();
  for (std::size_t j = 0; j < features.size(); ++j) {
    check(features[j].size() == samples, "OneHotEncoder: feature ", j, " has ", features[j].size(),
          " samples, feature 0 ", samples);
    const std::vector<std::int64_t> numbers = features_[j].numbers_of(features[j]);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] >= 0)
        column[static_cast<std::int64_t>(i) * width + numbers[i]] = 1;
      else if (!options_.ignore_unknown)
        fail_unseen("OneHotEncoder", features[j], i);
    }
    column += features_[j].classes().size();
  }
  return out;
}

std::vector<std::vector<std::string>> OneHotEncoder::categories() const {
  std::vector<std::vector<std::string>> all;
  for (const LabelEncoder& feature : features_) all.push_back(feature.classes());
  return all;
}

NamedTensors OneHotEncoder::state_dict() const {
  NamedTensors state;
  for (std::size_t j = 0; j < features_.size(); ++j)
    internal::add_texts(state, "categories." + std::to_string(j) + '.', features_[j].classes());
  return state;
}

void OneHotEncoder::load_state_dict(const NamedTensors& state) {
  std::vector<LabelEncoder> features(state.size() / 2);
  check(state.size() % 2 == 0, "OneHotEncoder: load_state_dict: ", state.size(), " entries are not two a feature");
  for (std::size_t j = 0; j < features.size(); ++j)
    features[j].classes_ = internal::texts_of("OneHotEncoder", state, "categories." + std::to_string(j) + '.', 2 * j);
  features_ = std::move(features);
}

}  // namespace xgrad::data
