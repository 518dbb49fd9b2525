#pragma once
// Learning-rate schedules: the rate as a function of the epoch.

#include <cstdint>
#include <memory>
#include <vector>

#include "../autograd/named_tensors.hpp"
#include "optimizer.hpp"

namespace xgrad::optim {

/// Sets the rate of an optimizer, as a function of the epoch, to initial rate * factor(epoch). Call step() after each
/// epoch (or after each step, for schedules that count steps).
///
/// The initial rate belongs to the optimizer: it is the rate that the optimizer had when its first schedule was made,
/// and is part of its state_dict(), so that a schedule made later, or after load_state_dict(), begins from it too. Of
/// several schedules of one optimizer each changes what those made before it give: the factors multiply, as PyTorch's
/// do. One that is destroyed has no part in the rates set from then on. Not for concurrent use with others of the same
/// optimizer.
class LRScheduler {
 public:
  virtual ~LRScheduler();
  LRScheduler(const LRScheduler&) = delete;
  LRScheduler& operator=(const LRScheduler&) = delete;

  /// To the next epoch.
  void step();
  std::int64_t epoch() const { return epoch_; }
  /// To any epoch, as when training is resumed; 0 is the start. Throws Error for a negative one, and where the rate is
  /// not finite.
  void set_epoch(std::int64_t epoch);
  /// What has to be saved to go on later: `last_epoch` and `base_lr`, the initial rate.
  NamedTensors state_dict() const;
  /// Goes on from a state_dict(), with the rate of its epoch; the initial rate becomes the optimizer's. Throws Error,
  /// with nothing changed, for other entries.
  void load_state_dict(const NamedTensors& state);
  /// The rate that this schedule alone gives at an epoch.
  double lr_at(std::int64_t epoch) const;

 protected:
  explicit LRScheduler(Optimizer& optimizer);
  /// What the initial rate is multiplied by.
  virtual double factor(std::int64_t epoch) const = 0;
  /// What becomes of a rate, the initial one or another schedule's.
  virtual double rate(double initial, std::int64_t epoch) const {
    return detail::unless_off(initial, initial * factor(epoch));
  }
  double initial_lr() const { return *rate_->initial; }

 private:
  void set(std::int64_t epoch, double initial);

  std::shared_ptr<detail::Rate> rate_;
  std::int64_t epoch_ = 0;
};

}  // namespace xgrad::optim
