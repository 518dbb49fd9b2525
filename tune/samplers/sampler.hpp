#pragma once
// What chooses the parameters of a trial.

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "../trials/history.hpp"

namespace xgrad::tune {

/// What a study is going to do, as far as it is known.
struct SearchPlan {
  std::optional<std::int64_t> trials = {};  ///< that it is to have in all
  bool prunes = false;                      ///< whether a pruner may end trials early
};

/// Chooses the parameters of one study's trials. Decisions depend on nothing but the seed, the trial's number and the
/// history, so a study that was stopped goes on as if it had not been. Members are called under the study's lock.
class Sampler {
 public:
  virtual ~Sampler() = default;

  /// Called before trials are begun, and again where the plan changes.
  virtual void prepare(const SearchPlan& plan);

  /// Called once for a new trial, before its first suggest. What it returns is added to the trial's attributes.
  virtual std::map<std::string, std::string> begin(const History& history, const TrialRecord& trial);

  /// The value of a parameter: a number of the range, or the index of the choice. `trial` has the parameters that it
  /// was given so far. `distribution` passed checked(); parameters that were fixed or enqueued are not asked for.
  virtual double suggest(const History& history, const TrialRecord& trial, const std::string& name,
                         const Distribution& distribution) = 0;
};

/// A choice of sampler: Auto, GP, TPE, CMAES, NSGAII, Random, Grid, Sobol or CoarseToFine with its options, or a struct
/// of yours that has
///   std::unique_ptr<Sampler> make(std::uint64_t seed) const;
class AnySampler {
 public:
  template <class Options>
  requires requires(const Options& o) {
    { o.make(std::uint64_t{}) } -> std::convertible_to<std::unique_ptr<Sampler>>;
  }
  AnySampler(Options options)
      : make_([options = std::move(options)](std::uint64_t seed) {
          return std::unique_ptr<Sampler>(options.make(seed));
        }) {}

  /// A sampler for one study. Throws Error for options that make no sense.
  std::unique_ptr<Sampler> make(std::uint64_t seed) const { return make_(seed); }

 private:
  std::function<std::unique_ptr<Sampler>(std::uint64_t)> make_;
};

/// Independent draws, uniform in the scale of each parameter.
struct Random {
  std::unique_ptr<Sampler> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
