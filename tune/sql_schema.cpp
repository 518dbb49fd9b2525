#include "sql_schema.hpp"

#include "../core/error.hpp"

namespace xgrad::tune {

namespace {

constexpr const char* alembic_version = "v3.2.0.a";
constexpr const char* schema_version = "12";

// What Optuna's models.py makes; words in braces differ between the databases.
constexpr const char* optuna_tables = R"(
CREATE TABLE IF NOT EXISTS studies (
  study_id {id}, study_name VARCHAR(512) NOT NULL, PRIMARY KEY (study_id));
CREATE TABLE IF NOT EXISTS version_info (
  version_info_id INTEGER NOT NULL, schema_version INTEGER, library_version VARCHAR(256), PRIMARY KEY (version_info_id),
  CHECK (version_info_id=1));
CREATE TABLE IF NOT EXISTS study_directions (
  study_direction_id {id}, direction {direction} NOT NULL, study_id INTEGER NOT NULL, objective INTEGER NOT NULL,
  PRIMARY KEY (study_direction_id), UNIQUE (study_id, objective),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
CREATE TABLE IF NOT EXISTS study_user_attributes (
  study_user_attribute_id {id}, study_id INTEGER, key VARCHAR(512), value_json TEXT,
  PRIMARY KEY (study_user_attribute_id), UNIQUE (study_id, key),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
CREATE TABLE IF NOT EXISTS study_system_attributes (
  study_system_attribute_id {id}, study_id INTEGER, key VARCHAR(512), value_json TEXT,
  PRIMARY KEY (study_system_attribute_id), UNIQUE (study_id, key),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
CREATE TABLE IF NOT EXISTS trials (
  trial_id {id}, number INTEGER, study_id INTEGER, state {state} NOT NULL, datetime_start {time},
  datetime_complete {time}, PRIMARY KEY (trial_id), FOREIGN KEY(study_id) REFERENCES studies (study_id));
CREATE TABLE IF NOT EXISTS trial_user_attributes (
  trial_user_attribute_id {id}, trial_id INTEGER, key VARCHAR(512), value_json TEXT,
  PRIMARY KEY (trial_user_attribute_id), UNIQUE (trial_id, key),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE IF NOT EXISTS trial_system_attributes (
  trial_system_attribute_id {id}, trial_id INTEGER, key VARCHAR(512), value_json TEXT,
  PRIMARY KEY (trial_system_attribute_id), UNIQUE (trial_id, key),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE IF NOT EXISTS trial_params (
  param_id {id}, trial_id INTEGER, param_name VARCHAR(512), param_value {float}, distribution_json TEXT,
  PRIMARY KEY (param_id), UNIQUE (trial_id, param_name),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE IF NOT EXISTS trial_values (
  trial_value_id {id}, trial_id INTEGER NOT NULL, objective INTEGER NOT NULL, value {float},
  value_type {value_type} NOT NULL, PRIMARY KEY (trial_value_id), UNIQUE (trial_id, objective),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE IF NOT EXISTS trial_intermediate_values (
  trial_intermediate_value_id {id}, trial_id INTEGER NOT NULL, step INTEGER NOT NULL, intermediate_value {float},
  intermediate_value_type {intermediate_type} NOT NULL, PRIMARY KEY (trial_intermediate_value_id),
  UNIQUE (trial_id, step), FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE IF NOT EXISTS trial_heartbeats (
  trial_heartbeat_id {id}, trial_id INTEGER NOT NULL, heartbeat {time} NOT NULL, PRIMARY KEY (trial_heartbeat_id),
  UNIQUE (trial_id), FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE IF NOT EXISTS alembic_version (
  version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
CREATE UNIQUE INDEX IF NOT EXISTS ix_studies_study_name ON studies (study_name);
CREATE INDEX IF NOT EXISTS ix_trials_study_id ON trials (study_id);
)";

// Rows go with the trial or study that they belong to, also when it is Optuna that deletes it.
constexpr const char* own_tables = R"(
CREATE TABLE IF NOT EXISTS xgrad_studies (
  study_id INTEGER PRIMARY KEY REFERENCES studies (study_id) ON DELETE CASCADE, revision BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS xgrad_leases (
  trial_id INTEGER PRIMARY KEY REFERENCES trials (trial_id) ON DELETE CASCADE, study_id INTEGER NOT NULL,
  epoch BIGINT NOT NULL, state VARCHAR(16) NOT NULL, owner VARCHAR(256), expires BIGINT NOT NULL,
  revision BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS xgrad_leases_revision ON xgrad_leases (study_id, revision);
CREATE INDEX IF NOT EXISTS xgrad_leases_state ON xgrad_leases (study_id, state);
CREATE TABLE IF NOT EXISTS xgrad_checkpoints (
  trial_id INTEGER PRIMARY KEY REFERENCES trials (trial_id) ON DELETE CASCADE, step BIGINT NOT NULL,
  data {blob} NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS xgrad_trials_number ON trials (study_id, number);
CREATE INDEX IF NOT EXISTS xgrad_trials_state ON trials (study_id, state);
)";

constexpr const char* sqlite_triggers = R"(
CREATE TRIGGER IF NOT EXISTS xgrad_trial_deleted AFTER DELETE ON trials BEGIN
  DELETE FROM xgrad_leases WHERE trial_id = OLD.trial_id;
  DELETE FROM xgrad_checkpoints WHERE trial_id = OLD.trial_id;
END;
CREATE TRIGGER IF NOT EXISTS xgrad_study_deleted AFTER DELETE ON studies BEGIN
  DELETE FROM xgrad_studies WHERE study_id = OLD.study_id;
END;
)";

std::string filled(std::string sql, bool postgresql) {
  const struct {
    const char *word, *sqlite, *postgresql;
  } words[] = {{"{id}", "INTEGER NOT NULL", "SERIAL NOT NULL"},
               {"{direction}", "VARCHAR(8)", "studydirection"},
               {"{state}", "VARCHAR(8)", "trialstate"},
               {"{value_type}", "VARCHAR(7)", "trialvaluetype"},
               {"{intermediate_type}", "VARCHAR(7)", "trialintermediatevaluetype"},
               {"{time}", "DATETIME", "TIMESTAMP WITHOUT TIME ZONE"},
               {"{float}", "FLOAT", "FLOAT(53)"},
               {"{blob}", "BLOB", "BYTEA"}};
  for (const auto& word : words)
    for (std::size_t at; (at = sql.find(word.word)) != std::string::npos;)
      sql.replace(at, std::string_view(word.word).size(), postgresql ? word.postgresql : word.sqlite);
  return sql;
}

void create_types(Database& database) {
  const struct {
    const char *name, *labels;
  } types[] = {{"studydirection", "'NOT_SET', 'MINIMIZE', 'MAXIMIZE'"},
               {"trialstate", "'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'"},
               {"trialvaluetype", "'FINITE', 'INF_POS', 'INF_NEG'"},
               {"trialintermediatevaluetype", "'FINITE', 'INF_POS', 'INF_NEG', 'NAN'"}};
  for (const auto& type : types)
    if (database.query("SELECT 1 FROM pg_type WHERE typname = $1", {std::string_view(type.name)}).empty())
      database.run(std::string("CREATE TYPE ") + type.name + " AS ENUM (" + type.labels + ")");
}

bool is_complete(Database& database) {
  const auto found = database.is_postgresql()
                         ? database.query(
                               "SELECT COUNT(*) FROM pg_indexes WHERE schemaname = current_schema() AND "
                               "indexname = 'xgrad_trials_state'")
                         : database.query("SELECT COUNT(*) FROM sqlite_master WHERE name = 'xgrad_trials_state'");
  return integer(found.at(0).at(0)) > 0;
}

void check_version(Database& database) {
  const SqlRows version = database.query("SELECT version_num FROM alembic_version");
  check(version.size() == 1 && text(version[0][0]) == alembic_version, "tune: ", database.name(),
        ": its tables are of Optuna's version ", version.empty() ? "?" : text(version[0][0]), ", not ", alembic_version,
        "; `optuna storage upgrade` brings them there");
}

}  // namespace

void create_tables(Database& database) {
  if (!is_complete(database)) {
    Transaction transaction(database, Transaction::writing);
    if (database.is_postgresql()) database.query("SELECT pg_advisory_xact_lock(7846251)");  // one makes them at a time
    if (!is_complete(database)) {
      if (database.is_postgresql()) create_types(database);
      database.run(filled(optuna_tables, database.is_postgresql()));
      if (database.query("SELECT version_num FROM alembic_version").empty())
        database.run(std::string("INSERT INTO alembic_version (version_num) VALUES ('") + alembic_version + "')");
      check_version(database);
      database.run(filled(own_tables, database.is_postgresql()));
      if (!database.is_postgresql()) database.run(sqlite_triggers);
      database.run(std::string("INSERT INTO version_info (version_info_id, schema_version, library_version) VALUES "
                               "(1, ") +
                   schema_version + ", 'xgrad 0.1.0') ON CONFLICT DO NOTHING");
    }
    transaction.commit();
  }
  check_version(database);
}

}  // namespace xgrad::tune
