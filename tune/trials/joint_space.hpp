#pragma once
// The parameters that all trials have.

#include <map>
#include <string>
#include <vector>

#include "history.hpp"

namespace xgrad::tune {

/// The parameters that all trials added so far have, with the same distribution and more than one value: what a sampler
/// can choose together before the objective has asked for anything.
class JointSpace {
 public:
  /// Takes in a trial that has ended; one that ended before it asked for a parameter does not count.
  void add(const TrialRecord& trial);

  const std::map<std::string, Distribution>& parameters() const { return parameters_; }
  /// Whether trials had parameters besides these.
  bool has_others() const { return has_others_; }

 private:
  std::map<std::string, Distribution> parameters_;
  bool any_ = false, has_others_ = false;
};

/// The trials that have ended, as rank_of() has it, each looked at once; and what they have in common.
class EndedTrials {
 public:
  /// Numbers of those that ended since the last call.
  std::vector<std::int64_t> follow(const History& history);

  std::int64_t size() const { return size_; }
  const JointSpace& space() const { return space_; }

 private:
  std::size_t cursor_ = 0;
  std::int64_t size_ = 0;
  std::vector<bool> seen_;
  JointSpace space_;
};

/// The parameter of this name; null where there is none.
const Parameter* find(const std::vector<Parameter>& parameters, const std::string& name);

}  // namespace xgrad::tune
