#include "sql_study.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "../../core/error.hpp"
#include "../trials/encoding.hpp"
#include "../trials/text.hpp"
#include "sql_leases.hpp"
#include "sql_records.hpp"

namespace xgrad::tune {

namespace {

// Optuna has no state for these: a paused trial is a running one to it until settle(), a diverged one is pruned.
const char* optuna_state(TrialState state) {
  switch (state) {
    case TrialState::complete:
      return "COMPLETE";
    case TrialState::failed:
      return "FAIL";
    case TrialState::waiting:
      return "WAITING";
    case TrialState::pruned:
    case TrialState::diverged:
      return "PRUNED";
    case TrialState::running:
    case TrialState::paused:
      break;
  }
  return "RUNNING";
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// Every transaction that changes a trial first counts up the study's revision, and marks the trial with it: what is
// above the revision seen last has changed. In PostgreSQL that row is also what writers wait for.
class SqlStudy final : public StudyStorage {
 public:
  SqlStudy(std::shared_ptr<Database> database, std::int64_t id, std::chrono::milliseconds lease)
      : database_(std::move(database)),
        db_(*database_),
        directions_(directions_of(db_, id)),
        records_(db_, directions_.size()),
        leases_(db_, id, lease),
        id_(id) {}

  const std::vector<Direction>& directions() const override { return directions_; }

  std::vector<TrialRecord> changes() override {
    if (!db_.changed_by_others() && seen_) return {};
    Transaction transaction(db_, Transaction::reading);
    const std::int64_t revision =
        integer(db_.value("the study", "SELECT revision FROM xgrad_studies WHERE study_id = $1", {id_}));
    std::vector<StoredTrial> read;
    if (!seen_) {
      read = records_.read_study(id_);
    } else {
      for (const SqlRow& row : db_.query("SELECT trial_id FROM trials WHERE study_id = $1 AND trial_id > $2 UNION "
                                         "SELECT trial_id FROM xgrad_leases WHERE study_id = $1 AND revision > $3",
                                         {id_, last_id_, revision_}))
        append_trial(read, integer(row[0]));
      const std::map<std::int64_t, TrialState> foreign = foreign_;
      for (const auto& [trial, state] : foreign) {
        const SqlRows now = db_.query("SELECT state FROM trials WHERE trial_id = $1", {trial});
        if (state == TrialState::running || now.empty() || text(now[0][0]) != "WAITING") append_trial(read, trial);
      }
    }
    transaction.commit();
    seen_ = true;
    revision_ = revision;

    std::map<std::int64_t, TrialRecord> by_number;
    for (StoredTrial& trial : read) {
      last_id_ = std::max(last_id_, trial.id);
      known_ = std::max(known_, trial.record.number + 1);
      const TrialState state = trial.record.state;
      if (state == TrialState::waiting || (state == TrialState::running && !trial.ours))
        foreign_[trial.id] = state;
      else
        foreign_.erase(trial.id);
      by_number.insert_or_assign(trial.record.number, std::move(trial.record));
    }
    std::vector<TrialRecord> out;
    for (auto& [number, record] : by_number) out.push_back(std::move(record));
    return out;
  }

  std::optional<TrialRecord> read(std::int64_t number) override {
    Transaction transaction(db_, Transaction::reading);
    std::vector<StoredTrial> read = records_.read_trial(id_of(number));
    check(!read.empty(), "tune: there is no trial ", number, " in ", db_.name());
    transaction.commit();
    return std::move(read[0].record);
  }

  std::optional<Lease> create(std::int64_t limit, const NewTrial& trial) override {
    Transaction transaction(db_, Transaction::writing);
    const std::int64_t revision = next_revision(), number = next_number();
    if (number >= limit && number - not_counted() >= limit) return std::nullopt;
    const std::string time = time_to_text(trial.time);
    const std::int64_t id = integer(db_.query("INSERT INTO trials (number, study_id, state, datetime_start) VALUES "
                                              "($1, $2, 'RUNNING', $3) RETURNING trial_id",
                                              {number, id_, time})
                                        .at(0)
                                        .at(0));
    leases_.insert(id, "running", 1, revision);
    for (const Parameter& parameter : trial.parameters) records_.write_parameter(id, parameter);
    for (const auto& [key, json] : trial.attributes) records_.write_attribute(id, key, json);
    if (trial.fork_of) {
      const SqlRows copied = db_.query(
          "INSERT INTO xgrad_checkpoints (trial_id, step, data) SELECT CAST($1 AS INTEGER), step, data FROM "
          "xgrad_checkpoints WHERE trial_id = $2 RETURNING step",
          {id, id_of(*trial.fork_of)});
      if (copied.empty()) return std::nullopt;
    }
    if (trial.replaces && !prune_paused(id_of(*trial.replaces), trial, revision)) return std::nullopt;
    commit(transaction, revision);
    know(number, id);
    return Lease{number, 1, id};
  }

  std::int64_t enqueue(const std::map<std::string, std::string>& attributes) override {
    Transaction transaction(db_, Transaction::writing);
    const std::int64_t revision = next_revision(), number = next_number();
    const std::int64_t id =
        integer(db_.query("INSERT INTO trials (number, study_id, state) VALUES ($1, $2, 'WAITING') RETURNING trial_id",
                          {number, id_})
                    .at(0)
                    .at(0));
    leases_.insert(id, "waiting", 0, revision);
    for (const auto& [key, json] : attributes) records_.write_attribute(id, key, json);
    commit(transaction, revision);
    know(number, id);
    foreign_[id] = TrialState::waiting;
    return number;
  }

  std::int64_t add(const TrialRecord& trial) override {
    Transaction transaction(db_, Transaction::writing);
    const std::int64_t revision = next_revision(), number = next_number();
    const auto now = std::chrono::system_clock::now();
    const std::string time = time_to_text(trial.started.value_or(trial.completed.value_or(now)));
    const std::int64_t id = integer(db_.query("INSERT INTO trials (number, study_id, state, datetime_start) VALUES "
                                              "($1, $2, 'RUNNING', $3) RETURNING trial_id",
                                              {number, id_, time})
                                        .at(0)
                                        .at(0));
    leases_.insert(id, "running", 1, revision);
    TrialChange change;
    change.parameters = trial.parameters;
    change.reports.assign(trial.intermediate.begin(), trial.intermediate.end());
    change.attributes = trial.attributes;
    change.constraints = trial.constraints;
    change.state = trial.state;
    change.values = trial.values;
    change.time = trial.completed.value_or(now);
    write(id, change);
    commit(transaction, revision);
    know(number, id);
    return number;
  }

  std::optional<Lease> claim_waiting(std::int64_t limit) override {
    if (waiting() == 0) return std::nullopt;
    Transaction transaction(db_, Transaction::writing);
    const std::int64_t revision = next_revision();
    if (next_number() - not_counted() >= limit) return std::nullopt;
    const auto lease = leases_.claim_waiting(revision);
    if (!lease) return std::nullopt;
    commit(transaction, revision);
    foreign_.erase(lease->id);
    return lease;
  }

  std::optional<Lease> claim(std::int64_t number) override {
    Transaction transaction(db_, Transaction::writing);
    const std::int64_t revision = next_revision();
    const auto lease = leases_.claim(number, revision);
    if (lease) commit(transaction, revision);
    return lease;
  }

  std::optional<Lease> attach(std::int64_t number) override {
    Transaction transaction(db_, Transaction::writing);
    const std::int64_t revision = next_revision();
    const auto lease = leases_.attach(number, revision);
    if (!lease) return std::nullopt;
    commit(transaction, revision);
    foreign_.erase(lease->id);
    return lease;
  }

  bool detach(const Lease& lease) override {
    Transaction transaction(db_, Transaction::writing);
    const std::int64_t revision = next_revision();
    if (!leases_.detach(lease, revision)) return false;
    commit(transaction, revision);
    foreign_[lease.id] = TrialState::running;
    return true;
  }

  std::vector<std::int64_t> orphans() override { return leases_.orphans(); }
  std::int64_t leased() override { return leases_.leased(); }

  std::vector<bool> write(std::span<const std::pair<Lease, TrialChange>> changes) override {
    Transaction transaction(db_, Transaction::writing);
    const std::int64_t revision = next_revision();
    std::vector<bool> held;
    for (const auto& [lease, change] : changes) {
      held.push_back(leases_.touch(lease, revision));
      if (held.back()) write(lease.id, change);
    }
    commit(transaction, revision);
    return held;
  }

  std::vector<bool> renew(std::span<const Lease> leases) override {
    Transaction transaction(db_, Transaction::writing);
    std::vector<bool> held = leases_.renew(leases);
    transaction.commit();
    return held;
  }

  void release(std::span<const Lease> leases) override {
    Transaction transaction(db_, Transaction::writing);
    leases_.release(leases);
    transaction.commit();
  }

  std::optional<Checkpoint> checkpoint(std::int64_t number) override {
    const SqlRows found = db_.query(
        "SELECT c.step, c.data FROM xgrad_checkpoints c JOIN trials t ON t.trial_id = c.trial_id WHERE t.study_id = $1 "
        "AND t.number = $2",
        {id_, number});
    if (found.empty()) return std::nullopt;
    const std::int64_t step = integer(found[0][0]);
    check(step >= 0 && step < std::numeric_limits<int>::max(), "tune: ", db_.name(), ": trial ", number,
          ": its checkpoint: there is no step ", step);
    return Checkpoint{step, text(found[0][1])};
  }

  void forget_checkpoints(std::span<const std::int64_t> numbers) override {
    Transaction transaction(db_, Transaction::writing);
    const std::int64_t revision = next_revision();
    for (const std::int64_t number : numbers) {
      const std::int64_t id = id_of(number);
      db_.query("DELETE FROM xgrad_checkpoints WHERE trial_id = $1", {id});
      db_.query("UPDATE xgrad_leases SET revision = $2 WHERE trial_id = $1", {id, revision});
    }
    commit(transaction, revision);
  }

  void settle() override {
    Transaction transaction(db_, Transaction::writing);
    const SqlRows paused = db_.query(
        "SELECT l.trial_id FROM xgrad_leases l JOIN trials t ON t.trial_id = l.trial_id WHERE l.study_id = $1 AND "
        "l.state = 'paused' AND t.state = 'RUNNING'",
        {id_});
    if (paused.empty()) return;
    const std::string time = time_to_text(std::chrono::system_clock::now());
    for (const SqlRow& row : paused) {
      const std::int64_t id = integer(row[0]);
      if (directions_.size() == 1)
        db_.query(std::string("INSERT INTO trial_values (trial_id, objective, value, value_type) SELECT trial_id, 0, "
                              "intermediate_value, 'FINITE' FROM trial_intermediate_values WHERE trial_id = $1 AND "
                              "intermediate_value_type = 'FINITE' ORDER BY step DESC LIMIT 1"),
                  {id});
      db_.query("UPDATE trials SET state = 'PRUNED', datetime_complete = $2 WHERE trial_id = $1", {id, time});
    }
    transaction.commit();
  }

  std::map<std::string, std::string> attributes() override {
    std::map<std::string, std::string> out;
    for (const SqlRow& row :
         db_.query("SELECT key, value_json FROM study_user_attributes WHERE study_id = $1", {id_})) {
      std::string json = text(row[1]);
      const std::string_view fault = size_fault(json);
      check(fault.empty(), "tune: ", db_.name(), ": the study's attribute \"", printable(text(row[0])), "\" ", fault);
      out[text(row[0])] = std::move(json);
    }
    return out;
  }
  void set_attribute(const std::string& key, const std::string& json) override {
    set_attribute("study_user_attributes", key, json);
  }
  std::vector<std::string> metric_names() override { return metric_names_of(db_, id_, directions_.size()); }
  void set_metric_names(const std::vector<std::string>& names) override {
    set_attribute("study_system_attributes", metric_names_attribute, texts_to_json(names));
  }

 private:
  void set_attribute(const std::string& table, const std::string& key, const std::string& json) {
    Transaction transaction(db_, Transaction::writing);
    db_.query("INSERT INTO " + table +
                  " (study_id, key, value_json) VALUES ($1, $2, $3) ON CONFLICT (study_id, key) DO UPDATE SET "
                  "value_json = excluded.value_json",
              {id_, key, json});
    transaction.commit();
  }

  std::int64_t next_revision() {
    return integer(db_.value(
        "the study", "UPDATE xgrad_studies SET revision = revision + 1 WHERE study_id = $1 RETURNING revision", {id_}));
  }

  void commit(Transaction& transaction, std::int64_t revision) {
    transaction.commit();
    if (revision == revision_ + 1) revision_ = revision;  // between the two nobody else wrote
  }

  // A trial made here: numbers and ids rise together, so there is none before it that changes() has not seen.
  void know(std::int64_t number, std::int64_t id) {
    if (number != known_) return;
    ++known_;
    last_id_ = id;
  }

  std::int64_t next_number() {
    if (db_.is_postgresql())  // Optuna numbers under this lock
      db_.query("SELECT study_id FROM studies WHERE study_id = $1 FOR UPDATE", {id_});
    return integer(
        db_.value("the study", "SELECT COALESCE(MAX(number), -1) + 1 FROM trials WHERE study_id = $1", {id_}));
  }

  // Trials that do not use up the limit.
  std::int64_t not_counted() {
    return integer(db_.value(
        "the study", "SELECT COUNT(*) FROM trials WHERE study_id = $1 AND state IN ('WAITING', 'FAIL')", {id_}));
  }

  std::int64_t waiting() {
    return integer(
        db_.value("the study", "SELECT COUNT(*) FROM trials WHERE study_id = $1 AND state = 'WAITING'", {id_}));
  }

  std::int64_t id_of(std::int64_t number) {
    const SqlRows found = db_.query("SELECT trial_id FROM trials WHERE study_id = $1 AND number = $2", {id_, number});
    check(!found.empty(), "tune: there is no trial ", number, " in ", db_.name());
    return integer(found[0][0]);
  }

  void append_trial(std::vector<StoredTrial>& to, std::int64_t id) {
    for (StoredTrial& trial : records_.read_trial(id)) to.push_back(std::move(trial));
  }

  bool prune_paused(std::int64_t id, const NewTrial& by, std::int64_t revision) {
    if (!leases_.take_paused(id, revision)) return false;
    TrialChange change;
    change.state = TrialState::pruned;
    change.values = by.replaced_values;
    change.time = by.time;
    write(id, change);
    return true;
  }

  void write(std::int64_t trial, const TrialChange& change) {
    for (const Parameter& parameter : change.parameters) records_.write_parameter(trial, parameter);
    for (const auto& [step, value] : change.reports) records_.write_report(trial, step, value);
    for (const auto& [key, json] : change.attributes) records_.write_attribute(trial, key, json);
    for (const auto& [key, value] : change.constraints) records_.write_constraint(trial, key, value);
    if (change.checkpoint)
      db_.query(
          "INSERT INTO xgrad_checkpoints (trial_id, step, data) VALUES ($1, $2, $3) ON CONFLICT (trial_id) DO UPDATE "
          "SET step = excluded.step, data = excluded.data",
          {trial, change.checkpoint->step, bytes_of(change.checkpoint->bytes)});
    if (!change.state) return;
    const TrialState state = *change.state;
    leases_.end(trial, state);
    if (state == TrialState::paused || state == TrialState::diverged)
      records_.write_attribute(trial, state_attribute, text_to_json(name_of(state)));
    if (state == TrialState::paused) return;
    records_.write_values(trial, change.values);
    if (!change.keep_checkpoint) db_.query("DELETE FROM xgrad_checkpoints WHERE trial_id = $1", {trial});
    const std::string time = time_to_text(change.time);
    db_.query("UPDATE trials SET state = $2, datetime_complete = $3 WHERE trial_id = $1",
              {trial, std::string_view(optuna_state(state)), time});
  }

  std::shared_ptr<Database> database_;
  Database& db_;
  std::vector<Direction> directions_;
  SqlRecords records_;
  SqlLeases leases_;
  std::int64_t id_;
  bool seen_ = false;
  std::int64_t revision_ = 0, last_id_ = 0;     // what changes() has seen,
  std::int64_t known_ = 0;                      // and how many trials
  std::map<std::int64_t, TrialState> foreign_;  // trials by id that others may change without raising the revision
};

}  // namespace

std::unique_ptr<StudyStorage> make_sql_study(std::shared_ptr<Database> database, std::int64_t id,
                                             std::chrono::milliseconds lease) {
  return std::make_unique<SqlStudy>(std::move(database), id, lease);
}

}  // namespace xgrad::tune
