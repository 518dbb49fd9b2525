#pragma once
// What Study and Trial share.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <thread>

#include "study.hpp"

namespace xgrad::tune::detail {

using Clock = std::chrono::steady_clock;

/// Why a trial is to end before its time.
enum class Stop { none, prune, pause, diverged, time_limit, interrupt, lost };

/// A trial that this process holds the lease of. Guarded by the lock of its study.
struct OpenTrial {
  OpenTrial(std::shared_ptr<StudyCore> study, const Lease& held) : core(std::move(study)), lease(held) {}
  ~OpenTrial();  // gives the lease back

  std::shared_ptr<StudyCore> core;
  Lease lease;
  std::uint64_t seed = 0;
  TrialChange pending;  // not yet in the storage
  std::map<std::string, Choice> fixed;
  Stop stop = Stop::none;
  bool asked = false;            // by ask(): optimize() does not wait for it
  bool told = false;             // that it is to stop
  bool closed = false;           // the lease was given back or lost
  bool forked = false;           // begins at another trial's checkpoint
  std::set<std::int64_t> steps;  // reported since it was taken up
  bool keep = false;             // the checkpoint after its last epoch, if it is the best trial
  std::optional<Clock::time_point> deadline;
  Clock::time_point saved = Clock::now();  // its last checkpoint
  Clock::time_point taken = Clock::now();  // by this process
};

/// One study of this process: its history, the trials that run here, and the thread that renews their leases.
class StudyCore : public std::enable_shared_from_this<StudyCore> {
 public:
  StudyCore(const std::string& url, std::string name, const StudyOptions& options);
  ~StudyCore();

  const std::string& name() const { return name_; }
  const std::vector<Direction>& directions() const { return study_->directions(); }

  /// Tells the sampler how many trials there will be.
  void plan(std::int64_t trials);

  /// A trial to run; nothing where there is none now.
  std::shared_ptr<OpenTrial> start(std::int64_t limit);
  /// Whether a trial runs, here or elsewhere, that may still pause or be lost: then start() may find one later.
  bool may_go_on();
  /// Until something changed, but not for long.
  void wait();

  double suggest(OpenTrial& open, const std::string& name, const Distribution& distribution);
  void report(OpenTrial& open, std::int64_t step, double value);
  void set_attribute(OpenTrial& open, const std::string& name, const std::string& json);
  void set_constraint(OpenTrial& open, const std::string& name, double value);
  bool should_stop(OpenTrial& open);
  TrialRecord record(std::int64_t number);

  /// What epochs() restores; nothing for a trial from nothing.
  std::optional<Checkpoint> checkpoint(OpenTrial& open);
  /// After an epoch: whether there is to be another one. `state` is called where it has to be saved.
  bool go_on(OpenTrial& open, int epoch, int count, const std::function<std::string()>& state);

  /// By what stopped it, or with these values; false where the trial was not held any more.
  bool finish(OpenTrial& open, const std::vector<double>& values);
  bool finish_as(OpenTrial& open, TrialState state, std::vector<double> values);

  /// See Study::detach() and attach().
  void detach(OpenTrial& open);
  std::shared_ptr<OpenTrial> attach(std::int64_t number);

  std::int64_t enqueue(const std::map<std::string, Choice>& parameters, const EnqueueOptions& options);
  std::int64_t add(const TrialRecord& trial);
  std::int64_t retry(std::int64_t number);
  /// How often what this trial tried was tried again before.
  std::int64_t retries(std::int64_t number);

  /// No trial can go on: to Optuna paused ones are pruned.
  void settle();
  std::int64_t clean();
  Checkpoint best_checkpoint();

  std::map<std::string, std::string> attributes();
  void set_attribute(const std::string& name, const std::string& json);
  void set_metric_names(const std::vector<std::string>& names);

  void request_stop(bool stop) { stop_requested_ = stop; }
  bool stop_requested() const { return stop_requested_; }

  /// Calls f(history), up to date, under the lock.
  template <class F>
  auto with_history(F&& f) {
    const std::lock_guard lock(mutex_);
    refresh();
    return f(std::as_const(history_));
  }

  /// Throws Error for a negative one.
  void set_time_limit(std::optional<std::chrono::milliseconds> limit);
  /// Whether both are about one study, in this process or in a storage.
  bool is_same_study(const StudyCore& other) const {
    return this == &other || (!place_.empty() && place_ == other.place_ && name_ == other.name_);
  }
  /// Throws what the storage threw, in this or another thread, since optimize() began.
  void rethrow_failure();
  bool has_failed();

 private:
  friend struct OpenTrial;

  void refresh();
  std::int64_t count_started();  // trials that use up a limit
  void flush();
  bool write(OpenTrial& open);
  void lose(OpenTrial& open);
  void close(OpenTrial& open);
  std::shared_ptr<OpenTrial> adopt(const Lease& lease, bool resumed, bool orphan);
  std::shared_ptr<OpenTrial> begin_new(const Lease& lease, const NewTrial& trial);
  std::optional<std::shared_ptr<OpenTrial>> try_start(std::int64_t limit);
  void count_seconds(OpenTrial& open, TrialState state);
  bool would_be_best(std::int64_t number, double value) const;
  void keep_if_best(OpenTrial& open, int epoch, const std::function<std::string()>& state);
  void forget_other_bests(std::int64_t number);
  std::int64_t enqueue(std::map<std::string, std::string> attributes);
  void check_against_history(const std::map<std::string, Choice>& parameters, const EnqueueOptions& options) const;
  std::optional<std::int64_t> find_equal(const std::map<std::string, Choice>& parameters) const;
  double fixed_value(OpenTrial& open, const std::string& name, const Distribution& distribution) const;
  void keep_alive(const std::stop_token& stop);
  // f(), remembering what it throws.
  template <class F>
  auto guarded(F&& f) {
    try {
      return f();
    } catch (...) {
      failure_ = std::current_exception();
      throw;
    }
  }

  std::string name_, place_;
  std::chrono::milliseconds lease_, checkpoint_interval_;
  std::uint64_t seed_;
  bool prunes_, keep_best_, said_paused_ = false, said_repeated_ = false;
  std::atomic<bool> stop_requested_ = false;
  std::unique_ptr<StudyStorage> study_;
  std::unique_ptr<Sampler> sampler_;
  std::unique_ptr<Pruner> pruner_;

  std::recursive_mutex mutex_;  // an OpenTrial that ends takes it again
  std::condition_variable_any changed_, never_;
  History history_;
  std::set<std::int64_t> not_counted_;       // waiting and failed trials, as far as
  std::size_t counted_ = 0;                  // this many changes of the history tell
  std::map<std::int64_t, OpenTrial*> held_;  // by number
  Clock::time_point flushed_ = Clock::now();
  std::exception_ptr failure_;  // of the storage
  std::optional<std::chrono::milliseconds> time_limit_;
  std::jthread keeper_;  // the last member: it uses the others
};

}  // namespace xgrad::tune::detail
