#include "sql_records.hpp"

#include <cmath>
#include <limits>

#include "encoding.hpp"

namespace xgrad::tune {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string_view value_type(double value) {
  if (std::isnan(value)) return "NAN";
  return value == infinity ? "INF_POS" : value == -infinity ? "INF_NEG" : "FINITE";
}
SqlArgument finite(double value) { return std::isfinite(value) ? SqlArgument(value) : SqlArgument(); }

double number(const SqlValue& value, const std::string& type) {
  if (type == "NAN") return std::numeric_limits<double>::quiet_NaN();
  return type == "INF_POS" ? infinity : type == "INF_NEG" ? -infinity : real(value);
}

TrialState state_of(const std::string& optuna) {
  if (optuna == "COMPLETE") return TrialState::complete;
  if (optuna == "PRUNED") return TrialState::pruned;
  if (optuna == "WAITING") return TrialState::waiting;
  return optuna == "RUNNING" ? TrialState::running : TrialState::failed;
}

}  // namespace

std::vector<StoredTrial> SqlRecords::read_study(std::int64_t study) { return read("t.study_id = $1", study); }
std::vector<StoredTrial> SqlRecords::read_trial(std::int64_t id) { return read("t.trial_id = $1", id); }

std::vector<StoredTrial> SqlRecords::read(const std::string& condition, std::int64_t argument) {
  std::vector<StoredTrial> out;
  std::unordered_map<std::int64_t, std::size_t> index;
  for (SqlRow& row : database_.query(
           "SELECT t.trial_id, t.number, t.state, t.datetime_start, t.datetime_complete, l.state, c.step FROM trials t "
           "LEFT JOIN xgrad_leases l ON l.trial_id = t.trial_id LEFT JOIN xgrad_checkpoints c ON c.trial_id = "
           "t.trial_id WHERE t.number IS NOT NULL AND " +
               condition + " ORDER BY t.number",
           {argument})) {
    StoredTrial trial{integer(row[0]), false, {}};
    TrialRecord& record = trial.record;
    record.number = integer(row[1]);
    record.state = state_of(text(row[2]));
    if (!is_null(row[3])) record.started = time_from_text(text(row[3]));
    if (!is_null(row[4])) record.completed = time_from_text(text(row[4]));
    const std::string own = text(row[5]);
    trial.ours = own == "running" || own == "paused";
    if (own == "paused" && record.state == TrialState::running) record.state = TrialState::paused;
    if (own == "diverged") record.state = TrialState::diverged;
    if (!is_null(row[6])) record.checkpoint = integer(row[6]);
    index.emplace(trial.id, out.size());
    out.push_back(std::move(trial));
  }

  const auto each = [&](const std::string& columns, const std::string& table, const std::string& order, auto&& use) {
    const std::string from = " FROM " + table + " p JOIN trials t ON t.trial_id = p.trial_id WHERE ";
    for (const SqlRow& row :
         database_.query("SELECT p.trial_id, " + columns + from + condition + " ORDER BY p." + order, {argument}))
      if (const auto at = index.find(integer(row[0])); at != index.end()) use(out[at->second].record, row);
  };
  each("p.param_name, p.param_value, p.distribution_json", "trial_params", "param_id",
       [&](TrialRecord& trial, const SqlRow& row) {
         trial.parameters.push_back({text(row[1]), distribution(text(row[3])), real(row[2])});
       });
  each("p.value, p.value_type", "trial_values", "objective",
       [&](TrialRecord& trial, const SqlRow& row) { trial.values.push_back(number(row[1], text(row[2]))); });
  each("p.step, p.intermediate_value, p.intermediate_value_type", "trial_intermediate_values", "trial_id",
       [&](TrialRecord& trial, const SqlRow& row) {
         trial.intermediate[integer(row[1])] = number(row[2], text(row[3]));
       });
  each("p.key, p.value_json", "trial_user_attributes", "trial_id",
       [&](TrialRecord& trial, const SqlRow& row) { trial.attributes[text(row[1])] = text(row[2]); });
  each("p.key, p.value_json", "trial_system_attributes", "trial_id", [&](TrialRecord& trial, const SqlRow& row) {
    if (text(row[1]) == fixed_attribute) trial.attributes[fixed_attribute] = text(row[2]);
  });
  return out;
}

void SqlRecords::write_parameter(std::int64_t trial, const Parameter& parameter) {
  database_.query(
      "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES ($1, $2, $3, $4) ON "
      "CONFLICT (trial_id, param_name) DO NOTHING",
      {trial, parameter.name, parameter.value, json_of(parameter)});
}

void SqlRecords::write_report(std::int64_t trial, std::int64_t step, double value) {
  database_.query(
      "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) VALUES ($1, "
      "$2, $3, $4) ON CONFLICT (trial_id, step) DO UPDATE SET intermediate_value = excluded.intermediate_value, "
      "intermediate_value_type = excluded.intermediate_value_type",
      {trial, step, finite(value), value_type(value)});
}

void SqlRecords::write_attribute(std::int64_t trial, const std::string& key, const std::string& json) {
  const bool system = key == fixed_attribute || key == state_attribute;
  database_.query(std::string("INSERT INTO ") + (system ? "trial_system_attributes" : "trial_user_attributes") +
                      " (trial_id, key, value_json) VALUES ($1, $2, $3) ON CONFLICT (trial_id, key) DO UPDATE SET "
                      "value_json = excluded.value_json",
                  {trial, key, json});
}

void SqlRecords::write_values(std::int64_t trial, const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    database_.query("INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES ($1, $2, $3, $4)",
                    {trial, static_cast<std::int64_t>(i), finite(values[i]), value_type(values[i])});
}

const Distribution& SqlRecords::distribution(const std::string& json) {
  const auto known = distributions_.find(json);
  return known != distributions_.end() ? known->second
                                       : distributions_.emplace(json, distribution_from_json(json)).first->second;
}

const std::string& SqlRecords::json_of(const Parameter& parameter) {
  auto& [distribution, json] = json_[parameter.name];
  if (json.empty() || distribution != parameter.distribution) {
    distribution = parameter.distribution;
    json = distribution_to_json(distribution);
  }
  return json;
}

}  // namespace xgrad::tune
