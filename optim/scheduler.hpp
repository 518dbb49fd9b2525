#pragma once
// Learning-rate schedules: the rate as a function of the epoch.

#include <concepts>
#include <cstdint>
#include <memory>
#include <vector>

#include "../autograd/named_tensors.hpp"
#include "../core/count.hpp"
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

struct StepLROptions {
  std::int64_t step_size = 1;
  double gamma = 0.1;
};
/// gamma^floor(epoch / step_size).
class StepLR : public LRScheduler {
 public:
  StepLR(Optimizer& optimizer, const StepLROptions& options);
  template <xgrad::detail::Count N>
  StepLR(Optimizer& optimizer, N step_size, double gamma = 0.1)
      : StepLR(optimizer, StepLROptions{xgrad::detail::count("StepLR: step_size", step_size), gamma}) {}

 private:
  double factor(std::int64_t epoch) const override;
  StepLROptions options_;
};

struct ExponentialLROptions {
  double gamma = 0.95;
};
/// gamma^epoch.
class ExponentialLR : public LRScheduler {
 public:
  ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options);
  template <std::floating_point N>
  ExponentialLR(Optimizer& optimizer, N gamma) : ExponentialLR(optimizer, ExponentialLROptions{gamma}) {}

 private:
  double factor(std::int64_t epoch) const override;
  ExponentialLROptions options_;
};

struct InverseTimeLROptions {
  double decay_rate = 1;
};
/// 1 / (1 + decay_rate * epoch).
class InverseTimeLR : public LRScheduler {
 public:
  InverseTimeLR(Optimizer& optimizer, const InverseTimeLROptions& options);
  template <std::floating_point N>
  InverseTimeLR(Optimizer& optimizer, N decay_rate) : InverseTimeLR(optimizer, InverseTimeLROptions{decay_rate}) {}

 private:
  double factor(std::int64_t epoch) const override;
  InverseTimeLROptions options_;
};

struct CosineAnnealingLROptions {
  std::int64_t t_max = 1;  // epochs from the initial rate down to eta_min
  double eta_min = 0;      // a rate
};
/// The rate is eta_min + (initial - eta_min) * (1 + cos(pi * epoch / t_max)) / 2 (Loshchilov and Hutter, arXiv
/// 1608.03983, without restarts).
class CosineAnnealingLR : public LRScheduler {
 public:
  CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options);
  template <xgrad::detail::Count N>
  CosineAnnealingLR(Optimizer& optimizer, N t_max, double eta_min = 0)
      : CosineAnnealingLR(optimizer,
                          CosineAnnealingLROptions{xgrad::detail::count("CosineAnnealingLR: t_max", t_max), eta_min}) {}

 private:
  double factor(std::int64_t epoch) const override;
  double rate(double initial, std::int64_t epoch) const override;
  CosineAnnealingLROptions options_;
};

struct LinearLROptions {
  double start_factor = 1.0 / 3, end_factor = 1;
  std::int64_t total_iters = 5;
};
/// Linear warm-up: from start_factor at epoch 0 to end_factor at total_iters, and so on from there.
class LinearLR : public LRScheduler {
 public:
  LinearLR(Optimizer& optimizer, const LinearLROptions& options);

 private:
  double factor(std::int64_t epoch) const override;
  LinearLROptions options_;
};

}  // namespace xgrad::optim
