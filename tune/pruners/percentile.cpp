#include "percentile.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "../../core/error.hpp"
#include "median.hpp"
#include "reports.hpp"

namespace xgrad::tune {

namespace {

class PercentilePruner final : public Pruner {
 public:
  explicit PercentilePruner(const Percentile& options) : options_(options) {}

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
    if (static_cast<std::int64_t>(sorted.size()) < options_.min_trials) return Decision::go_on;
    const double place = options_.percentile / 100 * static_cast<double>(sorted.size() - 1);
    const auto lower = static_cast<std::size_t>(place), upper = std::min(lower + 1, sorted.size() - 1);
    const double part = place - static_cast<double>(lower);
    const double bound = part == 0 ? sorted[lower] : std::lerp(sorted[lower], sorted[upper], part);
    return *own > bound ? Decision::prune : Decision::go_on;
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

  Percentile options_;
  std::size_t cursor_ = 0;
  std::int64_t complete_ = 0;
  std::vector<bool> counted_;
  std::map<std::int64_t, std::vector<double>> at_step_;  // of complete trials, sorted; smaller is better
};

}  // namespace

std::unique_ptr<Pruner> Percentile::make(std::uint64_t) const {
  check(percentile >= 0 && percentile <= 100, "Percentile: percentile ", percentile, " is not in [0, 100]");
  check(startup_trials >= 0, "Percentile: startup_trials ", startup_trials, " is below 0");
  check(warmup_steps >= 0, "Percentile: warmup_steps ", warmup_steps, " is below 0");
  check(interval >= 1, "Percentile: interval ", interval, " is below 1");
  check(min_trials >= 1, "Percentile: min_trials ", min_trials, " is below 1");
  return std::make_unique<PercentilePruner>(*this);
}

std::unique_ptr<Pruner> Median::make(std::uint64_t seed) const {
  check(startup_trials >= 0, "Median: startup_trials ", startup_trials, " is below 0");
  check(warmup_steps >= 0, "Median: warmup_steps ", warmup_steps, " is below 0");
  check(interval >= 1, "Median: interval ", interval, " is below 1");
  check(min_trials >= 1, "Median: min_trials ", min_trials, " is below 1");
  return Percentile{50, startup_trials, warmup_steps, interval, min_trials}.make(seed);
}

}  // namespace xgrad::tune
