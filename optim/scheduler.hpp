#pragma once
// Learning-rate schedules: the rate as a function of the epoch.

#include <cstdint>
#include <vector>

#include "../autograd/named_tensors.hpp"
#include "optimizer.hpp"

namespace xgrad::optim {

/// Sets the rate of an optimizer, which must outlive it, to initial rate * factor(epoch). Call step() after each epoch
/// (or after each step, for schedules that count steps).
class LRScheduler {
 public:
  virtual ~LRScheduler() = default;
  LRScheduler(const LRScheduler&) = delete;
  LRScheduler& operator=(const LRScheduler&) = delete;

  /// To the next epoch.
  void step() { set_epoch(epoch_ + 1); }
  std::int64_t epoch() const { return epoch_; }
  /// To any epoch, as when training is resumed; 0 is the start.
  void set_epoch(std::int64_t epoch);
  /// What has to be saved to go on later: `last_epoch` and `base_lr`, the initial rate.
  NamedTensors state_dict() const;
  /// Goes on from a state_dict(), with the rate of its epoch. Throws Error, with nothing changed, for other entries.
  void load_state_dict(const NamedTensors& state);
  /// The rate at an epoch.
  double lr_at(std::int64_t epoch) const { return initial_lr_ * factor(epoch); }

 protected:
  explicit LRScheduler(Optimizer& optimizer) : optimizer_(optimizer), initial_lr_(optimizer.lr()) {}
  /// What the initial rate is multiplied by.
  virtual double factor(std::int64_t epoch) const = 0;
  double initial_lr() const { return initial_lr_; }

 private:
  Optimizer& optimizer_;
  double initial_lr_;
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

 private:
  double factor(std::int64_t epoch) const override;
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
