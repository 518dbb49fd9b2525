#include "joint_space.hpp"

#include "ranking.hpp"
#include "space.hpp"

namespace xgrad::tune {

const Parameter* find(const std::vector<Parameter>& parameters, const std::string& name) {
  for (const Parameter& parameter : parameters)
    if (parameter.name == name) return &parameter;
  return nullptr;
}

void JointSpace::add(const TrialRecord& trial) {
  if (trial.parameters.empty()) return;
  std::size_t varying = 0;
  for (const Parameter& p : trial.parameters) varying += count(p.distribution) != 1;
  if (!any_) {
    for (const Parameter& p : trial.parameters)
      if (count(p.distribution) != 1) parameters_.emplace(p.name, p.distribution);
    any_ = true;
  } else {
    const auto erased = std::erase_if(parameters_, [&](const auto& entry) {
      const Parameter* parameter = find(trial.parameters, entry.first);
      return !parameter || parameter->distribution != entry.second;
    });
    has_others_ = has_others_ || erased > 0;
  }
  has_others_ = has_others_ || varying != parameters_.size();
}

std::vector<std::int64_t> EndedTrials::follow(const History& history) {
  std::vector<std::int64_t> news;
  for (const std::int64_t number : history.changes(cursor_)) {
    seen_.resize(static_cast<std::size_t>(history.size()));
    if (seen_[static_cast<std::size_t>(number)] || !rank_of(history[number], history.directions()[0])) continue;
    seen_[static_cast<std::size_t>(number)] = true;
    ++size_;
    space_.add(history[number]);
    news.push_back(number);
  }
  cursor_ = history.changes_made();
  return news;
}

}  // namespace xgrad::tune
