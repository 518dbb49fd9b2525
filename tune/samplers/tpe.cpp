#include "tpe.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>
#include <vector>

#include "../../core/error.hpp"
#include "../trials/draws.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "parzen.hpp"

namespace xgrad::tune {
namespace {

enum class Side { none, below, above };

const Parameter* find(const std::vector<Parameter>& parameters, const std::string& name) {
  for (const Parameter& parameter : parameters)
    if (parameter.name == name) return &parameter;
  return nullptr;
}

// On which side of the quantile each trial is, kept up to date with the history.
class Split {
 public:
  std::int64_t ended() const { return ended_; }

  Side side(std::int64_t number) const { return trials_[static_cast<std::size_t>(number)].side; }

  /// Parameters that all ended trials have alike; changes when `spaces_made()` does.
  const std::map<std::string, Distribution>& joint_space() const { return joint_; }

  /// Numbers of trials whose side or parameters changed, in the order in which they did.
  const std::vector<std::int64_t>& moves() const { return moves_; }

  void follow(const History& history) {
    const auto changes = history.changes(cursor_);
    cursor_ = history.changes_made();
    bool ranks_changed = false;
    for (const std::int64_t number : changes) {
      trials_.resize(static_cast<std::size_t>(history.size()));
      ranks_changed = update(history, history[number]) || ranks_changed;
    }
    if (ranks_changed) split(history);
  }

 private:
  struct Trial {
    std::optional<Rank> standing;
    std::size_t parameters = 0;
    Side side = Side::none;
  };

  Trial& at(std::int64_t number) { return trials_[static_cast<std::size_t>(number)]; }

  bool update(const History& history, const TrialRecord& record) {
    Trial& trial = at(record.number);
    const auto rank_now = rank_of(record, history.directions()[0]);
    const bool changed = rank_now != trial.standing;
    if (changed) {
      if (trial.standing) ranking_.erase(*trial.standing), --ended_;
      if (rank_now) ranking_.insert(*rank_now), ++ended_;
      trial.standing = rank_now;
      if (rank_now) intersect(record);
    }
    Side side = Side::none;
    if (record.state == TrialState::running) side = Side::above;
    if (rank_now) side = trial.side == Side::below ? Side::below : Side::above;
    if (side != trial.side || record.parameters.size() != trial.parameters) moves_.push_back(record.number);
    trial.side = side;
    trial.parameters = record.parameters.size();
    return changed;
  }

  void intersect(const TrialRecord& record) {
    if (record.parameters.empty()) return;  // it ended before it asked for any
    if (!any_) {
      for (const Parameter& p : record.parameters)
        if (count(p.distribution) != 1) joint_.emplace(p.name, p.distribution);
      any_ = true;
      return;
    }
    std::erase_if(joint_, [&](const auto& entry) {
      const Parameter* parameter = find(record.parameters, entry.first);
      return !parameter || parameter->distribution != entry.second;
    });
  }

  void split(const History& history) {
    std::vector<std::int64_t> below;
    auto wanted = static_cast<std::size_t>(std::ceil(0.1 * static_cast<double>(ended_)));
    if (history.directions().size() == 1) {
      wanted = std::min<std::size_t>(wanted, 25);
      for (const Rank& s : ranking_) {
        if (below.size() == wanted || s.diverged()) break;
        below.push_back(s.number);
      }
    } else {
      below = best_of_several(history, wanted);
    }
    std::sort(below.begin(), below.end());
    std::vector<std::int64_t> differ;
    std::set_symmetric_difference(below.begin(), below.end(), below_.begin(), below_.end(), std::back_inserter(differ));
    for (const std::int64_t number : differ) {
      const bool is_below = std::binary_search(below.begin(), below.end(), number);
      Trial& trial = at(number);
      if (is_below)
        trial.side = Side::below;
      else if (trial.standing)
        trial.side = Side::above;
      moves_.push_back(number);
    }
    below_ = std::move(below);
  }

  std::vector<std::int64_t> best_of_several(const History& history, std::size_t wanted) const {
    std::vector<std::vector<double>> points;
    std::vector<std::int64_t> numbers;
    for (const Rank& s : ranking_) {
      if (s.group != 0) break;
      std::vector<double> point = history[s.number].values;
      if (point.size() != history.directions().size()) continue;
      if (!std::all_of(point.begin(), point.end(), [](double v) { return std::isfinite(v); })) continue;
      for (std::size_t m = 0; m < point.size(); ++m)
        if (history.directions()[m] == maximize) point[m] *= -1;
      points.push_back(std::move(point));
      numbers.push_back(s.number);
    }
    std::vector<std::int64_t> below;
    for (const std::size_t i : best_fronts(points, wanted)) below.push_back(numbers[i]);
    return below;
  }

  std::size_t cursor_ = 0;
  std::int64_t ended_ = 0;
  std::vector<Trial> trials_;
  std::set<Rank> ranking_;
  std::vector<std::int64_t> below_, moves_;
  std::map<std::string, Distribution> joint_;
  bool any_ = false;
};

// The two densities over some parameters.
class Densities {
 public:
  Densities(const std::map<std::string, Distribution>& space, bool equal_weights)
      : space_(space), below_(distributions(space), equal_weights), above_(distributions(space)) {}

  const std::map<std::string, Distribution>& space() const { return space_; }

  std::vector<Parameter> sample(const History& history, const Split& split, std::int64_t trial, int candidates,
                                Draws draws) {
    follow(history, split, trial);
    std::vector<double> best;
    double most = -std::numeric_limits<double>::infinity();
    for (int i = 0; i < candidates; ++i) {
      std::vector<double> candidate = below_.sample(draws);
      const double gain = below_.log_density(candidate, scratch_) - above_.log_density(candidate, scratch_);
      if (best.empty() || gain > most) {
        most = gain;
        best = std::move(candidate);
      }
    }
    std::vector<Parameter> values;
    for (auto value = best.begin(); const auto& [name, distribution] : space_)
      values.push_back({name, distribution, *value++});
    return values;
  }

 private:
  static std::vector<Distribution> distributions(const std::map<std::string, Distribution>& space) {
    std::vector<Distribution> list;
    for (const auto& [name, distribution] : space) list.push_back(distribution);
    return list;
  }

  // `asking` is the trial that a value is for, which is not among the observations.
  void follow(const History& history, const Split& split, std::int64_t asking) {
    std::vector<std::int64_t> numbers = std::exchange(again_, {});
    numbers.insert(numbers.end(), split.moves().begin() + static_cast<std::ptrdiff_t>(cursor_), split.moves().end());
    cursor_ = split.moves().size();
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    for (const std::int64_t number : numbers)
      place(history[number], number == asking ? Side::none : split.side(number));
    if (std::binary_search(numbers.begin(), numbers.end(), asking)) again_.push_back(asking);
  }

  void place(const TrialRecord& trial, Side side) {
    std::vector<double> values;
    for (const auto& [name, distribution] : space_) {
      const Parameter* parameter = side == Side::none ? nullptr : find(trial.parameters, name);
      if (!parameter || !comparable(*parameter, distribution)) {
        side = Side::none;
        break;
      }
      values.push_back(parameter->value);
    }
    for (auto [estimator, its] : {std::pair(&below_, Side::below), std::pair(&above_, Side::above)}) {
      const bool is_in = estimator->contains(trial.number);
      if (is_in && side != its) estimator->erase(trial.number);
      if (!is_in && side == its) estimator->insert(trial.number, values);
    }
  }

  static bool comparable(const Parameter& parameter, const Distribution& distribution) {
    if (std::holds_alternative<CategoricalDistribution>(distribution)) return parameter.distribution == distribution;
    return !std::holds_alternative<CategoricalDistribution>(parameter.distribution) &&
           contains(distribution, parameter.value);
  }

  std::map<std::string, Distribution> space_;
  ParzenEstimator below_, above_;
  std::size_t cursor_ = 0;
  std::vector<std::int64_t> again_;
  std::vector<double> scratch_;
};

class TPESampler final : public Sampler {
 public:
  TPESampler(const TPE& options, std::uint64_t seed) : options_(options), seed_(seed), random_(Random{}.make(seed)) {}

  double suggest(const History& history, const TrialRecord& trial, const std::string& name,
                 const Distribution& distribution) override {
    split_.follow(history);
    if (split_.ended() < options_.startup_trials || count(distribution) == 1)
      return random_->suggest(history, trial, name, distribution);
    const bool several = history.directions().size() > 1;
    if (options_.multivariate.value_or(!several)) {
      const Parameter* drawn = find(joint(history, trial.number, several), name);
      if (drawn && drawn->distribution == distribution) return drawn->value;
    }
    auto& densities = independent_[name];
    const std::map<std::string, Distribution> space{{name, distribution}};
    if (!densities || densities->space() != space) densities.emplace(space, several);
    return densities
        ->sample(history, split_, trial.number, options_.candidates, Draws(seed_, trial.number, "tpe " + name))[0]
        .value;
  }

 private:
  // The trial's parameters that are drawn together; drawn when it asks for the first.
  const std::vector<Parameter>& joint(const History& history, std::int64_t number, bool several) {
    std::erase_if(drawn_, [&](const auto& entry) {
      return entry.first != number && history[entry.first].state != TrialState::running;
    });
    const auto found = drawn_.find(number);
    if (found != drawn_.end()) return found->second;
    if (!joint_ || joint_->space() != split_.joint_space()) joint_.emplace(split_.joint_space(), several);
    auto& values = drawn_[number];
    if (!joint_->space().empty())
      values = joint_->sample(history, split_, number, options_.candidates, Draws(seed_, number, "tpe"));
    return values;
  }

  TPE options_;
  std::uint64_t seed_;
  std::unique_ptr<Sampler> random_;
  Split split_;
  std::optional<Densities> joint_;
  std::map<std::string, std::optional<Densities>> independent_;
  std::map<std::int64_t, std::vector<Parameter>> drawn_;
};

}  // namespace

std::unique_ptr<Sampler> TPE::make(std::uint64_t seed) const {
  check(startup_trials >= 0, "TPE: startup_trials ", startup_trials, " is below 0");
  check(candidates >= 1, "TPE: candidates ", candidates, " is below 1");
  return std::make_unique<TPESampler>(*this, seed);
}

}  // namespace xgrad::tune
