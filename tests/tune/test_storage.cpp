#include <xgrad/core/error.hpp>
#include <xgrad/tune/storage/storage.hpp>

#include <sqlite3.h>

#include <thread>

#include "../catch.hpp"
#include "../temporary_directory.hpp"
#include "storages.hpp"

using namespace xgrad;
using Catch::Contains;
using namespace std::chrono_literals;
using tune::TrialState;

namespace {

const auto now = std::chrono::system_clock::now;

tune::TrialChange ends(TrialState state, std::vector<double> values) {
  tune::TrialChange change;
  change.state = state;
  change.values = std::move(values);
  change.time = now();
  return change;
}

bool write(tune::StudyStorage& study, const tune::Lease& lease, const tune::TrialChange& change) {
  const std::pair<tune::Lease, tune::TrialChange> one{lease, change};
  return study.write(std::span(&one, 1)).front();
}

std::unique_ptr<tune::StudyStorage> open(const std::string& url, const std::string& name,
                                         std::chrono::milliseconds lease = 60s) {
  return tune::open_storage(url)->open(name, {tune::maximize}, lease);
}

void check_life_of_a_trial(const std::string& url) {
  const auto ours = open(url, "life"), other = open(url, "life");
  CHECK(ours->directions() == std::vector<tune::Direction>{tune::maximize});
  CHECK(ours->changes().empty());
  CHECK(other->changes().empty());

  const auto lease = ours->create(10, {.time = now()});
  REQUIRE(lease);
  CHECK(lease->number == 0);
  tune::TrialChange change;
  change.parameters = {{"lr", tune::FloatDistribution{0.9, 0.999, tune::Scale::log_one_minus}, 0.95},
                       {"n", tune::IntDistribution{1, 9, tune::Scale::linear, 2}, 3},
                       {"c", tune::CategoricalDistribution{{std::int64_t{1}, 1.5, true, "x", std::monostate()}}, 3}};
  change.reports = {{1, 0.1}, {2, std::numeric_limits<double>::infinity()}, {3, 0.1 + 0.2}};
  change.attributes = {{"note", "\"it's \\\"so\\\"\""}};
  change.checkpoint = tune::Checkpoint{3, std::string("\0\1\xff'\"", 5)};
  CHECK(write(*ours, *lease, change));
  CHECK(ours->changes().empty());  // its own
  const auto seen = other->changes();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].state == TrialState::running);
  REQUIRE(seen[0].parameters.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(seen[0].parameters[i].name == change.parameters[i].name);
    CHECK(seen[0].parameters[i].value == change.parameters[i].value);
    CHECK(seen[0].parameters[i].distribution == change.parameters[i].distribution);
  }
  CHECK(seen[0].intermediate == std::map<std::int64_t, double>(change.reports.begin(), change.reports.end()));
  CHECK(seen[0].attributes == change.attributes);
  CHECK(seen[0].checkpoint == 3);
  CHECK(std::chrono::abs(*seen[0].started - now()) < 60s);
  CHECK(other->checkpoint(0)->bytes == change.checkpoint->bytes);
  CHECK(other->changes().empty());

  CHECK_FALSE(other->claim(0));  // it is held
  CHECK(other->orphans().empty());
  CHECK(other->leased() == 1);
  CHECK(write(*ours, *lease, ends(TrialState::paused, {})));
  CHECK(other->changes().at(0).state == TrialState::paused);
  const auto taken = other->claim(0);
  REQUIRE(taken);
  CHECK_FALSE(ours->claim(0));
  CHECK_FALSE(write(*ours, *lease, ends(TrialState::complete, {7})));  // late
  CHECK(write(*other, *taken, ends(TrialState::complete, {0.75})));
  const auto done = ours->changes();
  REQUIRE(done.size() == 1);
  CHECK(done[0].state == TrialState::complete);
  CHECK(done[0].values == std::vector<double>{0.75});
  CHECK(done[0].intermediate.size() == 3);
  CHECK_FALSE(done[0].checkpoint);
  CHECK_FALSE(ours->checkpoint(0));
  CHECK_FALSE(write(*other, *taken, ends(TrialState::complete, {8})));
  CHECK(ours->read(0)->values == std::vector<double>{0.75});
}

void check_leases(const std::string& url) {
  const auto living = open(url, "leases", 60s), dead = open(url, "leases", 1ms), other = open(url, "leases", 60s);
  const auto lease = living->create(10, {.time = now()});
  tune::TrialChange change;
  change.reports = {{1, 1}, {2, 2}};
  change.checkpoint = tune::Checkpoint{1, "state"};
  REQUIRE(write(*living, *lease, change));
  CHECK_FALSE(other->claim(0));
  CHECK(dead->renew(std::span(&*lease, 1)) == std::vector<bool>{true});
  for (int i = 0; i < 10'000 && other->orphans().empty(); ++i) std::this_thread::sleep_for(1ms);
  CHECK(other->orphans() == std::vector<std::int64_t>{0});
  const auto taken = other->claim(0);
  REQUIRE(taken);
  CHECK(other->orphans().empty());
  CHECK(other->read(0)->intermediate == std::map<std::int64_t, double>{{1, 1}});  // up to the checkpoint
  CHECK(dead->renew(std::span(&*lease, 1)) == std::vector<bool>{false});
  CHECK_FALSE(write(*dead, *lease, ends(TrialState::complete, {1})));
  other->release(std::span(&*taken, 1));
  CHECK(dead->orphans() == std::vector<std::int64_t>{0});
}

void check_numbers(const std::string& url) {
  const auto study = open(url, "numbers"), other = open(url, "numbers");
  CHECK(study->enqueue({{"fixed_params", "{\"x\":1}"}}) == 0);
  CHECK(other->enqueue({}) == 1);
  CHECK(study->create(1, {.time = now()})->number == 2);
  CHECK_FALSE(study->create(1, {.time = now()}));
  CHECK_FALSE(study->claim_waiting(1));
  CHECK(other->claim_waiting(3)->number == 0);
  CHECK(study->claim_waiting(3)->number == 1);
  CHECK_FALSE(study->claim_waiting(3));
  CHECK(open(url, "another")->create(1, {.time = now()})->number == 0);
  const auto trials = open(url, "numbers")->changes();
  REQUIRE(trials.size() == 3);
  CHECK(trials[0].attributes.at("fixed_params") == "{\"x\":1}");

  const auto storage = tune::open_storage(url);
  storage->remove("numbers");
  for (const auto& summary : storage->studies()) CHECK(summary.name != "numbers");
  CHECK_THROWS_AS(storage->remove("numbers"), Error);
  CHECK(open(url, "numbers")->changes().empty());
}

void check_forks(const std::string& url) {
  const auto study = open(url, "forks");
  const auto source = study->create(10, {.time = now()}), worse = study->create(10, {.time = now()});
  tune::TrialChange change = ends(TrialState::paused, {});
  change.checkpoint = tune::Checkpoint{2, "weights"};
  REQUIRE(write(*study, *source, change));
  REQUIRE(write(*study, *worse, change));
  const tune::NewTrial fork{
      .attributes = {{"parent", "0"}}, .fork_of = 0, .replaces = 1, .replaced_values = {0.5}, .time = now()};
  CHECK(study->create(10, fork)->number == 2);
  CHECK_FALSE(study->create(10, fork));  // 1 is not paused any more
  CHECK(study->checkpoint(2)->bytes == "weights");
  CHECK(study->checkpoint(2)->step == 2);
  CHECK_FALSE(study->checkpoint(1));
  CHECK(study->read(1)->state == TrialState::pruned);
  CHECK(study->read(1)->values == std::vector<double>{0.5});
  CHECK(open(url, "forks")->changes().size() == 3);
}

void check_all(const std::string& url) {
  check_life_of_a_trial(url);
  check_leases(url);
  check_numbers(url);
  check_forks(url);
}

}  // namespace

TEST_CASE("tune storage: SQLite") {
  const TemporaryDirectory directory;
  check_all("sqlite:" + directory.path("study.db"));
}
TEST_CASE("tune storage: PostgreSQL", "[.postgresql]") { check_all(postgresql_url()); }

TEST_CASE("tune storage: tables of another version of Optuna are left alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("old.db");
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &connection) == SQLITE_OK);
  const char* const old =
      "CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version VALUES "
      "('v2.6.0.a')";
  REQUIRE(sqlite3_exec(connection, old, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(connection);
  CHECK_THROWS_WITH(tune::open_storage("sqlite:" + path), Contains("v2.6.0.a") && Contains("optuna storage upgrade"));
  REQUIRE(sqlite3_open(path.c_str(), &connection) == SQLITE_OK);
  CHECK(sqlite3_exec(connection, "SELECT 1 FROM studies", nullptr, nullptr, nullptr) == SQLITE_ERROR);
  sqlite3_close(connection);
}

TEST_CASE("tune storage: a file that must be there") {
  const TemporaryDirectory directory;
  CHECK_THROWS_WITH(tune::open_storage("sqlite:" + directory.path("no.db"), {.create = false}),
                    Contains("unable to open database file"));
  CHECK(directory.names().empty());
}
