#include "sql_storage.hpp"

#include "../../core/error.hpp"
#include "../trials/encoding.hpp"
#include "../trials/text.hpp"
#include "sql_records.hpp"
#include "sql_schema.hpp"
#include "sql_study.hpp"

namespace xgrad::tune {

namespace {

class SqlStorage final : public Storage {
 public:
  explicit SqlStorage(std::unique_ptr<Database> database)
      : database_(std::move(database)), tables_(tables_of(*database_)) {}

  std::vector<StudySummary> studies() override {
    if (!are_there()) return {};
    Transaction transaction(*database_, Transaction::reading);
    std::vector<StudySummary> out;
    for (const SqlRow& study : database_->query("SELECT study_id, study_name FROM studies ORDER BY study_id")) {
      const std::int64_t id = integer(study[0]);
      const SqlRow trials =
          database_->query("SELECT COUNT(*), MIN(datetime_start) FROM trials WHERE study_id = $1", {id}).at(0);
      StudySummary summary{text(study[1]), directions_of(*database_, id), integer(trials[0]), std::nullopt};
      if (!is_null(trials[1])) summary.started = time_from_text(text(trials[1]));
      out.push_back(std::move(summary));
    }
    return out;
  }

  History read(const std::string& study) override {
    const bool there = are_there();
    Transaction transaction(*database_, Transaction::reading);
    const SqlRows found =
        there ? database_->query("SELECT study_id FROM studies WHERE study_name = $1", {study}) : SqlRows();
    check(!found.empty(), "tune: there is no study \"", study, "\" in ", database_->name());
    const std::int64_t id = integer(found[0][0]);
    History history(directions_of(*database_, id));
    history.set_metric_names(metric_names_of(*database_, id, history.directions().size()));
    SqlRecords records(*database_, history.directions().size(), tables_ == Tables::own);
    for (StoredTrial& trial : records.read_study(id)) history.put(std::move(trial.record));
    return history;
  }

  std::optional<Checkpoint> checkpoint(const std::string& study, std::int64_t number) override {
    check(are_there(), "tune: there is no study \"", study, "\" in ", database_->name());
    if (tables_ != Tables::own) return std::nullopt;
    const SqlRows found = database_->query(
        "SELECT c.step, c.data FROM xgrad_checkpoints c JOIN trials t ON t.trial_id = c.trial_id JOIN studies s ON "
        "s.study_id = t.study_id WHERE s.study_name = $1 AND t.number = $2",
        {study, number});
    if (found.empty()) return std::nullopt;
    return Checkpoint{integer(found[0][0]), text(found[0][1])};
  }

  std::unique_ptr<StudyStorage> open(const std::string& study, const std::vector<Direction>& directions,
                                     std::chrono::milliseconds lease) override {
    check_name("tune", "study", study);
    create_tables(*database_);
    tables_ = Tables::own;
    return make_sql_study(database_, id_of(study, directions), lease);
  }

  void remove(const std::string& study) override {
    check(are_there(), "tune: there is no study \"", study, "\" in ", database_->name());
    Transaction transaction(*database_, Transaction::writing);
    const SqlRows found = database_->query("SELECT study_id FROM studies WHERE study_name = $1", {study});
    check(!found.empty(), "tune: there is no study \"", study, "\" in ", database_->name());
    const std::int64_t id = integer(found[0][0]);
    for (const char* table : {"trial_user_attributes", "trial_system_attributes", "trial_params", "trial_values",
                              "trial_intermediate_values", "trial_heartbeats"})
      database_->query(
          std::string("DELETE FROM ") + table + " WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)",
          {id});
    for (const char* table :
         {"trials", "study_user_attributes", "study_system_attributes", "study_directions", "studies"})
      database_->query(std::string("DELETE FROM ") + table + " WHERE study_id = $1", {id});
    transaction.commit();
  }

 private:
  bool are_there() {
    if (tables_ == Tables::none) tables_ = tables_of(*database_);  // others may have made them
    return tables_ != Tables::none;
  }

  std::int64_t id_of(const std::string& study, const std::vector<Direction>& directions) {
    const char* const find =
        "SELECT s.study_id FROM studies s JOIN xgrad_studies x ON x.study_id = s.study_id WHERE s.study_name = $1";
    if (const SqlRows found = database_->query(find, {study}); !found.empty()) return integer(found[0][0]);
    Transaction transaction(*database_, Transaction::writing);
    const bool made = !database_
                           ->query(
                               "INSERT INTO studies (study_name) VALUES ($1) ON CONFLICT (study_name) DO NOTHING "
                               "RETURNING study_id",
                               {study})
                           .empty();
    const std::int64_t id =
        integer(database_->value("the study", "SELECT study_id FROM studies WHERE study_name = $1", {study}));
    for (std::size_t i = 0; made && i < directions.size(); ++i)
      database_->query(
          "INSERT INTO study_directions (direction, study_id, objective) VALUES ($1, $2, $3)",
          {std::string_view(directions[i] == minimize ? "MINIMIZE" : "MAXIMIZE"), id, static_cast<std::int64_t>(i)});
    database_->query("INSERT INTO xgrad_studies (study_id, revision) VALUES ($1, 0) ON CONFLICT DO NOTHING", {id});
    transaction.commit();
    return id;
  }

  std::shared_ptr<Database> database_;
  Tables tables_;
};

}  // namespace

std::unique_ptr<Storage> make_sql_storage(std::unique_ptr<Database> database) {
  return std::make_unique<SqlStorage>(std::move(database));
}

}  // namespace xgrad::tune
