#include "automatic.hpp"

#include <vector>

#include "../../core/error.hpp"
#include "../trials/joint_space.hpp"
#include "../trials/log.hpp"
#include "../trials/space.hpp"
#include "cmaes.hpp"
#include "gp.hpp"
#include "nsgaii.hpp"
#include "sobol.hpp"
#include "tpe.hpp"

namespace xgrad::tune {
namespace {

constexpr std::int64_t most_trials_of_gp = 250;
constexpr std::size_t most_parameters_of_gp = 20;

class AutoSampler final : public Sampler {
 public:
  AutoSampler(const Auto& options, std::uint64_t seed) : options_(options), seed_(seed), startup_(Sobol{}.make(seed)) {}

  void prepare(const SearchPlan& plan) override {
    plan_ = plan;
    if (chosen_) chosen_->prepare(plan);
  }

  std::map<std::string, std::string> begin(const History& history, const TrialRecord& trial) override {
    choose(history);
    return chosen_ ? chosen_->begin(history, trial) : std::map<std::string, std::string>();
  }

  double suggest(const History& history, const TrialRecord& trial, const std::string& name,
                 const Distribution& distribution) override {
    choose(history);
    return (chosen_ ? chosen_ : startup_)->suggest(history, trial, name, distribution);
  }

 private:
  void choose(const History& history) {
    if (chosen_) return;
    ended_.follow(history);
    if (ended_.size() < options_.startup_trials) return;
    std::string name, why;
    chosen_ = best_for(history.directions().size(), name, why).make(seed_);
    chosen_->prepare(plan_);
    log("Auto draws by " + name + ": " + why);
  }

  AnySampler best_for(std::size_t objectives, std::string& name, std::string& why) const {
    const std::int64_t trials = options_.budget.value_or(plan_.trials.value_or(100));
    const std::size_t parameters = ended_.space().parameters().size();
    bool numbers_only = true;
    for (const auto& [parameter, distribution] : ended_.space().parameters())
      numbers_only = numbers_only && !std::holds_alternative<CategoricalDistribution>(distribution);
    const auto text = [](auto n, const char* what) { return std::to_string(n) + " " + what; };
    const bool few = trials <= most_trials_of_gp && parameters <= most_parameters_of_gp;
    if (objectives > 1) {
      why = text(objectives, "objectives, ") + text(parameters, "parameters, ") + text(trials, "trials");
      if (few && objectives <= 3 && parameters > 0 && !ended_.space().has_others())
        return name = "GP", AnySampler(GP{});
      return name = "NSGAII", AnySampler(NSGAII{});
    }
    name = "TPE";
    if (plan_.prunes) return why = "a pruner ends trials early", AnySampler(TPE{});
    if (ended_.space().has_others()) return why = "not all trials have the same parameters", AnySampler(TPE{});
    why = text(parameters, "parameters, ") + text(trials, "trials");
    if (parameters == 0) return AnySampler(TPE{});
    if (few) return name = "GP", AnySampler(GP{.startup_trials = options_.startup_trials});
    if (trials <= most_trials_of_gp || !numbers_only) return AnySampler(TPE{});
    name = "CMAES";
    return CMAES{.startup_trials = options_.startup_trials, .restarts = CMAES::Restarts::ipop, .from_best = true};
  }

  Auto options_;
  std::uint64_t seed_;
  SearchPlan plan_;
  std::unique_ptr<Sampler> startup_, chosen_;
  EndedTrials ended_;
};

}  // namespace

std::unique_ptr<Sampler> Auto::make(std::uint64_t seed) const {
  check(startup_trials >= 1, "Auto: startup_trials ", startup_trials, " is below 1");
  return std::make_unique<AutoSampler>(*this, seed);
}

}  // namespace xgrad::tune
