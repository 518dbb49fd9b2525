#include "sql_schema.hpp"

#include <algorithm>
#include <utility>

#include "../../core/error.hpp"
#include "../trials/text.hpp"

namespace xgrad::tune {

namespace {

constexpr const char* alembic_version = "v3.2.0.a";
constexpr int schema_version = 12;
constexpr const char* last_index = "xgrad_trials_state";  // what is made last

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

bool has(Database& database, const char* kind, std::string_view name) {
  const std::string sql = !database.is_postgresql() ? "SELECT 1 FROM sqlite_master WHERE type = $2 AND name = $1"
                          : kind == std::string_view("index")
                              ? "SELECT 1 FROM pg_indexes WHERE schemaname = current_schema() AND indexname = $1"
                              : "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1";
  if (database.is_postgresql()) return !database.query(sql, {name}).empty();
  return !database.query(sql, {name, std::string_view(kind)}).empty();
}

// An SQLite file belongs to one program; a schema of PostgreSQL may have tables of several.
bool is_of_another_program(Database& database) {
  return !database.is_postgresql() &&
         !database.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' LIMIT 1")
              .empty();
}

// By the numbers in it: v3.2.0.a after v3.1.9.
bool is_newer(const std::string& version) {
  const auto digits = [](const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
      if (c >= '0' && c <= '9')
        parts.back() += c;
      else if (!parts.back().empty())
        parts.emplace_back();
    }
    return parts;
  };
  const auto theirs = digits(version), ours = digits(alembic_version);
  return std::lexicographical_compare(
      ours.begin(), ours.end(), theirs.begin(), theirs.end(),
      [](const std::string& a, const std::string& b) { return std::pair(a.size(), a) < std::pair(b.size(), b); });
}

void check_version(Database& database) {
  const SqlRows rows = database.query("SELECT version_num FROM alembic_version");
  const std::string version = rows.size() == 1 ? text(rows[0].at(0)) : "?";
  check(version == alembic_version, "tune: ", database.name(), ": its tables are of Optuna's version ",
        printable(version), ", not ", alembic_version,
        is_newer(version) ? "; a newer xgrad may know it" : "; `optuna storage upgrade` brings them there");
  if (!has(database, "table", "version_info")) return;
  for (const SqlRow& row : database.query("SELECT schema_version FROM version_info"))
    check(integer(row.at(0)) == schema_version, "tune: ", database.name(), ": its tables are of Optuna's schema ",
          integer(row.at(0)), ", not ", schema_version);
}

}  // namespace

Tables tables_of(Database& database) {
  if (!has(database, "table", "alembic_version")) {
    check(!is_of_another_program(database), "tune: ", database.name(), ": this database is no storage of studies");
    return Tables::none;
  }
  check_version(database);
  for (const char* table : {"studies", "study_directions", "trials", "trial_params", "trial_values",
                            "trial_intermediate_values", "trial_user_attributes", "trial_system_attributes"})
    check(has(database, "table", table), "tune: ", database.name(),
          ": this database is no storage of studies: the table ", table, " is missing");
  return has(database, "index", last_index) ? Tables::own : Tables::optuna;
}

void create_tables(Database& database) {
  const Tables before = tables_of(database);
  // A commit survives a killed process; the last ones may be missing after a power failure, the file stays whole.
  if (!database.is_postgresql()) database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  if (before == Tables::own) return;
  Transaction transaction(database, Transaction::writing);
  if (database.is_postgresql()) database.query("SELECT pg_advisory_xact_lock(7846251)");  // one makes them at a time
  const Tables there = tables_of(database);
  if (there == Tables::none) {
    if (database.is_postgresql()) create_types(database);
    database.run(filled(optuna_tables, database.is_postgresql()));
    database.run(std::string("INSERT INTO alembic_version (version_num) VALUES ('") + alembic_version + "')");
  }
  if (there != Tables::own) {
    database.run(filled(own_tables, database.is_postgresql()));
    if (!database.is_postgresql()) database.run(sqlite_triggers);
    database.run("INSERT INTO version_info (version_info_id, schema_version, library_version) VALUES (1, " +
                 std::to_string(schema_version) + ", 'xgrad 0.1.0') ON CONFLICT DO NOTHING");
  }
  transaction.commit();
}

}  // namespace xgrad::tune
