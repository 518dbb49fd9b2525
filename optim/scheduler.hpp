#pragma once
// What all learning-rate schedules share.

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "../autograd/named_tensors.hpp"
#include "optimizer.hpp"

namespace xgrad::optim {

/// Sets the learning rate of each parameter group of an optimizer from the group's initial rate and the epoch. Call
/// step() after each epoch (or after each step, for schedules that count steps).
///
/// The initial rate belongs to the optimizer: it is the rate that a group had when the first schedule was made, and is
/// part of its state_dict(), so that a schedule made later, or after load_state_dict(), begins from it too. Of several
/// schedules of one optimizer each changes what those made before it give: factors multiply, as PyTorch's do. One that
/// is destroyed has no part in the rates set from then on. Not for concurrent use with others of the same optimizer.
///
/// A schedule of one's own is a Schedule of a function.
class LRScheduler {
 public:
  virtual ~LRScheduler();
  LRScheduler(const LRScheduler&) = delete;
  LRScheduler& operator=(const LRScheduler&) = delete;

  /// To the next epoch.
  void step();
  std::int64_t epoch() const { return epoch_; }
  /// To any epoch, as when training is resumed; 0 is the start. Throws Error, with nothing changed, for a negative one,
  /// and where a rate is negative or not finite.
  void set_epoch(std::int64_t epoch);
  /// What has to be saved to go on later: `last_epoch`; `base_lr`, the initial rates, a number or one for each group;
  /// and what else decides on the rates.
  NamedTensors state_dict() const;
  /// Goes on from a state_dict(), with the rates of its epoch; the initial rates become the optimizer's. Throws Error,
  /// with nothing changed, for other entries.
  void load_state_dict(const NamedTensors& state);
  /// The rate that this schedule alone gives a group at an epoch.
  double lr_at(std::int64_t epoch, std::size_t group = 0) const;

 protected:
  explicit LRScheduler(Optimizer& optimizer);
  /// What becomes of a rate, the initial one of a group or another schedule's.
  virtual double rate(double initial, std::int64_t epoch) const = 0;
  /// What `momentum` or `beta1` of all groups becomes; none where it is left alone.
  virtual std::optional<double> momentum(std::int64_t epoch) const;
  /// Numbers that are part of the state, by name.
  virtual std::vector<std::pair<const char*, double*>> numbers() { return {}; }

  /// Throws Error, in the name of `schedule`, where a group has no momentum, or one of 0, for which nothing is kept.
  void expect_momentum(const char* schedule) const;
  /// Sets the rates of epoch 0, where they are not the initial ones.
  void begin();

 private:
  void set(std::int64_t epoch, const std::vector<double>& initial);
  std::vector<double> initial() const;

  std::shared_ptr<detail::Rates> rates_;
  std::int64_t epoch_ = 0;
};

}  // namespace xgrad::optim
