#pragma once
// A study in memory without anything around it.

#include <xgrad/tune/samplers/sampler.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// The running trial of a search, as its objective sees it: search("x", distribution) is the value of parameter x.
class Search {
 public:
  Search(const xgrad::tune::AnySampler& sampler, std::uint64_t seed,
         xgrad::tune::History history = xgrad::tune::History())
      : sampler_(sampler.make(seed)), history_(std::move(history)) {}

  const xgrad::tune::History& history() const { return history_; }

  double operator()(const std::string& name, const xgrad::tune::Distribution& distribution) {
    const double value = sampler_->suggest(history_, history_[number_], name, distribution);
    history_.change(number_, [&](auto& trial) { trial.parameters.push_back({name, distribution, value}); });
    return value;
  }

  void prepare(const xgrad::tune::SearchPlan& plan) { sampler_->prepare(plan); }

  void report(std::int64_t step, double value) {
    history_.change(number_, [&](auto& trial) { trial.intermediate[step] = value; });
  }

  /// The trial ends in this state instead of complete.
  void end_as(xgrad::tune::TrialState state) { end_ = state; }

  /// Values of the further objectives.
  void also(std::vector<double> values) { more_ = std::move(values); }

  template <class Edit>
  void edit(std::int64_t number, const Edit& change) {
    history_.change(number, change);
  }

  /// Runs one trial, and gives its value.
  template <class Objective>
  double run(const Objective& objective) {
    number_ = history_.size();
    end_ = xgrad::tune::TrialState::complete;
    more_.clear();
    history_.put({.number = number_});
    auto attributes = sampler_->begin(history_, history_[number_]);
    if (!attributes.empty()) history_.change(number_, [&](auto& trial) { trial.attributes.merge(attributes); });
    const double value = objective(*this);
    history_.change(number_, [&](auto& trial) {
      trial.state = end_;
      if (end_ != xgrad::tune::TrialState::complete) return;
      trial.values = {value};
      trial.values.insert(trial.values.end(), more_.begin(), more_.end());
    });
    return value;
  }

 private:
  std::unique_ptr<xgrad::tune::Sampler> sampler_;
  xgrad::tune::History history_;
  std::int64_t number_ = 0;
  xgrad::tune::TrialState end_ = xgrad::tune::TrialState::complete;
  std::vector<double> more_;
};
