#pragma once
// A training that can be stopped at any moment and goes on where it was.

#include <chrono>
#include <concepts>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stateful.hpp"

namespace xgrad::train {

/// Which of two values of a metric is better.
enum class Better { larger, smaller };

struct CheckpointOptions {
  std::int64_t keep_last = 1;      // files: the newest is `path`, those before it are `path.1`, `path.2`, ...
  Better better = Better::larger;  // of the metric of save_best()
  bool asynchronous = false;       // a save copies the state, and a thread writes it while training goes on
};

/// A file with the state of modules, optimizers, schedules, loaders, generators and whatever has state_dict() and
/// load_state_dict(), and of default_generator() of this thread. The objects must outlive this.
///
///     train::Checkpoint checkpoint("net.checkpoint", {.keep_last = 3, .asynchronous = true}, net, adam, loader);
///     checkpoint.restore_if_there();
///     for (auto epoch = loader.epoch(); epoch < 10; ++epoch) {
///       for (const auto& [x, y] : loader) {
///         ...
///         checkpoint.save_every(std::chrono::seconds(30));
///       }
///       checkpoint.save_best(train::accuracy(net, test_set));
///     }
///     checkpoint.wait();
///
/// Saved at the end of a step and restored in a new process, the program goes on with the next batch, bit for bit. The
/// file is replaced as a whole: there always is a whole one, whenever the process is killed.
class Checkpoint {
 public:
  template <class... Objects>
  requires(!std::same_as<std::remove_const_t<Objects>, CheckpointOptions> && ...)  //
      explicit Checkpoint(std::string path, Objects&... objects)
      : Checkpoint(std::move(path), CheckpointOptions(), objects...) {}
  /// Throws Error where no file is to be kept.
  template <class... Objects>
  Checkpoint(std::string path, const CheckpointOptions& options, Objects&... objects)
      : Checkpoint(std::move(path), options, std::vector<Stateful>{Stateful::of(objects)...}) {}
  Checkpoint(Checkpoint&&) = default;
  Checkpoint& operator=(Checkpoint&&) = delete;
  /// wait(), but what it would throw is written to standard error.
  ~Checkpoint();

  /// Throws Error, which says what the system said, where the file cannot be written; an old one is then what it was.
  /// Where writing is asynchronous, that is thrown by the next save or wait().
  void save();
  /// save() if so long has passed since the last save, or else since this was made; returns whether it did.
  bool save_every(std::chrono::nanoseconds interval);
  /// Saves to `path.best` if `metric` is better than that of the file there, also one of an earlier process; returns
  /// whether it did. NaN is never saved.
  bool save_best(double metric);
  /// Waits for what is still being written. Throws the Error of that, once.
  void wait();

  /// Throws Error, with nothing changed, where the file is missing or damaged, or is of other objects, naming what does
  /// not fit.
  void restore();
  /// restore() if there is a file; returns whether there was.
  bool restore_if_there();
  /// restore(), from what save_best() wrote.
  void restore_best();

  const std::string& path() const { return path_; }

 private:
  using Clock = std::chrono::steady_clock;

  Checkpoint(std::string path, const CheckpointOptions& options, std::vector<Stateful> objects);
  std::string best_path() const { return path_ + ".best"; }
  void write(const std::string& path, std::int64_t keep_last, std::optional<double> metric);
  void restore_from(const std::string& path);

  std::string path_;
  CheckpointOptions options_;
  std::vector<Stateful> objects_;
  Clock::time_point saved_ = Clock::now();
  std::optional<double> best_;  // of the file; unknown before the first save_best() and after an error
  std::future<void> writing_;
};

/// Writes one Checkpoint of these objects.
template <class... Objects>
void save_checkpoint(const std::string& path, Objects&... objects) {
  Checkpoint(path, objects...).save();
}
/// Goes on from a file of save_checkpoint() or Checkpoint; see Checkpoint::restore() for the errors.
template <class... Objects>
void load_checkpoint(const std::string& path, Objects&... objects) {
  Checkpoint(path, objects...).restore();
}

}  // namespace xgrad::train
