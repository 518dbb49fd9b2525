#include "tpe.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "../../core/error.hpp"
#include "../trials/draws.hpp"
#include "../trials/hypervolume.hpp"
#include "../trials/joint_space.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "parzen.hpp"

namespace xgrad::tune {
namespace {

enum class Side { none, below, above };

constexpr double least_weight = 1e-12;
constexpr int rounds_for_others = 10;             // of draws, where all were tried already
constexpr std::int64_t most_combinations = 4096;  // that are gone through after these
constexpr std::size_t most_in_front = 400;        // of which a subset of large hypervolume is looked for

// On which side of the quantile each trial is, kept up to date with the history.
class Split {
 public:
  std::int64_t ended() const { return ended_; }

  Side side(std::int64_t number) const { return trials_[static_cast<std::size_t>(number)].side; }

  /// Parameters that all ended trials have alike; changes when `spaces_made()` does.
  const std::map<std::string, Distribution>& joint_space() const { return joint_.parameters(); }

  /// Whether some trial had parameters besides these.
  bool has_others() const { return joint_.has_others(); }

  /// Numbers of trials whose side or parameters changed, in the order in which they did.
  const std::vector<std::int64_t>& moves() const { return moves_; }

  /// Of trials below the quantile, with several objectives.
  std::vector<double> weights(const std::vector<std::int64_t>& numbers) const {
    std::vector<double> out;
    for (const std::int64_t number : numbers) {
      const auto found = weights_.find(number);
      out.push_back(found == weights_.end() ? least_weight : found->second);
    }
    return out;
  }

  /// Of the groups of parameters that always come together, the one that has this parameter; null where it is in none.
  const std::map<std::string, Distribution>* group_of(const std::string& name) const {
    for (const auto& group : groups_)
      if (group.contains(name)) return &group;
    return nullptr;
  }

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
      if (rank_now) joint_.add(record), split_groups(record);
    }
    Side side = Side::none;
    if (record.state == TrialState::running) side = Side::above;
    if (rank_now) side = trial.side == Side::below ? Side::below : Side::above;
    if (side != trial.side || record.parameters.size() != trial.parameters) moves_.push_back(record.number);
    trial.side = side;
    trial.parameters = record.parameters.size();
    return changed;
  }

  // Each group falls into what this trial has of it and the rest; what is new is a group.
  void split_groups(const TrialRecord& record) {
    std::map<std::string, Distribution> fresh;
    for (const Parameter& p : record.parameters)
      if (count(p.distribution) != 1) fresh.emplace(p.name, p.distribution);
    std::vector<std::map<std::string, Distribution>> groups;
    for (auto& group : groups_) {
      std::map<std::string, Distribution> inside;
      std::erase_if(group, [&](const auto& entry) {
        const auto found = fresh.find(entry.first);
        if (found == fresh.end()) return false;
        inside.insert(*found);
        fresh.erase(found);
        return true;
      });
      if (!group.empty()) groups.push_back(std::move(group));
      if (!inside.empty()) groups.push_back(std::move(inside));
    }
    if (!fresh.empty()) groups.push_back(std::move(fresh));
    groups_ = std::move(groups);
  }

  void split(const History& history) {
    std::vector<std::int64_t> below;
    const auto share = static_cast<std::size_t>(std::ceil(0.1 * static_cast<double>(ended_)));
    const auto wanted = std::min<std::size_t>(share, 25);
    const bool several = history.directions().size() > 1;
    if (several) below = best_of_several(history, wanted);
    for (const Rank& s : ranking_) {
      if (below.size() == wanted || s.diverged()) break;
      if (!several || s.group != 0) below.push_back(s.number);
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

  std::vector<std::int64_t> best_of_several(const History& history, std::size_t wanted) {
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
    std::vector<std::vector<double>> chosen;
    weights_.clear();
    while (below.size() < wanted && !points.empty()) {
      std::vector<std::vector<double>> front;
      std::vector<std::int64_t> of_front;
      auto positions = first_front(points);
      std::sort(positions.rbegin(), positions.rend());
      for (const std::size_t i : positions) {
        front.push_back(points[i]);
        of_front.push_back(numbers[i]);
        points.erase(points.begin() + static_cast<std::ptrdiff_t>(i));
        numbers.erase(numbers.begin() + static_cast<std::ptrdiff_t>(i));
      }
      const std::size_t room = wanted - below.size();
      std::vector<std::size_t> taken(front.size());
      std::iota(taken.begin(), taken.end(), 0);
      if (front.size() > room)
        taken = front.size() > most_in_front ? best_fronts(front, room)
                                             : hypervolume_subset(front, room, reference_point(front));
      for (const std::size_t i : taken) {
        below.push_back(of_front[i]);
        chosen.push_back(front[i]);
      }
    }
    if (chosen.empty()) return below;
    const std::vector<double> contributions = hypervolume_contributions(chosen, reference_point(chosen));
    const double most = std::max(*std::max_element(contributions.begin(), contributions.end()), least_weight);
    for (std::size_t i = 0; i < below.size(); ++i) weights_[below[i]] = std::max(contributions[i] / most, least_weight);
    return below;
  }

  std::size_t cursor_ = 0;
  std::int64_t ended_ = 0;
  std::vector<Trial> trials_;
  std::set<Rank> ranking_;
  std::vector<std::int64_t> below_, moves_;
  JointSpace joint_;
  std::vector<std::map<std::string, Distribution>> groups_;
  std::map<std::int64_t, double> weights_;
};

// The two densities over some parameters.
class Densities {
 public:
  Densities(const std::map<std::string, Distribution>& space, bool weighted)
      : space_(space), weighted_(weighted), below_(distributions(space)), above_(distributions(space)) {}

  const std::map<std::string, Distribution>& space() const { return space_; }

  // What promises the most of some draws, not one of `taken` if there are others.
  std::vector<Parameter> sample(const History& history, const Split& split, std::int64_t trial, int candidates,
                                Draws draws, const std::set<std::vector<double>>& taken = {}) {
    follow(history, split, trial);
    if (weighted_) below_.set_weights(split.weights(below_.numbers()));
    Best best;
    std::vector<double> first;
    for (int i = 0; i < candidates || (best.x.empty() && i < rounds_for_others * candidates); ++i) {
      std::vector<double> candidate = below_.sample(draws);
      if (i == 0) first = candidate;
      consider(std::move(candidate), taken, best);
    }
    if (best.x.empty()) consider_all(taken, best);
    if (best.x.empty()) best.x = std::move(first);
    std::vector<Parameter> values;
    for (auto value = best.x.begin(); const auto& [name, distribution] : space_)
      values.push_back({name, distribution, *value++});
    return values;
  }

 private:
  struct Best {
    std::vector<double> x = {};
    double gain = -std::numeric_limits<double>::infinity();
  };

  void consider(std::vector<double> candidate, const std::set<std::vector<double>>& taken, Best& best) {
    if (taken.contains(candidate)) return;
    const double gain = below_.log_density(candidate, scratch_) - above_.log_density(candidate, scratch_);
    if (best.x.empty() || gain > best.gain) best = {std::move(candidate), gain};
  }

  // All combinations, if they are few.
  void consider_all(const std::set<std::vector<double>>& taken, Best& best) {
    std::int64_t combinations = 1;
    for (const auto& [name, distribution] : space_) {
      const std::int64_t values = count(distribution);
      if (values == 0 || values > most_combinations / combinations) return;
      combinations *= values;
    }
    for (std::int64_t i = 0; i < combinations; ++i) {
      std::vector<double> candidate;
      std::int64_t rest = i;
      for (const auto& [name, distribution] : space_) {
        const std::int64_t values = count(distribution);
        candidate.push_back(value_number(distribution, rest % values));
        rest /= values;
      }
      consider(std::move(candidate), taken, best);
    }
  }

  static double value_number(const Distribution& distribution, std::int64_t i) {
    if (std::holds_alternative<CategoricalDistribution>(distribution)) return static_cast<double>(i);
    if (const auto* whole = std::get_if<IntDistribution>(&distribution))
      return static_cast<double>(whole->low + i * whole->step);
    const auto& range = std::get<FloatDistribution>(distribution);
    return unwarp(distribution, warp(distribution, range.low + static_cast<double>(i) * range.step.value_or(0)));
  }

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
  bool weighted_;
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
      const auto* space = options_.group ? split_.group_of(name) : &split_.joint_space();
      if (space && space->contains(name) && space->at(name) == distribution)
        if (const Parameter* drawn = find(joint(history, trial.number, *space, several), name)) return drawn->value;
    }
    auto& densities = independent_[name];
    const std::map<std::string, Distribution> space{{name, distribution}};
    if (!densities || densities->space() != space) densities.emplace(space, several);
    return densities
        ->sample(history, split_, trial.number, options_.candidates, Draws(seed_, trial.number, "tpe " + name))[0]
        .value;
  }

 private:
  // Parameters of the trial that are drawn together; drawn when it asks for the first.
  const std::vector<Parameter>& joint(const History& history, std::int64_t number,
                                      const std::map<std::string, Distribution>& space, bool several) {
    std::erase_if(drawn_, [&](const auto& entry) {
      return entry.first.first != number && history[entry.first.first].state != TrialState::running;
    });
    const std::string key = options_.group ? space.begin()->first : "";
    for (auto& [of, values] : drawn_)
      if (of.first == number && (!options_.group || (!values.empty() && space.contains(values[0].name)))) return values;
    auto& densities = joint_[key];
    if (!densities || densities->space() != space) densities.emplace(space, several);
    return drawn_[{number, key}] =
               densities->sample(history, split_, number, options_.candidates,
                                 Draws(seed_, number, options_.group ? "tpe group " + key : "tpe"),
                                 options_.duplicates ? std::set<std::vector<double>>() : taken(history, number, space));
  }

  // Combinations that other trials have of these parameters, if those are all that there is and none is continuous.
  std::set<std::vector<double>> taken(const History& history, std::int64_t asking,
                                      const std::map<std::string, Distribution>& space) const {
    std::set<std::vector<double>> combinations;
    if (split_.has_others() ||
        std::any_of(space.begin(), space.end(), [](const auto& entry) { return count(entry.second) == 0; }))
      return combinations;
    for (const TrialRecord& trial : history) {
      if (trial.number == asking || trial.state == TrialState::failed) continue;
      std::vector<double> values;
      for (const auto& [name, distribution] : space)
        if (const Parameter* parameter = find(trial.parameters, name)) values.push_back(parameter->value);
      if (values.size() == space.size()) combinations.insert(std::move(values));
    }
    return combinations;
  }

  TPE options_;
  std::uint64_t seed_;
  std::unique_ptr<Sampler> random_;
  Split split_;
  std::map<std::string, std::optional<Densities>> joint_;  // by the first parameter of a group
  std::map<std::string, std::optional<Densities>> independent_;
  std::map<std::pair<std::int64_t, std::string>, std::vector<Parameter>> drawn_;
};

}  // namespace

std::unique_ptr<Sampler> TPE::make(std::uint64_t seed) const {
  check(startup_trials >= 0, "TPE: startup_trials ", startup_trials, " is below 0");
  check(candidates >= 1, "TPE: candidates ", candidates, " is below 1");
  return std::make_unique<TPESampler>(*this, seed);
}

}  // namespace xgrad::tune
