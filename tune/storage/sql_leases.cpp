#include "sql_leases.hpp"

#include <algorithm>

#include "../trials/encoding.hpp"
#include "sql_records.hpp"
#include "worker.hpp"

namespace xgrad::tune {

SqlLeases::SqlLeases(Database& database, std::int64_t study, std::chrono::milliseconds lease)
    : db_(database), study_(study), lease_(std::min(lease, longest_duration).count()) {
  check(lease.count() > 0, "tune: a lease of ", lease.count(), " ms is too short");
}

void SqlLeases::insert(std::int64_t trial, std::string_view state, std::int64_t epoch, std::int64_t revision) {
  db_.query(
      "INSERT INTO xgrad_leases (trial_id, study_id, epoch, state, owner, expires, revision) VALUES ($1, $2, $3, $4, "
      "$5, $6, $7)",
      {trial, study_, epoch, state, std::string_view(this_process()), db_.now() + lease_, revision});
}

// Optuna's trials have no row yet.
void SqlLeases::insert_waiting(std::int64_t trial) {
  db_.query(
      "INSERT INTO xgrad_leases (trial_id, study_id, epoch, state, expires, revision) VALUES ($1, $2, 0, 'waiting', "
      "0, 0) ON CONFLICT DO NOTHING",
      {trial, study_});
}

std::int64_t SqlLeases::take(std::int64_t trial, std::int64_t revision) {
  return integer(db_.value("the trial",
                           "UPDATE xgrad_leases SET epoch = epoch + 1, state = 'running', owner = $2, expires = $3, "
                           "revision = $4 WHERE trial_id = $1 RETURNING epoch",
                           {trial, std::string_view(this_process()), db_.now() + lease_, revision}));
}

std::optional<Lease> SqlLeases::claim_waiting(std::int64_t revision) {
  // A worker of Optuna may hold the row.
  const SqlRows first = db_.query(
      std::string("SELECT trial_id, number FROM trials WHERE study_id = $1 AND state = 'WAITING' ORDER BY number "
                  "LIMIT 1") +
          (db_.is_postgresql() ? " FOR UPDATE SKIP LOCKED" : ""),
      {study_});
  if (first.empty()) return std::nullopt;
  const std::int64_t id = integer(first[0][0]);
  const std::string time = time_to_text(std::chrono::system_clock::now());
  db_.query("UPDATE trials SET state = 'RUNNING', datetime_start = $2 WHERE trial_id = $1", {id, time});
  insert_waiting(id);
  return Lease{integer(first[0][1]), take(id, revision), id};
}

std::optional<Lease> SqlLeases::claim(std::int64_t number, std::int64_t revision) {
  const SqlRows found = db_.query(
      "SELECT l.trial_id, l.state, l.owner, l.expires FROM xgrad_leases l JOIN trials t ON t.trial_id = l.trial_id "
      "WHERE t.study_id = $1 AND t.number = $2 AND (t.state = 'RUNNING' OR (t.state = 'PRUNED' AND l.state = "
      "'paused'))",
      {study_, number});
  if (found.empty()) return std::nullopt;
  const std::int64_t id = integer(found[0][0]);
  const std::string state = text(found[0][1]);
  if (state == "running" && is_orphan(text(found[0][2]), integer(found[0][3]), lease_time()))
    db_.query(
        "DELETE FROM trial_intermediate_values WHERE trial_id = $1 AND step > (SELECT COALESCE(MAX(step), -1) "
        "FROM xgrad_checkpoints WHERE trial_id = $1)",
        {id});
  else if (state == "paused")
    take_up(id);
  else
    return std::nullopt;
  return Lease{number, take(id, revision), id};
}

std::optional<Lease> SqlLeases::attach(std::int64_t number, std::int64_t revision) {
  const SqlRows found = db_.query(
      "SELECT t.trial_id, l.state, l.owner, l.expires FROM trials t LEFT JOIN xgrad_leases l ON l.trial_id = "
      "t.trial_id WHERE t.study_id = $1 AND t.number = $2 AND t.state = 'RUNNING'",
      {study_, number});
  if (found.empty()) return std::nullopt;
  const std::string state = text(found[0][1]);
  if (state == "paused") return std::nullopt;
  if (state == "running" && !is_orphan(text(found[0][2]), integer(found[0][3]), lease_time())) return std::nullopt;
  const std::int64_t id = integer(found[0][0]);
  insert_waiting(id);
  return Lease{number, take(id, revision), id};
}

// As a trial that waited until Optuna took it.
bool SqlLeases::detach(const Lease& lease, std::int64_t revision) {
  return !db_.query(
                 "UPDATE xgrad_leases SET epoch = epoch + 1, state = 'waiting', owner = NULL, revision = $3 WHERE "
                 "trial_id = $1 AND epoch = $2 AND state = 'running' RETURNING trial_id",
                 {lease.id, lease.epoch, revision})
              .empty();
}

bool SqlLeases::take_paused(std::int64_t trial, std::int64_t revision) {
  if (db_.query("UPDATE xgrad_leases SET state = 'running', revision = $2 WHERE trial_id = $1 AND state = 'paused' "
                "RETURNING epoch",
                {trial, revision})
          .empty())
    return false;
  take_up(trial);
  return true;
}

// A paused trial, settled or not, runs in Optuna's tables.
void SqlLeases::take_up(std::int64_t trial) {
  db_.query("DELETE FROM trial_system_attributes WHERE trial_id = $1 AND key = $2",
            {trial, std::string_view(state_attribute)});
  if (!db_.query("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE trial_id = $1 AND state = "
                 "'PRUNED' RETURNING trial_id",
                 {trial})
           .empty())
    db_.query("DELETE FROM trial_values WHERE trial_id = $1", {trial});
}

bool SqlLeases::touch(const Lease& lease, std::int64_t revision) {
  return !db_.query(
                 "UPDATE xgrad_leases SET revision = $3 WHERE trial_id = $1 AND epoch = $2 AND state = 'running' "
                 "RETURNING trial_id",
                 {lease.id, lease.epoch, revision})
              .empty();
}

void SqlLeases::end(std::int64_t trial, TrialState state) {
  db_.query("UPDATE xgrad_leases SET epoch = epoch + 1, state = $2, owner = NULL WHERE trial_id = $1",
            {trial, name_of(state)});
}

std::vector<bool> SqlLeases::renew(std::span<const Lease> leases) {
  const std::int64_t expires = db_.now() + lease_;
  std::vector<bool> held;
  for (const Lease& lease : leases)
    held.push_back(!db_.query("UPDATE xgrad_leases SET expires = $3 WHERE trial_id = $1 AND epoch = $2 AND state = "
                              "'running' RETURNING trial_id",
                              {lease.id, lease.epoch, expires})
                        .empty());
  return held;
}

void SqlLeases::release(std::span<const Lease> leases) {
  for (const Lease& lease : leases)
    db_.query("UPDATE xgrad_leases SET expires = 0 WHERE trial_id = $1 AND epoch = $2", {lease.id, lease.epoch});
}

std::vector<std::int64_t> SqlLeases::orphans() {
  const SqlRows running = db_.query(
      "SELECT t.number, l.owner, l.expires FROM xgrad_leases l JOIN trials t ON t.trial_id = l.trial_id WHERE "
      "l.study_id = $1 AND l.state = 'running' AND t.state = 'RUNNING' ORDER BY t.number",
      {study_});
  std::vector<std::int64_t> out;
  const std::int64_t now = running.empty() ? 0 : lease_time();
  for (const SqlRow& row : running)
    if (is_orphan(text(row[1]), integer(row[2]), now)) out.push_back(integer(row[0]));
  return out;
}

std::int64_t SqlLeases::leased() {
  return integer(db_.value("the study",
                           "SELECT COUNT(*) FROM xgrad_leases l JOIN trials t ON t.trial_id = l.trial_id WHERE "
                           "l.study_id = $1 AND l.state = 'running' AND t.state = 'RUNNING'",
                           {study_}));
}

bool SqlLeases::is_orphan(const std::string& owner, std::int64_t expires, std::int64_t now) const {
  if (expires <= now) return true;
  if (owner == this_process()) return false;
  // SQLite's clock began when the machine was booted: who worked before that, or on another machine, is gone.
  return has_ended(owner) || (!db_.is_postgresql() && !is_of_this_boot(owner));
}

// By what time leases have run out. A server's clock may be put forward: then those who live have a lease's time to
// say so.
std::int64_t SqlLeases::lease_time() {
  using namespace std::chrono;
  const std::int64_t now = db_.now();
  const auto own = duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
  const std::int64_t ahead = now - own;
  if (ahead - ahead_.value_or(ahead) > lease_ / 4) patient_until_ = own + lease_;
  ahead_ = ahead;
  return own < patient_until_ ? std::min<std::int64_t>(now, 0) : now;
}

}  // namespace xgrad::tune
