#pragma once
// What ends trials early, and chooses which of the paused ones goes on.

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "../trials/history.hpp"

namespace xgrad::tune {

/// What becomes of a trial after a report. `pause`: it saves a checkpoint and makes room for others; it is complete
/// instead if it has come to its end.
enum class Decision { go_on, pause, prune };

/// What to run instead of a trial from nothing.
struct Start {
  std::int64_t source;  ///< this trial
  bool fork = false;    ///< false: goes on from where it paused. true: a new trial begins at its latest checkpoint,
  std::map<std::string, double> parameters = {};       ///< with these values (as Parameter::value),
  std::map<std::string, std::string> attributes = {};  ///< and these attributes;
  std::optional<std::int64_t> replaces = {};           ///< this paused trial is then pruned
};

/// Decides on one study's trials. Decisions depend on nothing but the seed and the history, so a study that was stopped
/// goes on as if it had not been. Members are called under the study's lock. With several objectives only the first
/// counts.
class Pruner {
 public:
  virtual ~Pruner() = default;

  /// After the running trial `number` has reported; the report is in the history, as is its checkpoint if it has one.
  virtual Decision report(const History& history, std::int64_t number) = 0;

  /// What a free worker shall run; nothing: a new trial. Without `may_begin` the study has all the trials it wants:
  /// forks are no answer then, and nothing means that the worker is done unless a running trial pauses later.
  virtual std::optional<Start> next(const History& history, bool may_begin);
};

struct None;

/// A choice of pruner: None, ASHA, Hyperband, Median, Percentile, Wilcoxon, Patience, Threshold or PBT with its
/// options, or a struct of yours that has
///   std::unique_ptr<Pruner> make(std::uint64_t seed) const;
class AnyPruner {
 public:
  template <class Options>
  requires requires(const Options& o) {
    { o.make(std::uint64_t{}) } -> std::convertible_to<std::unique_ptr<Pruner>>;
  }
  AnyPruner(Options options)
      : ends_trials_(!std::is_same_v<Options, None>), make_([options = std::move(options)](std::uint64_t seed) {
          return std::unique_ptr<Pruner>(options.make(seed));
        }) {}

  /// Whether it may end trials early: all but None.
  bool ends_trials() const { return ends_trials_; }

  /// A pruner for one study. Throws Error for options that make no sense.
  std::unique_ptr<Pruner> make(std::uint64_t seed) const { return make_(seed); }

 private:
  bool ends_trials_;
  std::function<std::unique_ptr<Pruner>(std::uint64_t)> make_;
};

/// Every trial runs to its end.
struct None {
  std::unique_ptr<Pruner> make(std::uint64_t seed) const;
};

}  // namespace xgrad::tune
