#pragma once
// One trial of a study, as the objective sees it.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../trials/record.hpp"
#include "epochs.hpp"

namespace xgrad::tune {

namespace detail {
class StudyCore;
struct OpenTrial;
}  // namespace detail

struct FloatStep {
  double step;
};
struct IntStep {
  std::int64_t step;
};

/// A handle to a running trial; copies are the same trial. For one thread at a time.
///
/// Asking for a parameter a second time gives the first value again, also after the trial was interrupted and taken up
/// by another process. An Error leaves the trial as it was.
class Trial {
 public:
  std::int64_t number() const;
  /// A seed for what is random in this trial: data loaders, generators. It depends on the study's seed and the trial's
  /// number only. (The default generator of the thread is seeded with it before the objective is called.)
  std::uint64_t seed() const;

  /// A number in [low, high]. Throws Error where the range is none of its scale: `suggest_float: "lr": low 1 is above
  /// high 0.1`, and where this trial has the parameter already, with another range.
  double suggest_float(const std::string& name, double low, double high, Scale scale = Scale::linear);
  /// One of low, low + step, ... up to high.
  double suggest_float(const std::string& name, double low, double high, FloatStep step);
  /// A whole number in [low, high]; the scale is linear or log.
  std::int64_t suggest_int(const std::string& name, std::int64_t low, std::int64_t high, Scale scale = Scale::linear);
  std::int64_t suggest_int(const std::string& name, std::int64_t low, std::int64_t high, IntStep step);

  /// One of the choices. Throws Error for none, and for the same one twice.
  std::int64_t suggest_categorical(const std::string& name, std::initializer_list<int> choices) {
    return choose<std::int64_t>(name, choices);
  }
  std::int64_t suggest_categorical(const std::string& name, std::initializer_list<std::int64_t> choices) {
    return choose<std::int64_t>(name, choices);
  }
  double suggest_categorical(const std::string& name, std::initializer_list<double> choices) {
    return choose<double>(name, choices);
  }
  bool suggest_categorical(const std::string& name, std::initializer_list<bool> choices) {
    return choose<bool>(name, choices);
  }
  std::string suggest_categorical(const std::string& name, std::initializer_list<const char*> choices) {
    return choose<std::string>(name, choices);
  }
  /// Of std::int64_t, double, bool or std::string.
  template <class T>
  T suggest_categorical(const std::string& name, const std::vector<T>& choices) {
    return choose<T>(name, choices);
  }
  /// Of choices of several types.
  Choice suggest_categorical(const std::string& name, const CategoricalDistribution& choices);

  /// Of any distribution: the number (of an IntDistribution a whole one), or the choice.
  Choice suggest(const std::string& name, const Distribution& distribution);

  /// What the objective is after `step` (for epochs, their number; not negative). A step that was reported before is
  /// passed over, and the log says so once. A value that is not finite ends the trial as diverged. Throws Error in a
  /// study of several objectives.
  void report(std::int64_t step, double value);
  /// Whether the trial is to end now, because it was pruned or paused, has diverged, or ran out of time, or because the
  /// study is to stop. For objectives without epochs(); return when it is true, what is returned does not count.
  bool should_prune();

  /// The epochs 1, 2, ..., count of training, of which those are left out that this trial, or the one it is a fork of,
  /// has behind it: the objects are put into the state in which they were. These are modules, optimizers, schedules,
  /// data loaders, generators and what has state_dict() (see HasState), each saved whole; the default generator
  /// of the thread is saved too. Gradients are not saved, so an epoch begins with zero_grad(). A fork takes everything
  /// but its learning rate, which stays that of its own parameters.
  ///
  ///     for (int epoch : trial.epochs(9, net, adam, schedule, loader)) {
  ///       ... train ...
  ///       trial.report(epoch, nn::accuracy(net, validation));
  ///     }
  ///
  /// After an epoch the state is saved (see StudyOptions::checkpoint_interval), and the range ends where should_prune()
  /// would be true; the objective should return soon afterwards. Throws Error where a saved state does not fit.
  template <class... Objects>
  Epochs epochs(int count, Objects&... objects) {
    return Epochs(open_, count, {Stateful::of(objects)...});
  }

  /// How far a condition is from holding: above 0 it is violated. Samplers look for trials that violate none;
  /// best_trial() and pareto_front() are of those only. Throws Error for NaN.
  void set_constraint(const std::string& name, double value);

  /// An attribute of the trial: a JSON text. Throws Error for text that is no JSON.
  void set_attribute(const std::string& name, const std::string& json);

  /// The parameters that it has so far.
  std::map<std::string, Choice> parameters() const;
  /// What is known of the trial up to now.
  TrialRecord record() const;

 private:
  friend class Study;
  friend class detail::StudyCore;
  explicit Trial(std::shared_ptr<detail::OpenTrial> open) : open_(std::move(open)) {}

  template <class T, class Choices>
  T choose(const std::string& name, const Choices& choices) {
    CategoricalDistribution distribution;
    for (const auto& choice : choices) distribution.choices.emplace_back(std::in_place_type<T>, choice);
    return std::get<T>(suggest_categorical(name, distribution));
  }

  std::shared_ptr<detail::OpenTrial> open_;
};

}  // namespace xgrad::tune
