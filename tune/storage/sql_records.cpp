#include "sql_records.hpp"

#include <cmath>
#include <limits>

#include "../../core/error.hpp"
#include "../trials/encoding.hpp"
#include "../trials/space.hpp"
#include "../trials/text.hpp"

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
  if (type == "INF_POS" || type == "INF_NEG") return type == "INF_POS" ? infinity : -infinity;
  check(type == "FINITE", "the type \"", printable(type), "\" is unknown");
  const double finite = real(value);
  check(std::isfinite(finite), finite, " is not finite");
  return finite;
}

TrialState state_of(const std::string& optuna) {
  if (optuna == "COMPLETE") return TrialState::complete;
  if (optuna == "PRUNED") return TrialState::pruned;
  if (optuna == "WAITING") return TrialState::waiting;
  if (optuna == "FAIL") return TrialState::failed;
  check(optuna == "RUNNING", "\"", printable(optuna), "\" is no state");
  return TrialState::running;
}

// The state that this library has beside Optuna's; empty for a trial of Optuna.
void check_own_state(const std::string& state) {
  if (state.empty()) return;
  for (int known = 0; known < 7; ++known)
    if (state == name_of(static_cast<TrialState>(known))) return;
  fail("\"", printable(state), "\" is no state");
}

std::string excerpt_of(const Distribution& distribution) {
  const std::string json = distribution_to_json(distribution);
  return json.size() <= 200 ? json : json.substr(0, 200) + "...";
}

// Calls f; an Error names where its fault is.
template <class Where, class F>
auto within(const Where& where, F&& f) {
  try {
    return f();
  } catch (const Error& error) {
    const std::string_view reason = error.what(), prefix = "tune: ";
    fail(where(), ": ", reason.substr(reason.starts_with(prefix) ? prefix.size() : 0));
  }
}

// Takes in a constraint's row, `constraints` or `constraints:NAME`.
void read_constraints(TrialRecord& trial, const std::string& key, const std::string& json) {
  const std::string prefix = std::string(constraints_attribute) + ":";
  if (key.starts_with(prefix)) {
    trial.constraints[key.substr(prefix.size())] = number_from_json(json);
  } else if (json != "null") {
    const auto values = numbers_from_json(json);
    for (std::size_t i = 0; i < values.size(); ++i) trial.constraints[std::to_string(i)] = values[i];
  }
}

}  // namespace

std::vector<std::string> metric_names_of(Database& database, std::int64_t study, std::size_t objectives) {
  const SqlRows found =
      database.query("SELECT value_json FROM study_system_attributes WHERE study_id = $1 AND key = $2",
                     {study, std::string_view(metric_names_attribute)});
  if (found.empty()) return {};
  auto names = texts_from_json(text(found[0][0]));
  check(names.size() == objectives, "tune: ", database.name(), ": ", names.size(), " names for ", objectives,
        " objectives");
  return names;
}

std::vector<Direction> directions_of(Database& database, std::int64_t study) {
  std::vector<Direction> out;
  for (const SqlRow& row : database.query(
           "SELECT direction, objective FROM study_directions WHERE study_id = $1 ORDER BY objective", {study})) {
    const std::string direction = text(row[0]);
    check(direction == "MINIMIZE" || direction == "MAXIMIZE", "tune: ", database.name(), ": study ", study,
          ": its direction \"", printable(direction), "\" is none");
    check(integer(row[1]) == static_cast<std::int64_t>(out.size()), "tune: ", database.name(), ": study ", study,
          ": its objectives have gaps");
    out.push_back(direction == "MAXIMIZE" ? maximize : minimize);
  }
  check(!out.empty(), "tune: ", database.name(), ": study ", study, " has no direction");
  return out;
}

bool is_system_attribute(std::string_view key) {
  return key == fixed_attribute || key == state_attribute || key == worked_attribute || key == retried_attribute ||
         key == retries_attribute || key == constraints_attribute ||
         key.starts_with(std::string(constraints_attribute) + ":");
}

std::vector<StoredTrial> SqlRecords::read_study(std::int64_t study) {
  auto trials = read("t.study_id = $1", study);
  for (std::size_t i = 0; i < trials.size(); ++i)
    check(trials[i].record.number == static_cast<std::int64_t>(i), "tune: ", database_.name(), ": trial ",
          trials[i].record.number, " where trial ", i, " must be: numbers have no gaps");
  return trials;
}
std::vector<StoredTrial> SqlRecords::read_trial(std::int64_t id) { return read("t.trial_id = $1", id); }

std::vector<StoredTrial> SqlRecords::read(const std::string& condition, std::int64_t argument) {
  const auto field = [&](const TrialRecord& trial, std::string_view what, auto&& use) {
    return within(
        [&] {
          return "tune: " + database_.name() + ": trial " + std::to_string(trial.number) + ": " + std::string(what);
        },
        use);
  };
  std::vector<StoredTrial> out;
  std::unordered_map<std::int64_t, std::size_t> index;
  const char* const own_columns =
      own_tables_ ? ", l.state, c.step FROM trials t LEFT JOIN xgrad_leases l ON l.trial_id = t.trial_id LEFT JOIN "
                    "xgrad_checkpoints c ON c.trial_id = t.trial_id"
                  : ", NULL, NULL FROM trials t";
  for (SqlRow& row :
       database_.query(std::string("SELECT t.trial_id, t.number, t.state, t.datetime_start, t.datetime_complete") +
                           own_columns + " WHERE t.number IS NOT NULL AND " + condition + " ORDER BY t.number",
                       {argument})) {
    StoredTrial trial;
    TrialRecord& record = trial.record;
    trial.id = integer(row[0]);
    record.number = within(
        [&] { return "tune: " + database_.name() + ": trial with id " + std::to_string(trial.id) + ": its number"; },
        [&] { return integer(row[1]); });
    check(record.number >= 0, "tune: ", database_.name(), ": trial ", record.number, ": its number is negative");
    const std::string own = field(record, "its state", [&] {
      record.state = state_of(text(row[2]));
      check_own_state(text(row[5]));
      return text(row[5]);
    });
    field(record, "its time", [&] {
      if (!is_null(row[3])) record.started = time_from_text(text(row[3]));
      if (!is_null(row[4])) record.completed = time_from_text(text(row[4]));
    });
    trial.ours = own == "running" || own == "paused";
    if (own == "paused" && (record.state == TrialState::running || record.state == TrialState::pruned)) {
      record.state = TrialState::paused;
      record.completed.reset();
    }
    if (own == "diverged") record.state = TrialState::diverged;
    field(record, "its checkpoint", [&] {
      if (is_null(row[6])) return;
      record.checkpoint = integer(row[6]);
      check(*record.checkpoint >= 0 && *record.checkpoint < std::numeric_limits<int>::max(), "there is no step ",
            *record.checkpoint);
    });
    index.emplace(trial.id, out.size());
    out.push_back(std::move(trial));
  }

  const auto each = [&](const std::string& columns, const std::string& table, const std::string& order,
                        std::string_view what, auto&& use) {
    const std::string from = " FROM " + table + " p JOIN trials t ON t.trial_id = p.trial_id WHERE ";
    for (const SqlRow& row :
         database_.query("SELECT p.trial_id, " + columns + from + condition + " ORDER BY p." + order, {argument}))
      if (const auto at = index.find(integer(row[0])); at != index.end()) {
        TrialRecord& trial = out[at->second].record;
        field(trial, what, [&] { use(trial, row); });
      }
  };
  each("p.param_name, p.param_value, p.distribution_json", "trial_params", "param_id", "its parameters",
       [&](TrialRecord& trial, const SqlRow& row) {
         const std::string name = text(row[1]);
         check_name("parameter", "parameter", name);
         within([&] { return '"' + printable(name) + '"'; },
                [&] {
                  const Distribution& given = distribution(name, text(row[3]));
                  const double value = real(row[2]);
                  if (!contains(given, value)) fail(value, " is not in its distribution ", excerpt_of(given));
                  trial.parameters.push_back({name, given, value});
                });
       });
  each("p.value, p.value_type, p.objective", "trial_values", "objective", "its values",
       [&](TrialRecord& trial, const SqlRow& row) {
         check(integer(row[3]) == static_cast<std::int64_t>(trial.values.size()) && trial.values.size() < objectives_,
               "one is of objective ", integer(row[3]), " after ", trial.values.size(), " of ", objectives_);
         trial.values.push_back(number(row[1], text(row[2])));
       });
  for (StoredTrial& trial : out)
    if (trial.record.state == TrialState::paused) trial.record.values.clear();  // what settle() gave it for Optuna
  each("p.step, p.intermediate_value, p.intermediate_value_type", "trial_intermediate_values", "trial_id",
       "its reports", [&](TrialRecord& trial, const SqlRow& row) {
         const std::int64_t step = integer(row[1]);
         check(step >= 0, "step ", step, " is negative");
         trial.intermediate[step] = number(row[2], text(row[3]));
       });
  const auto read_attribute = [](TrialRecord& trial, const std::string& name, const SqlValue& value) {
    check_name("attribute", "attribute", name);
    std::string json = text(value);
    const std::string_view fault = size_fault(json);  // Python's NaN is no JSON, and let through
    check(fault.empty(), "\"", printable(name), "\" ", fault);
    trial.attributes[name] = std::move(json);
  };
  each("p.key, p.value_json", "trial_user_attributes", "trial_id", "its attributes",
       [&](TrialRecord& trial, const SqlRow& row) { read_attribute(trial, text(row[1]), row[2]); });
  each("p.key, p.value_json", "trial_system_attributes", "trial_id", "its attributes",
       [&](TrialRecord& trial, const SqlRow& row) {
         const std::string key = text(row[1]);
         if (!is_system_attribute(key) || key == state_attribute) return;
         within([&] { return printable(key); },
                [&] {
                  if (key.starts_with(constraints_attribute)) return read_constraints(trial, key, text(row[2]));
                  if (key == fixed_attribute) choices_from_json(text(row[2]));
                  if (key == worked_attribute) number_from_json(text(row[2]));
                  read_attribute(trial, key, row[2]);
                });
       });
  for (const auto& [id, ours, record] : out)
    check(record.state != TrialState::complete || record.values.size() == objectives_, "tune: ", database_.name(),
          ": trial ", record.number, ": it is complete, and has ", record.values.size(), " values for ", objectives_,
          " objectives");
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
  database_.query(std::string("INSERT INTO ") +
                      (is_system_attribute(key) ? "trial_system_attributes" : "trial_user_attributes") +
                      " (trial_id, key, value_json) VALUES ($1, $2, $3) ON CONFLICT (trial_id, key) DO UPDATE SET "
                      "value_json = excluded.value_json",
                  {trial, key, json});
}

void SqlRecords::write_constraint(std::int64_t trial, const std::string& name, double value) {
  write_attribute(trial, std::string(constraints_attribute) + ":" + name, number_to_json(value));
}

void SqlRecords::write_values(std::int64_t trial, const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    database_.query("INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES ($1, $2, $3, $4)",
                    {trial, static_cast<std::int64_t>(i), finite(values[i]), value_type(values[i])});
}

const Distribution& SqlRecords::distribution(const std::string& parameter, const std::string& json) {
  if (const auto known = distributions_.find(json); known != distributions_.end()) return known->second;
  const Distribution read = distribution_from_json(json);
  checked(parameter, read);
  return distributions_.emplace(json, read).first->second;
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
