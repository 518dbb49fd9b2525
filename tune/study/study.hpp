#pragma once
// A search for the best hyperparameters.

#include <chrono>
#include <concepts>
#include <exception>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../importance/importance.hpp"
#include "../pruners/pruner.hpp"
#include "../samplers/automatic.hpp"
#include "../samplers/sampler.hpp"
#include "../storage/storage.hpp"
#include "trial.hpp"

namespace xgrad::tune {

class Study;

struct StudyOptions {
  Direction direction = minimize;
  AnySampler sampler = Auto{};
  AnyPruner pruner = None{};
  std::uint64_t seed = 0;
  std::vector<Direction> directions = {};  ///< of several objectives, in place of `direction`
  /// For how long a worker that gives no sign of life keeps its trial. On one machine a process that ended loses its
  /// trials at once.
  std::chrono::milliseconds lease = std::chrono::seconds(60);
  /// How often epochs() saves a running trial at most; a trial that is paused is always saved.
  std::chrono::milliseconds checkpoint_interval = std::chrono::seconds(5);
  /// Whether the state of the best trial after its last epoch is kept, for best_checkpoint(). Of studies of one
  /// objective, and trials that use epochs() and report their last one.
  bool keep_best_checkpoint = true;
};

struct OptimizeOptions {
  /// Of the study in total, those of earlier runs and of other processes included; failed ones do not count.
  std::int64_t trials = 100;
  int workers = 1;  ///< threads that run trials
  /// A trial that takes longer is pruned at its next report or epoch.
  std::optional<std::chrono::milliseconds> trial_time_limit = {};
  /// After so long no trial is begun; those that run come to their end.
  std::optional<std::chrono::milliseconds> timeout = {};
  /// After so many failed trials in a row optimize() throws an Error with the last one's message. 0: never.
  int max_failures = 10;
  /// How often what a trial tried is tried again, with the same parameters, if it fails. A retry is a trial of its own,
  /// with Optuna's attributes "failed_trial" (the first one) and "retry_history".
  int retries = 0;
  /// Whether an exception ends only its trial, as failed; where this is false it also ends optimize(), which throws it.
  /// Without a function no exception does.
  std::function<bool(const std::exception&)> catch_if = {};
  /// Called after each trial that ran here, one at a time; study.stop() may be called in them.
  std::vector<std::function<void(Study&, const TrialRecord&)>> callbacks = {};
  bool progress = true;       ///< a line on standard error while it runs, where that is no terminal every half minute
  bool catch_signals = true;  ///< end cleanly on SIGINT and SIGTERM
};

struct EnqueueOptions {
  /// Nothing is enqueued where a trial, whatever became of it, has exactly these parameters, or was enqueued so.
  bool skip_if_exists = false;
  /// Parameters may be given that no trial had yet, as those of a branch that none came to.
  bool unknown_names = false;
};

/// A study: trials of an objective, and what they gave, in a storage that outlives the process. Copies are the same
/// study. Members may be called from any thread. Storage that fails throws Error, and leaves the study as it was.
class Study {
 public:
  /// Opens a study, and makes it where it is not there. See open_storage() for `url`. Throws Error for a study that is
  /// there with other directions, and for options that make no sense.
  static Study open(const std::string& url, const std::string& name, const StudyOptions& options = {});

  /// Calls the objective for one trial after the other until the study has the trials it is to have, and none of them
  /// can go on. Trials that an earlier process left unfinished are taken up first, then enqueued ones.
  ///
  /// The objective takes a Trial& and returns a number, or a std::vector<double> where there are several objectives;
  /// one that returns nothing gives the value it reported last. An exception it throws ends its trial as failed, with
  /// the message as attribute "error"; a value that is not finite ends it as diverged. With several workers it is
  /// called from several threads at once.
  ///
  /// On SIGINT (Ctrl-C) and SIGTERM running trials save their state after the epoch they are in, or run to their end
  /// if they have no epochs(); then the signal is raised again, with the handler there was before. A second one ends
  /// the process at once. Nothing is lost either way: start the program again to go on. A signal that the process
  /// ignores stays ignored.
  ///
  /// When the study has its trials, those that are still paused are shown as pruned to Optuna, with their last report;
  /// here they stay paused, and go on where `trials` is raised. clean() removes their checkpoints.
  ///
  /// Throws Error where it is called in an objective of the same study: it would wait for that trial.
  template <class Objective>
  requires std::invocable<Objective&, Trial&>
  void optimize(Objective&& objective, const OptimizeOptions& options = {}) {
    run(
        [&objective](Trial& trial) -> std::vector<double> {
          using Result = std::invoke_result_t<Objective&, Trial&>;
          if constexpr (std::is_void_v<Result>)
            return objective(trial), std::vector<double>();
          else if constexpr (std::is_arithmetic_v<Result>)
            return {static_cast<double>(objective(trial))};
          else
            return objective(trial);
        },
        options);
  }

  /// A trial to be run by the caller, who tells its result: one that was left unfinished, an enqueued one, one that
  /// goes on, or a new one. It is kept for as long as a copy of the handle is, and the process lives.
  Trial ask();
  /// A trial that has been given all these parameters. Throws Error for a range that is none, and where an enqueued
  /// value is not in its range; that trial has failed then.
  Trial ask(const std::map<std::string, Distribution>& space);
  /// Lets a trial of ask() run on without this process, until attach() takes it, here or elsewhere, or Optuna ends it.
  /// Nobody takes it up in between. Returns its number. Throws Error for a trial that has ended.
  std::int64_t detach(const Trial& trial);
  /// A running trial that no worker holds, to report and tell its result: one that was detached, whose process is gone,
  /// or that Optuna asked for. Throws Error for others.
  Trial attach(std::int64_t number);
  /// Ends a trial. False, and nothing changes, where it has ended already, or was lost to another worker because this
  /// one gave no sign of life. Without a value the last report counts. Throws Error for a number of values that is not
  /// that of the objectives.
  bool tell(const Trial& trial, double value) { return tell(trial, std::vector<double>{value}); }
  bool tell(const Trial& trial, const std::vector<double>& values);
  /// Ends a trial as complete (by its last report), pruned or failed, or pauses it. Throws Error for other states.
  bool tell(const Trial& trial, TrialState state);

  /// optimize() begins no more trials, in any thread, and returns when those that run have come to their end. Nothing
  /// where none runs.
  void stop();

  /// A trial that is to be run before new ones, with these parameters; those not given are sampled. Returns its number,
  /// or that of the trial which is there already. Throws Error for a parameter that none of the study's trials has, and
  /// for a value that is not in the range it had; in a study without trials that is found out when it runs.
  std::int64_t enqueue(const std::map<std::string, Choice>& parameters, const EnqueueOptions& options = {});
  /// A trial whose result is known: state (complete, pruned, failed or diverged), parameters, values, reports,
  /// attributes, constraints and times are as the record says; its number is given anew, and returned. Throws Error for
  /// what no trial can have.
  std::int64_t add_trial(const TrialRecord& trial);
  /// Enqueues what a failed trial tried; the number of the new trial. Throws Error for a trial that has not failed.
  std::int64_t retry(std::int64_t number);

  /// What the objectives are called, in tables, pages and Optuna: one name each. Throws Error for another number.
  void set_metric_names(const std::vector<std::string>& names);
  /// Empty where they have none.
  std::vector<std::string> metric_names() const;
  /// An attribute of the study: a JSON text. Throws Error for text that is no JSON.
  void set_attribute(const std::string& name, const std::string& json);
  std::map<std::string, std::string> attributes() const;

  const std::string& name() const;
  const std::vector<Direction>& directions() const;
  /// All trials by number.
  std::vector<TrialRecord> trials() const;
  /// The complete trial with the best value that violates no constraint; of equal ones the first. Throws Error where
  /// there is none, and for a study of several objectives.
  TrialRecord best_trial() const;
  /// What epochs() saved of the best trial after its last epoch: a safetensors file. Throws Error where it was not kept
  /// (see StudyOptions::keep_best_checkpoint).
  Checkpoint best_checkpoint() const;
  /// Puts objects into the state in which the best trial left them: any of those given to epochs(), of each kind
  /// (modules, optimizers, ...) in the same order. Throws Error where they do not fit.
  template <class... Objects>
  void restore_best(Objects&... objects) const {
    restore_best({Stateful::of(objects)...});
  }
  /// Removes the checkpoints of paused trials, which begin anew if they go on, and of complete ones but the best.
  /// Returns how many there were. Throws Error while trials run.
  std::int64_t clean();
  /// Which parameters mattered: importance() of the trials.
  std::vector<std::pair<std::string, double>> importance(const ImportanceOptions& options = {}) const;
  /// The complete trials that no other one is better than: by number.
  std::vector<TrialRecord> pareto_front() const;

  /// The trials as a table of text, best first.
  std::string table() const;
  /// The trials as CSV (RFC 4180) or JSON, replacing the file in one step.
  void write_csv(const std::string& path) const;
  void write_json(const std::string& path) const;
  /// One page for a browser, which needs no network: the best trial, history, learning curves, importance, parallel
  /// coordinates, slices and timeline. It can be written while the study runs; the file is replaced in one step.
  void write_report(const std::string& path) const;

 private:
  void restore_best(const std::vector<Stateful>& objects) const;
  explicit Study(std::shared_ptr<detail::StudyCore> core) : core_(std::move(core)) {}
  void run(const std::function<std::vector<double>(Trial&)>& objective, const OptimizeOptions& options);

  std::shared_ptr<detail::StudyCore> core_;
};

}  // namespace xgrad::tune
