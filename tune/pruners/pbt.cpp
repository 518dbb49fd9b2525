#include "pbt.hpp"

#include <algorithm>
#include <cmath>

#include "../../core/error.hpp"
#include "../trials/draws.hpp"
#include "../trials/space.hpp"

namespace xgrad::tune {
namespace {

class PBTPruner final : public Pruner {
 public:
  PBTPruner(const PBT& options, std::uint64_t seed) : options_(options), seed_(seed) {}

  Decision report(const History& history, std::int64_t number) override {
    const auto reports = static_cast<std::int64_t>(history[number].intermediate.size());
    return reports % options_.interval == 0 ? Decision::pause : Decision::go_on;
  }

  std::optional<Start> next(const History& history, bool may_begin) override {
    std::vector<const TrialRecord*> members;
    for (const TrialRecord& trial : history)
      if (trial.state == TrialState::running || trial.state == TrialState::paused ||
          trial.state == TrialState::complete)
        members.push_back(&trial);
    std::vector<const TrialRecord*> ranked;  // best first
    for (const TrialRecord* trial : members)
      if (!trial->intermediate.empty()) ranked.push_back(trial);
    const double sign = history.directions()[0] == minimize ? 1 : -1;
    std::stable_sort(ranked.begin(), ranked.end(), [&](const TrialRecord* a, const TrialRecord* b) {
      const double x = sign * a->intermediate.rbegin()->second, y = sign * b->intermediate.rbegin()->second;
      return std::isnan(y) ? !std::isnan(x) : x < y;
    });

    if (static_cast<int>(members.size()) < options_.population)
      return may_begin && history.size() >= options_.population ? fork(history, ranked, nullptr) : std::nullopt;

    const TrialRecord* least = nullptr;
    for (const TrialRecord* trial : members)
      if (trial->state == TrialState::paused && (!least || last_step(*trial) < last_step(*least))) least = trial;
    if (!least) return std::nullopt;
    const auto last = ranked.end() - static_cast<std::ptrdiff_t>(in_quantile(ranked));
    if (may_begin && std::find(last, ranked.end(), least) != ranked.end())
      if (auto start = fork(history, ranked, least)) return start;
    return Start{least->number};
  }

 private:
  static std::int64_t last_step(const TrialRecord& trial) {
    return trial.intermediate.empty() ? -1 : trial.intermediate.rbegin()->first;
  }

  std::size_t in_quantile(const std::vector<const TrialRecord*>& ranked) const {
    return static_cast<std::size_t>(options_.quantile * static_cast<double>(ranked.size()));
  }

  std::optional<Start> fork(const History& history, const std::vector<const TrialRecord*>& ranked,
                            const TrialRecord* replaced) const {
    std::vector<const TrialRecord*> sources;
    for (std::size_t i = 0; i < in_quantile(ranked); ++i)
      if (ranked[i]->checkpoint && ranked[i]->state != TrialState::complete && ranked[i] != replaced)
        sources.push_back(ranked[i]);
    if (sources.empty()) return std::nullopt;
    const std::int64_t number = history.size();
    const double u = Draws(seed_, number, "pbt").uniform();
    const TrialRecord& source = *sources[static_cast<std::size_t>(u * static_cast<double>(sources.size()))];
    Start start{source.number, true};
    for (const Parameter& parameter : source.parameters) start.parameters[parameter.name] = changed(parameter, number);
    start.attributes["parent"] = std::to_string(source.number);
    if (replaced) start.replaces = replaced->number;
    return start;
  }

  double changed(const Parameter& parameter, std::int64_t number) const {
    const auto& names = options_.parameters;
    if (!names.empty() && std::find(names.begin(), names.end(), parameter.name) == names.end()) return parameter.value;
    Draws draws(seed_, number, "pbt " + parameter.name);
    if (draws.uniform() < options_.resample) return unwarp(parameter.distribution, draws.uniform());
    if (std::holds_alternative<CategoricalDistribution>(parameter.distribution)) return parameter.value;
    double u = warp(parameter.distribution, parameter.value) + (draws.uniform() < 0.5 ? -1 : 1) * options_.perturbation;
    if (u < 0) u = -u;
    if (u > 1) u = 2 - u;
    return unwarp(parameter.distribution, u);
  }

  PBT options_;
  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Pruner> PBT::make(std::uint64_t seed) const {
  check(population >= 2, "PBT: population ", population, " is below 2");
  check(interval >= 1, "PBT: interval ", interval, " is below 1");
  check(quantile > 0 && quantile <= 0.5, "PBT: quantile ", quantile, " is not in (0, 0.5]");
  check(resample >= 0 && resample <= 1, "PBT: resample ", resample, " is not in [0, 1]");
  check(perturbation >= 0 && perturbation <= 1, "PBT: perturbation ", perturbation, " is not in [0, 1]");
  return std::make_unique<PBTPruner>(*this, seed);
}

}  // namespace xgrad::tune
