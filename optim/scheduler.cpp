#include "scheduler.hpp"

#include <cmath>
#include <limits>

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

}  // namespace xgrad::optim
