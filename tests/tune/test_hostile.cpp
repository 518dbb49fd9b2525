// Databases that other programs wrote, or damaged.

#include <xgrad/tune.hpp>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "../../io/file.hpp"
#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

using Connection = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;

Connection connect(const std::string& path) {
  sqlite3* connection = nullptr;
  if (sqlite3_open(path.c_str(), &connection) != SQLITE_OK) throw std::runtime_error("cannot open " + path);
  return {connection, &sqlite3_close};
}

void run_sql(const std::string& path, const std::string& sql) {
  const Connection connection = connect(path);
  CAPTURE(sql, sqlite3_errmsg(connection.get()));
  REQUIRE(sqlite3_exec(connection.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
}

// A study of three trials with parameters of each kind.
void make_study(const std::string& path) {
  auto study = tune::Study::open("sqlite:" + path, "s", {.sampler = tune::Random{}});
  study.enqueue({{"x", 0.5}});
  study.optimize(
      [](tune::Trial& trial) {
        const double x = trial.suggest_float("x", 0, 1);
        trial.suggest_int("n", 1, 9, {.step = 2});
        trial.suggest_categorical("c", {"a", "b"});
        trial.set_attribute("note", "[1]");
        trial.report(1, x);
        return x;
      },
      {.trials = 3});
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no Error";
}

const std::string of_trial_1 = " WHERE trial_id = (SELECT trial_id FROM trials WHERE number = 1)";

}  // namespace

TEST_CASE("tune: a stored value that no study can have is an error that names trial and field") {
  const TemporaryDirectory directory;
  const std::string whole = directory.path("whole.db"), path = directory.path("damaged.db");
  make_study(whole);
  const std::string deep = "'" + std::string(200'000, '[') + std::string(200'000, ']') + "'";
  const auto parameter = [](const char* name, const std::string& what) {
    return "UPDATE trial_params SET " + what + of_trial_1 + " AND param_name = '" + name + "'";
  };
  const auto distribution = [&](const char* name, const std::string& kind, const std::string& attributes) {
    return parameter(name, "distribution_json = '{\"name\": \"" + kind + "\", \"attributes\": {" + attributes + "}}'");
  };
  const std::string number = "trial 1", x = "parameters: \"x\"", n = "parameters: \"n\"", c = "parameters: \"c\"";
  const std::vector<std::pair<std::string, std::string>> cases{
      {parameter("c", "param_value = 2"), c},
      {parameter("c", "param_value = -1"), c},
      {parameter("c", "param_value = 0.5"), c},
      {parameter("c", "param_value = 1e300"), c},
      {parameter("c", "param_value = 'a'"), c},
      {parameter("c", "param_value = NULL"), c},
      {parameter("x", "param_value = 1.5"), x},
      {parameter("x", "param_value = 1e999"), x},
      {parameter("x", "param_value = x'00'"), x},
      {parameter("n", "param_value = 2"), n},
      {parameter("n", "param_name = ''"), "parameters"},
      {parameter("n", "param_name = CAST(x'ff' AS TEXT)"), "parameters"},
      {parameter("x", "distribution_json = ''"), x},
      {parameter("x", "distribution_json = NULL"), x},
      {parameter("x", "distribution_json = 7"), x},
      {parameter("x", "distribution_json = " + deep), x},
      {distribution("c", "CategoricalDistribution", "\"choices\": []"), c},
      {distribution("c", "CategoricalDistribution", "\"choices\": 5"), c},
      {distribution("c", "CategoricalDistribution", "\"choices\": [1, 18446744073709551615]"), c},
      {distribution("c", "CategoricalDistribution", "\"choices\": [NaN, 1]"), c},
      {distribution("x", "FloatDistribution", "\"low\": 2, \"high\": 1, \"log\": false, \"step\": null"), x},
      {distribution("x", "FloatDistribution", "\"low\": 0, \"high\": 1, \"log\": false, \"step\": 0"), x},
      {distribution("x", "FloatDistribution", "\"low\": 0, \"high\": 1, \"log\": false, \"step\": 1e-300"), x},
      {distribution("x", "FloatDistribution", "\"low\": 0, \"high\": 1, \"log\": true, \"step\": null"), x},
      {distribution("x", "FloatDistribution", "\"low\": 0, \"high\": 1, \"log\": 1, \"step\": null"), x},
      {distribution("x", "FloatDistribution", "\"low\": 0, \"high\": 1e999"), x},
      {distribution("x", "FloatDistribution", "\"low\": true, \"high\": \"1\""), x},
      {distribution("n", "IntDistribution", "\"low\": 1, \"high\": 9, \"log\": false, \"step\": 0"), n},
      {distribution("n", "IntDistribution", "\"low\": 1.5, \"high\": 9, \"log\": false, \"step\": 2"), n},
      {distribution("n", "IntDistribution", "\"low\": 1, \"high\": 18446744073709551615"), n},
      {"UPDATE trials SET state = 'DONE' WHERE number = 1", "state"},
      {"UPDATE trials SET state = 3 WHERE number = 1", "state"},
      {"UPDATE xgrad_leases SET state = 'done'" + of_trial_1, "state"},
      {"UPDATE trials SET datetime_start = 'yesterday' WHERE number = 1", "time"},
      {"UPDATE trials SET datetime_start = '9999-01-01 00:00:00' WHERE number = 1", "time"},
      {"UPDATE trials SET datetime_complete = '2026-02-30 00:00:00' WHERE number = 1", "time"},
      {"UPDATE trial_values SET value = NULL" + of_trial_1, "values"},
      {"UPDATE trial_values SET value = .1e999" + of_trial_1, "values"},
      {"UPDATE trial_values SET value_type = 'NANA'" + of_trial_1, "values"},
      {"UPDATE trial_values SET objective = 7" + of_trial_1, "values"},
      {"DELETE FROM trial_values" + of_trial_1, "values"},
      {"UPDATE trial_intermediate_values SET step = -1" + of_trial_1, "reports"},
      {"UPDATE trial_intermediate_values SET step = 0.5" + of_trial_1, "reports"},
      {"UPDATE trial_intermediate_values SET step = 'one'" + of_trial_1, "reports"},
      {"UPDATE trial_intermediate_values SET intermediate_value = 'x'" + of_trial_1, "reports"},
      {"UPDATE trial_user_attributes SET value_json = " + deep + of_trial_1, "attributes"},
      {"UPDATE trial_user_attributes SET key = CAST(x'ff' AS TEXT)" + of_trial_1, "attributes"},
      {"INSERT INTO trial_system_attributes (trial_id, key, value_json) SELECT trial_id, 'fixed_params', '[1]' FROM "
       "trials WHERE number = 1",
       "fixed_params"},
      {"INSERT INTO xgrad_checkpoints SELECT trial_id, 9223372036854775807, x'00' FROM trials WHERE number = 1",
       "checkpoint"},
      {"UPDATE trials SET number = 7 WHERE number = 1", "trial 2 where trial 1 must be"},
      {"UPDATE trials SET number = 'one' WHERE number = 1", "number"},
      {"UPDATE trials SET number = -3 WHERE number = 1", "number"}};
  for (const auto& [sql, field] : cases) {
    std::filesystem::copy_file(whole, path, std::filesystem::copy_options::overwrite_existing);
    run_sql(path, sql);
    CAPTURE(sql.substr(0, 200));
    const std::string message = message_of([&] {
      tune::Study::open("sqlite:" + path, "s", {.sampler = tune::Random{}})
          .optimize([](tune::Trial&) { return 1.0; }, {.trials = 4});
    });
    CHECK_THAT(message, Contains("trial ") && Contains(field) && Contains("damaged.db"));
    if (field != "number" && field[0] != 't') CHECK_THAT(message, Contains("trial 1: "));
    CHECK(message_of([&] { tune::open_storage("sqlite:" + path)->read("s"); }) == message);
    CHECK(message.size() < 1000);
  }
  for (const char* sql : {"DELETE FROM study_directions", "UPDATE study_directions SET direction = 'UP'",
                          "UPDATE study_directions SET objective = 4", "UPDATE xgrad_studies SET revision = 'x'"}) {
    std::filesystem::copy_file(whole, path, std::filesystem::copy_options::overwrite_existing);
    run_sql(path, sql);
    CAPTURE(sql);
    CHECK_THAT(message_of([&] { tune::Study::open("sqlite:" + path, "s").trials(); }), Contains("tune: "));
  }
}

TEST_CASE("tune: a study that is removed while it is open is an error") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("s.db");
  make_study(path);
  auto study = tune::Study::open("sqlite:" + path, "s");
  tune::open_storage("sqlite:" + path)->remove("s");
  CHECK_THAT(message_of([&] { study.ask(); }), Contains("not there any more"));
}

TEST_CASE("tune: a database that is no storage of studies is refused, and stays as it is") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("other.db"), url = "sqlite:" + path;
  const char* const ours = "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"CREATE TABLE bookmarks (x)", "no storage of studies"},
      {"CREATE TABLE trials (x); CREATE TABLE studies (x)", "no storage of studies"},
      {"PRAGMA journal_mode = WAL; CREATE TABLE bookmarks (x)", "no storage of studies"},
      {std::string(ours) + "('1975ea83b712'); CREATE TABLE users (x)", "1975ea83b712"},
      {std::string(ours) + "('v3.2.0.a')", "the table studies is missing"},
      {std::string(ours) + "('v2.6.0.a')", "optuna storage upgrade"},
      {std::string(ours) + "('v4.0.0.a')", "newer"},
      {std::string(ours) + "('v3.10.0.a')", "newer"},
      {std::string(ours) +
           "('v3.2.0.a'); CREATE TABLE version_info (schema_version); INSERT INTO version_info VALUES (13)",
       "schema 13"}};
  for (const auto& [sql, message] : cases) {
    std::filesystem::remove(path);
    run_sql(path, sql);
    const std::string before = io::read_file(path);
    CAPTURE(sql);
    CHECK_THAT(message_of([&] { tune::open_storage(url, {.create = false, .read_only = true}); }), Contains(message));
    CHECK_THAT(message_of([&] { tune::open_storage(url); }), Contains(message));
    CHECK_THAT(message_of([&] { tune::Study::open(url, "s"); }), Contains(message));
    CHECK(io::read_file(path) == before);
    CHECK(directory.names() == std::vector<std::string>{"other.db"});
  }
}

TEST_CASE("tune: who only reads leaves no trace") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("a b%20#?.db"), url = "sqlite:" + path;
  make_study(path);
  const auto read = [&](const tune::OpenStorageOptions& options) {
    const std::string before = io::read_file(path);
    const auto names = directory.names();
    {
      const auto storage = tune::open_storage(url, options);
      CHECK(storage->studies().at(0).trials == 3);
      CHECK(storage->read("s").size() == 3);
      CHECK_THROWS_WITH(storage->read("t"), Contains("no study \"t\""));
    }
    CHECK(io::read_file(path) == before);
    CHECK(directory.names() == names);
  };
  read({.create = false, .read_only = true});
  read({.create = false});

  SECTION("beside one who writes, whose trials it sees") {
    auto study = tune::Study::open(url, "s");
    const auto trial = study.ask();
    CHECK(tune::open_storage(url, {.read_only = true})->read("s").size() == 4);
    CHECK_THROWS_AS(tune::open_storage(url, {.read_only = true})->remove("s"), Error);
    CHECK_THROWS_AS(tune::open_storage(url, {.read_only = true})->open("t", {tune::minimize}, std::chrono::seconds(1)),
                    Error);
  }
  SECTION("of a database that has Optuna's tables only") {
    run_sql(path,
            "PRAGMA journal_mode = DELETE; DROP TABLE xgrad_leases; DROP TABLE xgrad_checkpoints; DROP TABLE "
            "xgrad_studies; DROP INDEX xgrad_trials_state; DROP INDEX xgrad_trials_number; DROP TRIGGER "
            "xgrad_trial_deleted; DROP TRIGGER xgrad_study_deleted");
    read({.create = false, .read_only = true});
    CHECK(tune::Study::open(url, "s").trials().size() == 3);
  }
  SECTION("of an empty database") {
    const std::string empty = directory.write("empty.db", "");
    CHECK(tune::open_storage("sqlite:" + empty, {.read_only = true})->studies().empty());
    CHECK(io::read_file(empty).empty());
  }
}

TEST_CASE("tune: a study where nothing can be written can be read") {
  if (::geteuid() != 0) {
    WARN("skipped: only root can become somebody else, whom permissions hold");
    return;
  }
  const TemporaryDirectory directory;
  const std::string path = directory.path("s.db"), url = "sqlite:" + path;
  make_study(path);
  const std::filesystem::path place = std::filesystem::path(path).parent_path();
  std::filesystem::permissions(place, std::filesystem::perms(0555));
  std::filesystem::permissions(path, std::filesystem::perms(0444));
  REQUIRE(::seteuid(65534) == 0);
  std::string read, written;
  try {
    read = std::to_string(tune::open_storage(url, {.read_only = true})->read("s").size()) + " " +
           std::to_string(tune::open_storage(url)->studies().size());
    written = message_of([&] { tune::Study::open(url, "t"); });
  } catch (const std::exception& error) {
    read = error.what();
  }
  REQUIRE(::seteuid(0) == 0);
  CHECK(read == "3 1");
  CHECK_THAT(written, Contains("readonly"));
}

TEST_CASE("tune: a lease of SQLite is measured by a clock that nobody sets") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("s.db"), url = "sqlite:" + path;
  const auto a = tune::open_storage(url)->open("s", {tune::minimize}, std::chrono::milliseconds::max());
  const auto b = tune::open_storage(url)->open("s", {tune::minimize}, std::chrono::seconds(60));
  const auto lease = a->create(10, {.time = std::chrono::system_clock::now()});
  REQUIRE(lease);
  CHECK(b->orphans().empty());  // a lease for ever does not overflow
  CHECK(b->renew(std::span(&*lease, 1)).at(0));
  const auto uptime =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count();
  const auto expires = "SELECT 1 / (expires BETWEEN " + std::to_string(uptime) + " AND " +
                       std::to_string(uptime + 10 * 60'000) + ") FROM xgrad_leases";
  {
    const Connection connection = connect(path);
    bool within = false;
    sqlite3_exec(
        connection.get(), expires.c_str(),
        [](void* to, int, char** columns, char**) {
          *static_cast<bool*>(to) = columns[0] != nullptr;
          return 0;
        },
        &within, nullptr);
    CHECK(within);
  }
  CHECK(b->orphans().empty());
  // Who worked before the machine was booted is gone, whatever its lease says.
  run_sql(path,
          "UPDATE xgrad_leases SET owner = '00000000-0000-0000-0000-000000000000' || substr(owner, 37), expires = "
          "9000000000000000");
  CHECK(b->orphans() == std::vector<std::int64_t>{0});
}
