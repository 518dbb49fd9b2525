#include "wilcoxon.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "../../core/error.hpp"
#include "../trials/normal.hpp"
#include "reports.hpp"

namespace xgrad::tune {
namespace {

class WilcoxonPruner final : public Pruner {
 public:
  explicit WilcoxonPruner(const Wilcoxon& options) : options_(options) {}

  Decision report(const History& history, std::int64_t number) override {
    const double sign = sign_of(history);
    for (const std::int64_t changed : history.changes(cursor_)) {
      const TrialRecord& trial = history[changed];
      if (trial.state != TrialState::complete || trial.values.empty() || trial.intermediate.empty()) continue;
      if (!best_ || sign * trial.values[0] < sign * history[*best_].values[0]) best_ = changed;
    }
    cursor_ = history.changes_made();
    if (!best_) return Decision::go_on;
    const Reports &own = history[number].intermediate, &others = history[*best_].intermediate;
    std::vector<double> differences;
    double own_sum = 0, best_sum = 0;
    for (const auto& [step, value] : own) {
      own_sum += sign * value;
      const auto other = others.find(step);
      if (other == others.end() || std::isnan(value) || std::isnan(other->second)) continue;
      differences.push_back(sign * (value - other->second));
    }
    for (const auto& [step, value] : others) best_sum += sign * value;
    if (differences.empty() || static_cast<int>(differences.size()) < options_.startup_steps) return Decision::go_on;
    const bool is_worse = best_sum / static_cast<double>(others.size()) <= own_sum / static_cast<double>(own.size());
    return is_worse && signed_rank_p(differences) < options_.p_threshold ? Decision::prune : Decision::go_on;
  }

 private:
  Wilcoxon options_;
  std::size_t cursor_ = 0;
  std::optional<std::int64_t> best_;
};

}  // namespace

double signed_rank_p(const std::vector<double>& differences) {
  const std::size_t n = differences.size();
  std::vector<double> sizes;
  for (const double difference : differences) sizes.push_back(std::abs(difference));
  std::sort(sizes.begin(), sizes.end());
  double above = 0, tied = 0;
  bool plain = n <= 50;
  for (const double difference : differences) {
    const auto [first, last] = std::equal_range(sizes.begin(), sizes.end(), std::abs(difference));
    const double rank = static_cast<double>((first - sizes.begin()) + (last - sizes.begin()) + 1) / 2;
    above += difference > 0 ? rank : difference == 0 ? rank / 2 : 0;
    const auto same = static_cast<double>(last - first);
    tied += same * same - 1;  // summed over the tied ones: t^3 - t
    plain = plain && same == 1 && difference != 0;
  }
  const auto count = static_cast<double>(n);
  if (plain) {  // of the 2^n sets of signs, how many have at least this sum
    std::vector<double> ways(n * (n + 1) / 2 + 1);
    ways[0] = 1;
    for (std::size_t rank = 1; rank <= n; ++rank)
      for (std::size_t sum = ways.size(); sum-- > rank;) ways[sum] += ways[sum - rank];
    double at_least = 0;
    for (auto sum = static_cast<std::size_t>(above); sum < ways.size(); ++sum) at_least += ways[sum];
    return at_least * std::pow(0.5, count);
  }
  const double mean = count * (count + 1) / 4;
  const double variance = count * (count + 1) * (2 * count + 1) / 24 - tied / 48;
  if (!(variance > 0)) return 1;
  return normal_mass((above - mean) / std::sqrt(variance), std::numeric_limits<double>::infinity());
}

std::unique_ptr<Pruner> Wilcoxon::make(std::uint64_t) const {
  check(p_threshold >= 0 && p_threshold <= 1, "Wilcoxon: p_threshold ", p_threshold, " is not in [0, 1]");
  check(startup_steps >= 0, "Wilcoxon: startup_steps ", startup_steps, " is below 0");
  return std::make_unique<WilcoxonPruner>(*this);
}

}  // namespace xgrad::tune
