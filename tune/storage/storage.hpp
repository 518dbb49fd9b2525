#pragma once
// Where studies are kept: in memory, in an SQLite file, or in a PostgreSQL database.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../trials/history.hpp"

namespace xgrad::tune {

struct StudySummary {
  std::string name;
  std::vector<Direction> directions;
  std::int64_t trials = 0;
  std::optional<std::chrono::system_clock::time_point> started;  ///< of its first trial
};

/// The right to work on a trial. Who took the trial over later has a higher epoch, and the earlier holder's writes
/// change nothing.
struct Lease {
  std::int64_t number, epoch;
  std::int64_t id;  ///< of the trial in its storage
};

/// The state of training after `step`: a safetensors file in memory.
struct Checkpoint {
  std::int64_t step = 0;
  std::string bytes;
};

/// What a worker adds to the trial it holds; all of it is written, or nothing.
struct TrialChange {
  std::vector<Parameter> parameters;
  std::vector<std::pair<std::int64_t, double>> reports;  ///< step and value; a step's last value counts
  std::map<std::string, std::string> attributes;         ///< JSON texts
  std::map<std::string, double> constraints;
  std::optional<Checkpoint> checkpoint;        ///< in place of the one before
  std::optional<TrialState> state;             ///< gives the trial back: anything but `running` and `waiting`
  std::vector<double> values;                  ///< of the objectives, with a state
  std::chrono::system_clock::time_point time;  ///< of the end, with a state
  bool keep_checkpoint = false;                ///< of a complete trial; otherwise it goes with the end

  bool empty() const {
    return parameters.empty() && reports.empty() && attributes.empty() && constraints.empty() && !checkpoint && !state;
  }
};

/// What a trial that is created has from the start.
struct NewTrial {
  std::vector<Parameter> parameters = {};
  std::map<std::string, std::string> attributes = {};
  std::optional<std::int64_t> fork_of = {};   ///< gets a copy of this trial's checkpoint
  std::optional<std::int64_t> replaces = {};  ///< this paused trial is pruned
  std::vector<double> replaced_values = {};   ///< with these values
  std::chrono::system_clock::time_point time;
};

/// Longer leases, intervals and time limits are as good as this one.
inline constexpr std::chrono::milliseconds longest_duration = std::chrono::hours(24 * 365 * 100);

/// One study in its storage, for one thread at a time. Errors are Error and leave the study as it was.
class StudyStorage {
 public:
  virtual ~StudyStorage() = default;

  virtual const std::vector<Direction>& directions() const = 0;

  /// Trials that others, or an earlier process, made or changed since the last call, by number; the first call gives
  /// all of them.
  virtual std::vector<TrialRecord> changes() = 0;
  /// A trial as it is stored; nothing where no one but the holder of this object can have changed it.
  virtual std::optional<TrialRecord> read(std::int64_t number) = 0;

  /// A new running trial; nothing where `limit` trials have been started already (those that wait were not, and those
  /// that failed do not count), or where the trial that it forks or replaces has changed meanwhile.
  virtual std::optional<Lease> create(std::int64_t limit, const NewTrial& trial) = 0;
  /// A trial that waits to be run, with these attributes; its number.
  virtual std::int64_t enqueue(const std::map<std::string, std::string>& attributes) = 0;
  /// A trial that has ended elsewhere, with all that its record has but a checkpoint; its number.
  virtual std::int64_t add(const TrialRecord& trial) = 0;
  /// Starts the waiting trial of the lowest number, if there is one and fewer than `limit` were started.
  virtual std::optional<Lease> claim_waiting(std::int64_t limit) = 0;
  /// Takes a paused or orphaned trial; nothing where someone else was faster. What was reported after the checkpoint
  /// (all, if there is none) is removed from an orphan, and stays with a paused trial.
  virtual std::optional<Lease> claim(std::int64_t number) = 0;
  /// Gives a running trial out of hand: it runs on, to Optuna too, and is no orphan, until attach() takes it or Optuna
  /// ends it. False where it was not held any more.
  virtual bool detach(const Lease& lease) = 0;
  /// Takes a running trial that nobody here works on: one that was detached, an orphan, or one that Optuna runs. What
  /// was reported stays. Nothing for all others.
  virtual std::optional<Lease> attach(std::int64_t number) = 0;
  /// Running trials whose worker is gone: its process ended, or its lease ran out.
  virtual std::vector<std::int64_t> orphans() = 0;
  /// How many running trials are leased to someone, here or elsewhere.
  virtual std::int64_t leased() = 0;

  /// For each lease whether it was still held; what was not held is not written.
  virtual std::vector<bool> write(std::span<const std::pair<Lease, TrialChange>> changes) = 0;
  /// Makes leases last for another lease time from now; for each whether it was still held.
  virtual std::vector<bool> renew(std::span<const Lease> leases) = 0;
  /// Ends leases: the trials are orphans from now on.
  virtual void release(std::span<const Lease> leases) = 0;

  virtual std::optional<Checkpoint> checkpoint(std::int64_t number) = 0;
  /// Removes checkpoints of trials that nobody runs.
  virtual void forget_checkpoints(std::span<const std::int64_t> numbers) = 0;
  /// Nobody runs paused trials any more: to Optuna they are pruned from now on, with their last report as value. They
  /// stay paused to us, and may be claimed.
  virtual void settle() = 0;

  /// The study's own attributes, JSON texts.
  virtual std::map<std::string, std::string> attributes() = 0;
  virtual void set_attribute(const std::string& key, const std::string& json) = 0;
  /// Names of the objectives; empty where nobody gave them.
  virtual std::vector<std::string> metric_names() = 0;
  virtual void set_metric_names(const std::vector<std::string>& names) = 0;
};

/// A place with any number of studies.
class Storage {
 public:
  virtual ~Storage() = default;

  virtual std::vector<StudySummary> studies() = 0;
  /// Makes the study if it is not there; one that is keeps its directions. A lease lasts `lease` without renewal.
  virtual std::unique_ptr<StudyStorage> open(const std::string& study, const std::vector<Direction>& directions,
                                             std::chrono::milliseconds lease) = 0;
  /// All trials of a study, without taking part in it. Throws Error if it is not there.
  virtual History read(const std::string& study) = 0;
  /// The checkpoint of a trial, without taking part in its study.
  virtual std::optional<Checkpoint> checkpoint(const std::string& study, std::int64_t number) = 0;
  /// Removes a study and all that belongs to it. Throws Error if it is not there.
  virtual void remove(const std::string& study) = 0;
};

struct OpenStorageOptions {
  bool create = true;      ///< make an SQLite file that is not there; otherwise that is an error
  bool read_only = false;  ///< only for studies() and read(); works where nothing can be written, and leaves no trace
};

/// Opens `sqlite:FILE` (also `sqlite:///FILE`, as Python writes it), `postgresql://USER:PASSWORD@HOST/DATABASE`, or, as
/// "memory:" or "", a storage that ends with the process. Databases have the tables of Optuna (schema v3.2.0.a), so
/// that its Python API and its dashboard open them, and tables of our own beside them, which begin with `xgrad_`. They
/// are made by open(); until then nothing is written. Throws Error for another URL, a database that cannot be opened,
/// an SQLite file of another program, and tables of another version of Optuna. A password is better kept in PGPASSWORD
/// or ~/.pgpass than in the URL; no message shows it.
///
/// What a database has is checked when it is read: a value that no study can have is an Error that names the trial and
/// what is wrong with it, as in `tune: sqlite:study.db: trial 3: parameter "x": 7 is not in its distribution`.
std::unique_ptr<Storage> open_storage(const std::string& url, const OpenStorageOptions& options = {});

}  // namespace xgrad::tune
