#include "ranking_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "metric_input.hpp"

namespace xgrad::train {

namespace detail {

void RankedScores::update(const Tensor& prediction, const Tensor& target) {
  const Rows scores = rows(op_, prediction);
  check(prediction.dim() <= 2 && scores.width > 0, op_, ": predictions of shape ", prediction.shape(),
        "; (N,) scores of class 1, or (N, C) of C classes, are needed");
  check(width_ == 0 || width_ == scores.width, op_, ": ", scores.width, " scores a sample, but ", width_,
        " before; reset() starts anew");
  const auto labels = class_numbers(op_, target, scores.count, std::max<std::int64_t>(scores.width, 2));
  const auto values = scores.values.span<const double>();
  for (const double score : values) check(!std::isnan(score), op_, ": a score is NaN, which has no rank");
  xgrad::detail::with_memory_for(op_, [&] {
    scores_.reserve(scores_.size() + values.size());
    labels_.insert(labels_.end(), labels.begin(), labels.end());
    scores_.insert(scores_.end(), values.begin(), values.end());
  });
  width_ = scores.width;
}

void RankedScores::reset() {
  width_ = 0;
  scores_.clear();
  labels_.clear();
}

double RankedScores::mean_of(Value value) const {
  if (labels_.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto width = static_cast<std::size_t>(width_);
  std::vector<std::size_t> order(labels_.size());
  double sum = 0;
  const std::size_t first = width == 2 ? 1 : 0;  // of two classes it is class 1 that is ranked
  for (std::size_t column = first; column < width; ++column) {
    const std::int64_t positive_label = width == 1 ? 1 : static_cast<std::int64_t>(column);
    const auto score = [&](std::size_t sample) { return scores_[sample * width + column]; };
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return score(a) > score(b); });
    std::vector<Group> groups;
    double positive = 0, negative = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i == 0 || score(order[i]) != score(order[i - 1])) groups.emplace_back();
      const bool is_positive = labels_[order[i]] == positive_label;
      ++(is_positive ? groups.back().positive : groups.back().negative);
      ++(is_positive ? positive : negative);
    }
    sum += value(groups, positive, negative);
  }
  return sum / static_cast<double>(width - first);
}

}  // namespace detail

double ROCAUC::compute() const {
  return mean_of([](const std::vector<Group>& groups, double positive, double negative) {
    double twice = 0, above = 0;  // whole numbers, exact
    for (const Group& group : groups) {
      twice += group.negative * (2 * above + group.positive);
      above += group.positive;
    }
    return twice / (2 * positive * negative);
  });
}

double AveragePrecision::compute() const {
  return mean_of([](const std::vector<Group>& groups, double positive, double) {
    double sum = 0, above = 0, right = 0;
    for (const Group& group : groups) {
      right += group.positive;
      above += group.positive + group.negative;
      sum += group.positive * (right / above);
    }
    return positive > 0 ? sum / positive : 0;
  });
}

}  // namespace xgrad::train
