#include "stopping.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "../core/error.hpp"

namespace xgrad::tune {
namespace {

using Reports = std::map<std::int64_t, double>;

// The smallest of sign * value that is not NaN, if there is one.
std::optional<double> best(Reports::const_iterator begin, Reports::const_iterator end, double sign) {
  std::optional<double> best;
  for (; begin != end; ++begin)
    if (!std::isnan(begin->second)) best = std::min(best.value_or(sign * begin->second), sign * begin->second);
  return best;
}

double sign_of(const History& history) { return history.directions()[0] == minimize ? 1 : -1; }

class MedianPruner final : public Pruner {
 public:
  explicit MedianPruner(const Median& options) : options_(options) {}

  Decision report(const History& history, std::int64_t number) override {
    follow(history);
    const Reports& reports = history[number].intermediate;
    if (reports.empty() || complete_ < options_.startup_trials || complete_ == 0) return Decision::go_on;
    const auto last = std::prev(reports.end());
    if (last->first < options_.warmup_steps || !first_in_interval(reports, last)) return Decision::go_on;
    const auto own = best(reports.begin(), reports.end(), sign_of(history));
    if (!own) return Decision::prune;
    const auto others = at_step_.find(last->first);
    if (others == at_step_.end()) return Decision::go_on;
    const auto& sorted = others->second;
    const double median = 0.5 * (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]);
    return *own > median ? Decision::prune : Decision::go_on;
  }

 private:
  bool first_in_interval(const Reports& reports, Reports::const_iterator last) const {
    const std::int64_t since = last->first - options_.warmup_steps;
    const std::int64_t begin = options_.warmup_steps + since / options_.interval * options_.interval;
    return last == reports.begin() || std::prev(last)->first < begin;
  }

  void follow(const History& history) {
    for (const std::int64_t number : history.changes(cursor_)) {
      const TrialRecord& trial = history[number];
      counted_.resize(static_cast<std::size_t>(history.size()));
      if (trial.state != TrialState::complete || counted_[static_cast<std::size_t>(number)]) continue;
      counted_[static_cast<std::size_t>(number)] = true;
      ++complete_;
      for (const auto& [step, value] : trial.intermediate) {
        if (std::isnan(value)) continue;
        auto& sorted = at_step_[step];
        const double signed_value = sign_of(history) * value;
        sorted.insert(std::upper_bound(sorted.begin(), sorted.end(), signed_value), signed_value);
      }
    }
    cursor_ = history.changes_made();
  }

  Median options_;
  std::size_t cursor_ = 0;
  std::int64_t complete_ = 0;
  std::vector<bool> counted_;
  std::map<std::int64_t, std::vector<double>> at_step_;  // of complete trials, sorted; smaller is better
};

class PatiencePruner final : public Pruner {
 public:
  PatiencePruner(const Patience& options, std::uint64_t seed)
      : patience_(options.patience),
        min_delta_(options.min_delta),
        then_(options.then ? options.then->make(seed) : nullptr) {}

  Decision report(const History& history, std::int64_t number) override {
    const Reports& reports = history[number].intermediate;
    const auto recent = static_cast<std::ptrdiff_t>(patience_) + 1;
    if (static_cast<std::ptrdiff_t>(reports.size()) <= recent) return Decision::go_on;
    const auto split = std::prev(reports.end(), recent);
    const auto before = best(reports.begin(), split, sign_of(history)),
               after = best(split, reports.end(), sign_of(history));
    if (!before || !after || !(*before + min_delta_ < *after)) return Decision::go_on;
    return then_ ? then_->report(history, number) : Decision::prune;
  }

  std::optional<Start> next(const History& history, bool may_begin) override {
    return then_ ? then_->next(history, may_begin) : std::nullopt;
  }

 private:
  int patience_;
  double min_delta_;
  std::unique_ptr<Pruner> then_;
};

class ThresholdPruner final : public Pruner {
 public:
  explicit ThresholdPruner(const Threshold& options) : options_(options) {}

  Decision report(const History& history, std::int64_t number) override {
    const Reports& reports = history[number].intermediate;
    if (reports.empty() || reports.rbegin()->first < options_.warmup_steps) return Decision::go_on;
    const double value = reports.rbegin()->second;
    return value >= options_.lower && value <= options_.upper ? Decision::go_on : Decision::prune;
  }

 private:
  Threshold options_;
};

}  // namespace

std::unique_ptr<Pruner> Median::make(std::uint64_t) const {
  check(startup_trials >= 0, "Median: startup_trials ", startup_trials, " is below 0");
  check(warmup_steps >= 0, "Median: warmup_steps ", warmup_steps, " is below 0");
  check(interval >= 1, "Median: interval ", interval, " is below 1");
  return std::make_unique<MedianPruner>(*this);
}

std::unique_ptr<Pruner> Patience::make(std::uint64_t seed) const {
  check(patience >= 0, "Patience: patience ", patience, " is below 0");
  check(min_delta >= 0, "Patience: min_delta ", min_delta, " is not at least 0");
  return std::make_unique<PatiencePruner>(*this, seed);
}

std::unique_ptr<Pruner> Threshold::make(std::uint64_t) const {
  check(lower <= upper, "Threshold: lower ", lower, " is not below upper ", upper);
  return std::make_unique<ThresholdPruner>(*this);
}

}  // namespace xgrad::tune
