#include "scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "../autograd/create.hpp"

namespace xgrad::optim {

void LRScheduler::set_epoch(std::int64_t epoch) {
  check(epoch >= 0, "scheduler: epoch ", epoch, " is negative");
  optimizer_.set_lr(lr_at(epoch));
  epoch_ = epoch;
}

NamedTensors LRScheduler::state_dict() const {
  return {{"last_epoch", full({}, static_cast<double>(epoch_), {.dtype = int64})},
          {"base_lr", full({}, initial_lr_, {.dtype = float64})}};
}

void LRScheduler::load_state_dict(const NamedTensors& state) {
  check(state.size() == 2 && state[0].first == "last_epoch" && state[1].first == "base_lr" &&
            state[0].second.numel() == 1 && state[1].second.numel() == 1,
        "scheduler: load_state_dict: the state of a schedule has two numbers, `last_epoch` and `base_lr`");
  const double before = std::exchange(initial_lr_, state[1].second.item<double>());
  try {
    set_epoch(state[0].second.item<std::int64_t>());
  } catch (...) {
    initial_lr_ = before;
    throw;
  }
}

StepLR::StepLR(Optimizer& optimizer, const StepLROptions& options) : LRScheduler(optimizer), options_(options) {
  check(options.step_size > 0, "StepLR: step_size is ", options.step_size, "; it must be positive");
  check(options.gamma >= 0, "StepLR: gamma is ", options.gamma, "; it must not be negative");
}
double StepLR::factor(std::int64_t epoch) const {
  return std::pow(options_.gamma, static_cast<double>(epoch / options_.step_size));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  check(options.gamma >= 0, "ExponentialLR: gamma is ", options.gamma, "; it must not be negative");
}
double ExponentialLR::factor(std::int64_t epoch) const { return std::pow(options_.gamma, static_cast<double>(epoch)); }

InverseTimeLR::InverseTimeLR(Optimizer& optimizer, const InverseTimeLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  check(options.decay_rate >= 0, "InverseTimeLR: decay_rate is ", options.decay_rate, "; it must not be negative");
}
double InverseTimeLR::factor(std::int64_t epoch) const {
  return 1 / (1 + options_.decay_rate * static_cast<double>(epoch));
}

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  check(options.t_max > 0, "CosineAnnealingLR: t_max is ", options.t_max, "; it must be positive");
  check(options.eta_min >= 0, "CosineAnnealingLR: eta_min is ", options.eta_min, "; it must not be negative");
}
double CosineAnnealingLR::factor(std::int64_t epoch) const {
  if (initial_lr() == 0) return 0;
  const double low = options_.eta_min / initial_lr();
  return low + (1 - low) *
                   (1 + std::cos(std::numbers::pi * static_cast<double>(epoch) / static_cast<double>(options_.t_max))) /
                   2;
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
