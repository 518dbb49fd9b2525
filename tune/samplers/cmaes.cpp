#include "cmaes.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../core/error.hpp"
#include "../trials/draws.hpp"
#include "../trials/encoding.hpp"
#include "../trials/joint_space.hpp"
#include "../trials/normal.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "covariance_adaptation.hpp"
#include "sobol.hpp"
#include "tpe.hpp"

namespace xgrad::tune {
namespace {

constexpr const char* generation_attribute = "cmaes:generation";

class CMAESSampler final : public Sampler {
 public:
  CMAESSampler(const CMAES& options, std::uint64_t seed)
      : options_(options), seed_(seed), startup_(Sobol{}.make(seed)), others_(TPE{.multivariate = false}.make(seed)) {}

  std::map<std::string, std::string> begin(const History& history, const TrialRecord&) override {
    check(history.directions().size() == 1, "CMAES: ", history.directions().size(),
          " objectives; it takes one, GP, NSGAII and TPE several");
    follow(history);
    if (!run_) return {};
    return {{generation_attribute, text_to_json(tag())}};
  }

  double suggest(const History& history, const TrialRecord& trial, const std::string& name,
                 const Distribution& distribution) override {
    follow(history);
    if (ended_.size() < options_.startup_trials) return startup_->suggest(history, trial, name, distribution);
    if (const auto drawn = drawn_value(trial, name, distribution)) return *drawn;
    return others_->suggest(history, trial, name, distribution);
  }

 private:
  // What this trial's generation draws; nothing where the generation has passed, or has no such parameter.
  std::optional<double> drawn_value(const TrialRecord& trial, const std::string& name,
                                    const Distribution& distribution) {
    const auto of = trial.attributes.find(generation_attribute);
    if (!run_ || of == trial.attributes.end() || of->second != text_to_json(tag())) return std::nullopt;
    const std::vector<double> x = draw(trial.number);
    for (std::size_t i = 0; i < axes_.size(); ++i)
      if (axes_[i].first == name && axes_[i].second == distribution) return unwarp(distribution, x[i]);
    return std::nullopt;
  }

  // The same at each call within a generation. Outside of the box it is drawn again, and at last moved to its edge.
  std::vector<double> draw(std::int64_t number) const {
    Draws draws(seed_, number, "cmaes");
    std::vector<double> x;
    for (int attempt = 0; attempt < 20; ++attempt) {
      std::vector<double> normal;
      for (std::size_t i = 0; i < axes_.size(); ++i)
        normal.push_back(normal_quantile(std::max(draws.uniform(), 1e-16)));
      x = run_->point(normal);
      if (std::all_of(x.begin(), x.end(), [](double u) { return u >= 0 && u <= 1; })) return x;
    }
    for (double& u : x) u = std::clamp(u, 0.0, 1.0);
    return x;
  }

  std::string tag() const {
    return std::to_string(axes_.size()) + "/" + std::to_string(run_number_) + "/" + std::to_string(generation_);
  }

  void follow(const History& history) {
    for (const std::int64_t number : ended_.follow(history))
      if (const auto of = history[number].attributes.find(generation_attribute); of != history[number].attributes.end())
        members_[of->second].push_back(*rank_of(history[number], history.directions()[0]));
    if (ended_.size() < options_.startup_trials) return;
    choose_axes(history);
    while (run_) {
      auto& members = members_[text_to_json(tag())];
      if (members.size() < run_->population()) return;
      advance(history, members);
    }
  }

  void choose_axes(const History& history) {
    std::vector<std::pair<std::string, Distribution>> axes;
    for (const auto& [name, distribution] : ended_.space().parameters())
      if (!std::holds_alternative<CategoricalDistribution>(distribution)) axes.emplace_back(name, distribution);
    if (axes == axes_ && run_) return;
    axes_ = std::move(axes);
    run_.reset();
    run_number_ = generation_ = 0;
    if (axes_.empty()) return;
    std::vector<double> mean(axes_.size(), 0.5);
    if (options_.from_best) {
      std::optional<Rank> best;
      for (const TrialRecord& trial : history) {
        const auto rank = rank_of(trial, history.directions()[0]);
        if (rank && !trial.attributes.contains(generation_attribute) && (!best || *rank < *best)) best = rank;
      }
      for (std::size_t i = 0; best && i < axes_.size(); ++i)
        if (const Parameter* p = find(history[best->number].parameters, axes_[i].first))
          mean[i] = warp(axes_[i].second, p->value);
    }
    start(std::move(mean), first_population(), options_.sigma.value_or(1.0 / 6));
  }

  std::size_t first_population() const {
    const double by_dimensions = 4 + std::floor(3 * std::log(static_cast<double>(axes_.size())));
    return options_.population ? static_cast<std::size_t>(*options_.population)
                               : static_cast<std::size_t>(by_dimensions);
  }

  void start(std::vector<double> mean, std::size_t population, double sigma) {
    std::vector<std::size_t> steps;
    for (const auto& [name, distribution] : axes_) {
      const bool even = axis(distribution).scale == Scale::linear;  // cells of a log scale have their own widths
      steps.push_back(even ? static_cast<std::size_t>(count(distribution)) : 0);
    }
    run_.emplace(std::move(mean), sigma, population, std::move(steps), options_.lr_adapt);
    generation_ = 0;
  }

  void advance(const History& history, std::vector<Rank>& members) {
    std::sort(members.begin(), members.end(), [](const Rank& a, const Rank& b) { return a.number < b.number; });
    members.resize(run_->population());
    std::sort(members.begin(), members.end());
    std::vector<std::vector<double>> points;
    for (const Rank& rank : members) {
      std::vector<double> x = draw(rank.number);
      for (std::size_t i = 0; i < axes_.size(); ++i) {
        const Parameter* p = find(history[rank.number].parameters, axes_[i].first);
        if (p && unwarp(axes_[i].second, x[i]) != p->value) x[i] = warp(axes_[i].second, p->value);  // it was given
      }
      points.push_back(std::move(x));
    }
    run_->tell(points);
    run_->tell_best(members[0].value);
    spent_[small_] += members.size();
    ++generation_;
    if (options_.restarts != CMAES::Restarts::none && run_->has_converged()) restart();
  }

  void restart() {
    ++run_number_;
    Draws draws(seed_, static_cast<std::int64_t>(run_number_), "cmaes restart");
    std::vector<double> mean;
    for (std::size_t i = 0; i < axes_.size(); ++i) mean.push_back(draws.uniform());
    small_ = options_.restarts == CMAES::Restarts::bipop && spent_[true] < spent_[false];
    const double sigma = options_.sigma.value_or(1.0 / 6);
    if (small_) {
      const double u = draws.uniform(), ratio = static_cast<double>(large_) / static_cast<double>(first_population());
      const double population = static_cast<double>(first_population()) * std::pow(0.5 * ratio, u * u);
      start(std::move(mean), std::max<std::size_t>(4, static_cast<std::size_t>(population)),
            sigma * std::pow(10, -2 * draws.uniform()));
    } else {
      large_ = 2 * std::max(large_, first_population());
      start(std::move(mean), large_, sigma);
    }
  }

  CMAES options_;
  std::uint64_t seed_;
  std::unique_ptr<Sampler> startup_, others_;
  EndedTrials ended_;
  std::map<std::string, std::vector<Rank>> members_;  // by tag: ended trials
  std::vector<std::pair<std::string, Distribution>> axes_;
  std::optional<CovarianceAdaptation> run_;
  int run_number_ = 0;
  std::int64_t generation_ = 0;
  bool small_ = false;
  std::size_t large_ = 0;                   // population of the last large run
  std::map<bool, std::size_t> spent_ = {};  // trials in small and large runs
};

}  // namespace

std::unique_ptr<Sampler> CMAES::make(std::uint64_t seed) const {
  check(startup_trials >= 1, "CMAES: startup_trials ", startup_trials, " is below 1");
  check(!sigma || *sigma > 0, "CMAES: sigma ", sigma.value_or(0), " is not above 0");
  check(!population || *population >= 4, "CMAES: population ", population.value_or(0), " is below 4");
  return std::make_unique<CMAESSampler>(*this, seed);
}

}  // namespace xgrad::tune
