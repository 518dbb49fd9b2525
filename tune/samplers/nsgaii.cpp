#include "nsgaii.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../core/error.hpp"
#include "../trials/draws.hpp"
#include "../trials/joint_space.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"

namespace xgrad::tune {
namespace {

constexpr const char* generation_attribute = "nsga2:generation";

// All objectives to be minimised; nothing where the trial has no finite values.
std::optional<std::vector<double>> objectives_of(const TrialRecord& trial, const History& history) {
  if (trial.state != TrialState::complete || trial.values.size() != history.directions().size()) return std::nullopt;
  std::vector<double> out;
  for (std::size_t m = 0; m < trial.values.size(); ++m) {
    if (!std::isfinite(trial.values[m])) return std::nullopt;
    out.push_back(history.directions()[m] == minimize ? trial.values[m] : -trial.values[m]);
  }
  return out;
}

// Feasible before infeasible, less violated before more; between feasible ones whether `a` dominates `b`.
bool beats(const TrialRecord& a, const TrialRecord& b, const History& history) {
  const double x = violation(a), y = violation(b);
  if (x > 0 || y > 0) return x < y;
  const auto p = *objectives_of(a, history), q = *objectives_of(b, history);
  return p != q && first_front({p, q}) == std::vector<std::size_t>{0};
}

class NSGAIISampler final : public Sampler {
 public:
  NSGAIISampler(const NSGAII& options, std::uint64_t seed)
      : options_(options), seed_(seed), random_(Random{}.make(seed)) {}

  std::map<std::string, std::string> begin(const History& history, const TrialRecord&) override {
    follow(history);
    return {{generation_attribute, std::to_string(generation_)}};
  }

  double suggest(const History& history, const TrialRecord& trial, const std::string& name,
                 const Distribution& distribution) override {
    follow(history);
    const auto of = trial.attributes.find(generation_attribute);
    if (parents_.empty() || of == trial.attributes.end() || of->second == "0")
      return random_->suggest(history, trial, name, distribution);
    Draws draws(seed_, trial.number, "nsga2");
    const TrialRecord& first = parent(history, draws);
    const TrialRecord& second = draws.uniform() < options_.crossover ? parent(history, draws) : first;
    Draws own(seed_, trial.number, "nsga2 " + name);
    const Parameter* inherited = find((own.uniform() < options_.swapping ? second : first).parameters, name);
    const double parameters = std::max<double>(1, static_cast<double>(first.parameters.size()));
    const bool mutates = own.uniform() < options_.mutation.value_or(1 / parameters);
    if (mutates || !inherited || inherited->distribution != distribution)
      return random_->suggest(history, trial, name, distribution);
    return inherited->value;
  }

 private:
  const TrialRecord& parent(const History& history, Draws& draws) const {
    const auto one = [&]() -> const TrialRecord& {
      return history[parents_[static_cast<std::size_t>(draws.uniform() * static_cast<double>(parents_.size()))]];
    };
    const TrialRecord &a = one(), &b = one();
    return beats(b, a, history) ? b : a;
  }

  // Takes in whole generations, in turn.
  void follow(const History& history) {
    for (const std::int64_t number : history.changes(cursor_)) {
      known_.resize(static_cast<std::size_t>(history.size()));
      const TrialRecord& trial = history[number];
      const auto of = trial.attributes.find(generation_attribute);
      if (known_[static_cast<std::size_t>(number)] || of == trial.attributes.end()) continue;
      if (!objectives_of(trial, history)) continue;
      known_[static_cast<std::size_t>(number)] = true;
      members_[of->second].push_back(number);
    }
    cursor_ = history.changes_made();
    while (true) {
      auto& members = members_[std::to_string(generation_)];
      if (members.size() < static_cast<std::size_t>(options_.population)) return;
      std::sort(members.begin(), members.end());
      members.insert(members.end(), parents_.begin(), parents_.end());
      parents_ = elite(history, members);
      ++generation_;
    }
  }

  std::vector<std::int64_t> elite(const History& history, const std::vector<std::int64_t>& numbers) const {
    std::vector<std::vector<double>> points;
    std::vector<std::int64_t> feasible, chosen;
    std::vector<std::pair<double, std::int64_t>> others;
    for (const std::int64_t number : numbers)
      if (const double by = violation(history[number]); by > 0) {
        others.emplace_back(by, number);
      } else {
        feasible.push_back(number);
        points.push_back(*objectives_of(history[number], history));
      }
    const auto wanted = static_cast<std::size_t>(options_.population);
    for (const std::size_t i : best_fronts(points, wanted)) chosen.push_back(feasible[i]);
    std::sort(others.begin(), others.end());
    for (std::size_t i = 0; i < others.size() && chosen.size() < wanted; ++i) chosen.push_back(others[i].second);
    return chosen;
  }

  NSGAII options_;
  std::uint64_t seed_;
  std::unique_ptr<Sampler> random_;
  std::size_t cursor_ = 0;
  std::vector<bool> known_;
  std::map<std::string, std::vector<std::int64_t>> members_;  // by generation: ended trials
  std::vector<std::int64_t> parents_;
  std::int64_t generation_ = 0;
};

}  // namespace

std::unique_ptr<Sampler> NSGAII::make(std::uint64_t seed) const {
  check(population >= 2, "NSGAII: population ", population, " is below 2");
  for (const double probability : {crossover, swapping, mutation.value_or(0)})
    check(probability >= 0 && probability <= 1, "NSGAII: the probability ", probability, " is not in [0, 1]");
  return std::make_unique<NSGAIISampler>(*this, seed);
}

}  // namespace xgrad::tune
