#pragma once
// A training that can be stopped at any moment and goes on where it was.

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "stateful.hpp"

namespace xgrad::train {

/// A file with the state of modules, optimizers, schedules, loaders, generators and whatever has state_dict() and
/// load_state_dict(), and of default_generator() of this thread. The objects must outlive this.
///
///     train::Checkpoint checkpoint("net.checkpoint", net, adam, schedule, loader);
///     checkpoint.restore_if_there();
///     for (auto epoch = loader.epoch(); epoch < 10; ++epoch)
///       for (const auto& [x, y] : loader) {
///         ...
///         checkpoint.save_every(std::chrono::seconds(30));
///       }
///
/// Saved at the end of a step and restored in a new process, the program goes on with the next batch, bit for bit. The
/// file is replaced as a whole: there always is a whole one, whenever the process is killed.
class Checkpoint {
 public:
  template <class... Objects>
  explicit Checkpoint(std::string path, Objects&... objects)
      : path_(std::move(path)), objects_{Stateful::of(objects)...} {}

  /// Throws Error, which says what the system said, where the file cannot be written; an old one is then what it was.
  void save();
  /// save() if so long has passed since the last save, or else since this was made; returns whether it did.
  bool save_every(std::chrono::nanoseconds interval);

  /// Throws Error, with nothing changed, where the file is missing or damaged, or is of other objects, naming what does
  /// not fit.
  void restore();
  /// restore() if there is a file; returns whether there was.
  bool restore_if_there();

  const std::string& path() const { return path_; }

 private:
  using Clock = std::chrono::steady_clock;
  std::string path_;
  std::vector<Stateful> objects_;
  Clock::time_point saved_ = Clock::now();
};

}  // namespace xgrad::train
