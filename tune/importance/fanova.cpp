#include "fanova.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../trials/draws.hpp"
#include "../trials/joint_space.hpp"
#include "../trials/space.hpp"

namespace xgrad::tune::detail {
namespace {

// What the trees are grown from: a column a parameter, its coordinate u or the index of the choice.
struct Columns {
  std::vector<std::vector<double>> x;
  std::vector<std::size_t> choices;  // of each parameter; 0: a number
  std::vector<double> y;             // about their mean
};

// A step function of u in [0, 1], or a value for each choice.
class Marginal {
 public:
  explicit Marginal(std::size_t choices) : values_(choices) {}

  void add_range(double low, double high, double value) {
    steps_.emplace_back(low, value);
    steps_.emplace_back(high, -value);
  }
  void add_choice(std::size_t choice, double value) { values_[choice] += value; }

  double variance() {
    double mean = 0, square = 0;
    const auto add = [&](double weight, double value) {
      mean += weight * value;
      square += weight * value * value;
    };
    for (const double value : values_) add(1 / static_cast<double>(values_.size()), value);
    std::sort(steps_.begin(), steps_.end());
    double value = 0;
    for (std::size_t i = 0; i + 1 < steps_.size(); ++i) {
      value += steps_[i].second;
      add(steps_[i + 1].first - steps_[i].first, value);
    }
    return std::max(square - mean * mean, 0.0);
  }

 private:
  std::vector<double> values_;
  std::vector<std::pair<double, double>> steps_;
};

// A regression tree on a bootstrap sample, which is taken apart while it grows: each leaf is a box of the space, and
// adds its value to the marginals of all parameters.
class Tree {
 public:
  Tree(const Columns& data, int max_depth, Draws draws)
      : data_(data), max_depth_(max_depth), weight_(data.y.size()), goes_left_(data.y.size()) {
    const auto n = static_cast<double>(data.y.size());
    for (std::size_t i = 0; i < data.y.size(); ++i) ++weight_[static_cast<std::size_t>(draws.uniform() * n)];
    std::vector<std::size_t> drawn;
    for (std::size_t i = 0; i < weight_.size(); ++i)
      if (weight_[i] > 0) drawn.push_back(i);
    for (std::size_t p = 0; p < data.x.size(); ++p) {
      order_.push_back(drawn);
      std::stable_sort(order_[p].begin(), order_[p].end(),
                       [&x = data.x[p]](std::size_t a, std::size_t b) { return x[a] < x[b]; });
      marginals_.emplace_back(data.choices[p]);
      box_.push_back({0, 1, std::vector<bool>(data.choices[p], true)});
    }
    grow(0, drawn.size(), 0, 1);
  }

  // Which part of the variance each parameter explains; empty where there is none.
  std::vector<double> explained() {
    const double variance = square_ - mean_ * mean_;
    std::vector<double> out;
    if (!(variance > 1e-14 * square_)) return out;
    for (Marginal& marginal : marginals_) out.push_back(marginal.variance() / variance);
    return out;
  }

 private:
  struct Side {
    double low, high;           // of a number
    std::vector<bool> choices;  // otherwise those that are left

    double size() const {
      if (choices.empty()) return high - low;
      return static_cast<double>(std::count(choices.begin(), choices.end(), true)) /
             static_cast<double>(choices.size());
    }
  };
  struct Split {
    double gain = 0, at = 0;  // left of it, or this choice
    std::size_t parameter = 0;
  };
  struct Sum {
    double weight = 0, y = 0;
    double part() const { return weight > 0 ? y * y / weight : 0; }
  };

  // What most reduces the sum of squares; gain 0 where nothing does.
  Split best_split(std::size_t begin, std::size_t end, Sum all) const {
    Split best;
    const auto consider = [&](std::size_t p, double at, Sum left) {
      const double gain = left.part() + Sum{all.weight - left.weight, all.y - left.y}.part() - all.part();
      if (left.weight < all.weight && gain > best.gain) best = {gain, at, p};
    };
    for (std::size_t p = 0; p < order_.size(); ++p) {
      Sum left;
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t k = order_[p][i];
        left.weight += weight_[k];
        left.y += weight_[k] * data_.y[k];
        if (i + 1 < end && data_.x[p][order_[p][i + 1]] == data_.x[p][k]) continue;
        if (data_.choices[p] > 0) {
          consider(p, data_.x[p][k], left);
          left = {};
        } else if (i + 1 < end) {
          const double next = data_.x[p][order_[p][i + 1]], middle = (data_.x[p][k] + next) / 2;
          consider(p, middle > data_.x[p][k] ? middle : next, left);  // it may have been rounded down
        }
      }
    }
    return best;
  }

  // The samples from begin to end of every order are in the box, of which `size` is the volume.
  void grow(std::size_t begin, std::size_t end, int depth, double size) {
    Sum all;
    double squares = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t k = order_[0][i];
      all.weight += weight_[k];
      all.y += weight_[k] * data_.y[k];
      squares += weight_[k] * data_.y[k] * data_.y[k];
    }
    const Split split = depth < max_depth_ ? best_split(begin, end, all) : Split();
    if (!(split.gain > 1e-12 * squares)) return add_leaf(all.y / all.weight, size);
    const bool choice = data_.choices[split.parameter] > 0;
    for (std::size_t i = begin; i < end; ++i) {
      const double x = data_.x[split.parameter][order_[0][i]];
      goes_left_[order_[0][i]] = choice ? x == split.at : x < split.at;
    }
    std::size_t middle = begin;
    for (auto& order : order_) {
      const auto from = order.begin() + static_cast<std::ptrdiff_t>(begin),
                 to = order.begin() + static_cast<std::ptrdiff_t>(end);
      middle = static_cast<std::size_t>(std::stable_partition(from, to, [&](std::size_t k) { return goes_left_[k]; }) -
                                        order.begin());
    }
    const Side whole = box_[split.parameter];
    Side left = whole, right = whole;
    if (choice) {
      left.choices.assign(left.choices.size(), false);
      left.choices[static_cast<std::size_t>(split.at)] = true;
      right.choices[static_cast<std::size_t>(split.at)] = false;
    } else {
      left.high = right.low = split.at;
    }
    box_[split.parameter] = left;
    grow(begin, middle, depth + 1, size / whole.size() * left.size());
    box_[split.parameter] = right;
    grow(middle, end, depth + 1, size / whole.size() * right.size());
    box_[split.parameter] = whole;
  }

  void add_leaf(double value, double size) {
    mean_ += size * value;
    square_ += size * value * value;
    for (std::size_t p = 0; p < box_.size(); ++p) {
      const Side& side = box_[p];
      if (side.size() == 0) continue;  // between two neighbouring doubles
      const double at_each = value * size / side.size();
      if (side.choices.empty()) marginals_[p].add_range(side.low, side.high, at_each);
      for (std::size_t c = 0; c < side.choices.size(); ++c)
        if (side.choices[c]) marginals_[p].add_choice(c, at_each);
    }
  }

  const Columns& data_;
  int max_depth_;
  std::vector<double> weight_;  // how often a trial was drawn
  std::vector<bool> goes_left_;
  std::vector<std::vector<std::size_t>> order_;  // by parameter: samples by its value, those of a node side by side
  std::vector<Side> box_;
  std::vector<Marginal> marginals_;
  double mean_ = 0, square_ = 0;
};

}  // namespace

std::vector<std::pair<std::string, double>> explained_variance(const History& history, std::size_t objective,
                                                               const Fanova& options) {
  JointSpace space;
  std::vector<const TrialRecord*> trials;
  for (const TrialRecord& trial : history) {
    const bool finite = trial.values.size() > objective && std::all_of(trial.values.begin(), trial.values.end(),
                                                                       [](double v) { return std::isfinite(v); });
    if (trial.state != TrialState::complete || !finite || trial.parameters.empty()) continue;
    trials.push_back(&trial);
    space.add(trial);
  }
  std::vector<std::pair<std::string, double>> result;
  Columns data;
  double scale = 0, mean = 0;
  for (const TrialRecord* trial : trials) scale = std::max(scale, std::abs(trial->values[objective]));
  for (const TrialRecord* trial : trials) data.y.push_back(scale > 0 ? trial->values[objective] / scale : 0);
  for (const double y : data.y) mean += y / static_cast<double>(data.y.size());
  for (double& y : data.y) y -= mean;
  for (const auto& [name, distribution] : space.parameters()) {
    result.emplace_back(name, 0);
    const bool choice = std::holds_alternative<CategoricalDistribution>(distribution);
    data.choices.push_back(choice ? static_cast<std::size_t>(count(distribution)) : 0);
    std::vector<double>& column = data.x.emplace_back();
    for (const TrialRecord* trial : trials) {
      const double value = find(trial->parameters, name)->value;
      column.push_back(choice ? value : warp(distribution, value));
    }
  }
  if (trials.size() < 2 || result.empty()) return result;
  double trees = 0;
  for (int t = 0; t < options.trees; ++t) {
    const auto explained = Tree(data, options.max_depth, Draws(options.seed, t, "fanova")).explained();
    trees += !explained.empty();
    for (std::size_t p = 0; p < explained.size(); ++p) result[p].second += explained[p];
  }
  for (auto& [name, value] : result) value /= std::max(trees, 1.0);
  return result;
}

}  // namespace xgrad::tune::detail
