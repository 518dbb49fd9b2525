#include "scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "../autograd/create.hpp"

namespace xgrad::optim {

LRScheduler::LRScheduler(Optimizer& optimizer) : rate_((optimizer.rate(), optimizer.rate_)) {
  rate_->schedules.push_back(this);
  if (!rate_->initial) rate_->initial = rate_->lr;
}

LRScheduler::~LRScheduler() { std::erase(rate_->schedules, this); }

void LRScheduler::step() {
  check(epoch_ < std::numeric_limits<std::int64_t>::max(), "scheduler: epoch ", epoch_, " has no next one");
  set_epoch(epoch_ + 1);
}

void LRScheduler::set_epoch(std::int64_t epoch) { set(epoch, initial_lr()); }

void LRScheduler::set(std::int64_t epoch, double initial) {
  check(epoch >= 0, "scheduler: epoch ", epoch, " is negative");
  double lr = initial;
  for (const LRScheduler* schedule : rate_->schedules)
    lr = schedule->rate(lr, schedule == this ? epoch : schedule->epoch_);
  check(lr >= 0 && std::isfinite(lr), "scheduler: the learning rate of epoch ", epoch, " is ", lr,
        "; it must be finite and not negative");
  rate_->lr = lr;
  rate_->initial = initial;
  epoch_ = epoch;
}

double LRScheduler::lr_at(std::int64_t epoch) const {
  check(epoch >= 0, "scheduler: epoch ", epoch, " is negative");
  return rate(initial_lr(), epoch);
}

NamedTensors LRScheduler::state_dict() const {
  Tensor epoch = zeros({}, {.dtype = int64});
  *epoch.data<std::int64_t>() = epoch_;
  return {{"last_epoch", epoch}, {"base_lr", full({}, initial_lr(), {.dtype = float64})}};
}

void LRScheduler::load_state_dict(const NamedTensors& state) {
  check(state.size() == 2 && state[0].first == "last_epoch" && state[1].first == "base_lr" &&
            state[0].second.numel() == 1 && state[1].second.numel() == 1,
        "scheduler: load_state_dict: the state of a schedule has two numbers, `last_epoch` and `base_lr`");
  const Tensor &epoch = state[0].second, &base_lr = state[1].second;
  check(epoch.dtype() == int64, "scheduler: load_state_dict: `last_epoch` has dtype ", epoch.dtype(),
        "; it is a whole number, int64");
  const double initial = base_lr.item<double>();
  check(initial >= 0 && std::isfinite(initial), "scheduler: load_state_dict: `base_lr` is ", initial,
        "; it must be finite and not negative");
  set(epoch.item<std::int64_t>(), initial);
}

StepLR::StepLR(Optimizer& optimizer, const StepLROptions& options) : LRScheduler(optimizer), options_(options) {
  check(options.step_size > 0, "StepLR: step_size is ", options.step_size, "; it must be positive");
  detail::check_option("StepLR", "gamma", options.gamma);
}
double StepLR::factor(std::int64_t epoch) const {
  return std::pow(options_.gamma, static_cast<double>(epoch / options_.step_size));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  detail::check_option("ExponentialLR", "gamma", options.gamma);
}
double ExponentialLR::factor(std::int64_t epoch) const { return std::pow(options_.gamma, static_cast<double>(epoch)); }

InverseTimeLR::InverseTimeLR(Optimizer& optimizer, const InverseTimeLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  detail::check_option("InverseTimeLR", "decay_rate", options.decay_rate);
}
double InverseTimeLR::factor(std::int64_t epoch) const {
  return 1 / (1 + options_.decay_rate * static_cast<double>(epoch));
}

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  check(options.t_max > 0, "CosineAnnealingLR: t_max is ", options.t_max, "; it must be positive");
  detail::check_option("CosineAnnealingLR", "eta_min", options.eta_min);
}
double CosineAnnealingLR::factor(std::int64_t epoch) const {
  return (1 + std::cos(std::numbers::pi * static_cast<double>(epoch) / static_cast<double>(options_.t_max))) / 2;
}
double CosineAnnealingLR::rate(double initial, std::int64_t epoch) const {
  return options_.eta_min + (initial - options_.eta_min) * factor(epoch);
}

LinearLR::LinearLR(Optimizer& optimizer, const LinearLROptions& options) : LRScheduler(optimizer), options_(options) {
  check(options.start_factor > 0 && options.start_factor <= 1, "LinearLR: start_factor is ", options.start_factor,
        "; it must lie in (0, 1]");
  check(options.end_factor >= 0 && options.end_factor <= 1, "LinearLR: end_factor is ", options.end_factor,
        "; it must lie in [0, 1]");
  check(options.total_iters > 0, "LinearLR: total_iters is ", options.total_iters, "; it must be positive");
  set_epoch(0);
}
double LinearLR::factor(std::int64_t epoch) const {
  const double t =
      static_cast<double>(std::min(epoch, options_.total_iters)) / static_cast<double>(options_.total_iters);
  return options_.start_factor + (options_.end_factor - options_.start_factor) * t;
}

}  // namespace xgrad::optim
