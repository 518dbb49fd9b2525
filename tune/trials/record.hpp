#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "distribution.hpp"

namespace xgrad::tune {

enum class Direction { minimize, maximize };
inline constexpr Direction minimize = Direction::minimize;
inline constexpr Direction maximize = Direction::maximize;

/// `waiting`: enqueued, nobody has begun it. `paused`: begun, checkpointed, may go on. `diverged`: its objective became
/// NaN or infinite.
enum class TrialState { running, complete, pruned, failed, waiting, paused, diverged };

struct Parameter {
  std::string name;
  Distribution distribution;
  double value;  ///< as Optuna stores it: the number itself, or the index of the choice
};

/// All that is known of one trial. Numbers count from 0 within a study, without gaps.
struct TrialRecord {
  std::int64_t number = 0;
  TrialState state = TrialState::running;
  std::vector<Parameter> parameters = {};              ///< in the order in which they were suggested
  std::vector<double> values = {};                     ///< of the objectives; empty while it has none
  std::map<std::int64_t, double> intermediate = {};    ///< what was reported, by step
  std::map<std::string, std::string> attributes = {};  ///< JSON texts: the user's own, and "error" of a failed trial
  std::optional<std::chrono::system_clock::time_point> started = {}, completed = {};
  std::optional<std::int64_t> checkpoint = {};  ///< step of the latest checkpoint that can be restored or forked
  /// By name, as Optuna's Trial.set_constraint has them: above 0 is violated.
  std::map<std::string, double> constraints = {};
};

}  // namespace xgrad::tune
