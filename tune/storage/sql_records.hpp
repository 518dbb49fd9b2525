#pragma once
// Studies and trials as rows of Optuna's tables.

#include <string>
#include <unordered_map>
#include <vector>

#include "../trials/record.hpp"
#include "database.hpp"
#include "storage.hpp"

namespace xgrad::tune {

/// Keys of Optuna's trial_system_attributes; all other attributes are in trial_user_attributes.
inline constexpr const char* fixed_attribute = "fixed_params";
inline constexpr const char* state_attribute = "xgrad:state";
inline constexpr const char* retried_attribute = "failed_trial";   ///< the first trial of which this one is a retry,
inline constexpr const char* retries_attribute = "retry_history";  ///< and all of them
inline constexpr const char* worked_attribute = "xgrad:seconds";   ///< of a trial that has paused: for how long it ran
/// `constraints:NAME` has a constraint's value; before Optuna 5 `constraints` had a list of them.
inline constexpr const char* constraints_attribute = "constraints";
/// Of study_system_attributes.
inline constexpr const char* metric_names_attribute = "study:metric_names";

bool is_system_attribute(std::string_view key);

std::vector<Direction> directions_of(Database& database, std::int64_t study);

/// Names of a study's objectives; empty where nobody gave them.
std::vector<std::string> metric_names_of(Database& database, std::int64_t study, std::size_t objectives);

/// A trial as it is stored.
struct StoredTrial {
  std::int64_t id;
  bool ours;  ///< made or taken by this library, and not since claimed by Optuna
  TrialRecord record;
};

class SqlRecords {
 public:
  /// Of a study with so many objectives. Without `own_tables` the database has only Optuna's.
  SqlRecords(Database& database, std::size_t objectives, bool own_tables = true)
      : database_(database), objectives_(objectives), own_tables_(own_tables) {}

  /// All trials of a study, by number. Everything that is read is checked here, so that nothing else needs to: Error
  /// for what no study can have names the trial and the field.
  std::vector<StoredTrial> read_study(std::int64_t study);
  /// Nothing where there is no such trial.
  std::vector<StoredTrial> read_trial(std::int64_t id);

  void write_parameter(std::int64_t trial, const Parameter& parameter);
  void write_report(std::int64_t trial, std::int64_t step, double value);
  void write_attribute(std::int64_t trial, const std::string& key, const std::string& json);
  void write_constraint(std::int64_t trial, const std::string& name, double value);
  void write_values(std::int64_t trial, const std::vector<double>& values);

 private:
  std::vector<StoredTrial> read(const std::string& condition, std::int64_t argument);
  const Distribution& distribution(const std::string& parameter, const std::string& json);
  const std::string& json_of(const Parameter& parameter);

  Database& database_;
  std::size_t objectives_;
  bool own_tables_;
  std::unordered_map<std::string, Distribution> distributions_;                 // by their JSON
  std::unordered_map<std::string, std::pair<Distribution, std::string>> json_;  // of a parameter's last distribution
};

}  // namespace xgrad::tune
