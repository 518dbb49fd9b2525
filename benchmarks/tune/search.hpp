#pragma once
// A study in memory without anything around it: what the benchmarks of samplers run.

#include <xgrad/tune/samplers/sampler.hpp>
#include <xgrad/tune/trials/space.hpp>

#include <algorithm>
#include <string>
#include <vector>

/// The running trial of a search, as its objective sees it: search("x", distribution) is the value of parameter x.
class Search {
 public:
  Search(const xgrad::tune::AnySampler& sampler, std::uint64_t seed, std::size_t objectives = 1)
      : sampler_(sampler.make(seed)),
        history_(std::vector<xgrad::tune::Direction>(objectives, xgrad::tune::minimize)) {}

  void prepare(const xgrad::tune::SearchPlan& plan) { sampler_->prepare(plan); }

  const xgrad::tune::History& history() const { return history_; }

  double operator()(const std::string& name, const xgrad::tune::Distribution& distribution) {
    const double value = sampler_->suggest(history_, history_[number_], name, distribution);
    history_.change(number_, [&](auto& trial) { trial.parameters.push_back({name, distribution, value}); });
    return value;
  }

  /// Runs one trial, and gives its value, or its values where the objective gives several.
  template <class Objective>
  auto run(const Objective& objective) {
    number_ = history_.size();
    history_.put({.number = number_});
    auto attributes = sampler_->begin(history_, history_[number_]);
    if (!attributes.empty()) history_.change(number_, [&](auto& trial) { trial.attributes.merge(attributes); });
    const auto value = objective(*this);
    history_.change(number_, [&](auto& trial) {
      trial.state = xgrad::tune::TrialState::complete;
      trial.values = {value};
    });
    return value;
  }

 private:
  std::unique_ptr<xgrad::tune::Sampler> sampler_;
  xgrad::tune::History history_;
  std::int64_t number_ = 0;
};

/// The best value so far, after each of `trials` trials.
template <class Objective>
std::vector<double> best_values(const xgrad::tune::AnySampler& sampler, std::uint64_t seed, int trials,
                                const Objective& objective) {
  Search search(sampler, seed);
  std::vector<double> best;
  for (int i = 0; i < trials; ++i) {
    const double value = search.run(objective);
    best.push_back(best.empty() ? value : std::min(best.back(), value));
  }
  return best;
}
