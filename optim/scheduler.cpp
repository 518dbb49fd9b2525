#include "scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../autograd/create.hpp"

namespace xgrad::optim {

LRScheduler::LRScheduler(Optimizer& optimizer) : rates_((optimizer.rates(), optimizer.rates_)) {
  rates_->schedules.push_back(this);
  for (detail::GroupRate& group : rates_->groups)
    if (!group.initial_lr) group.initial_lr = group.lr;
}

LRScheduler::~LRScheduler() { std::erase(rates_->schedules, this); }

std::optional<double> LRScheduler::momentum(std::int64_t) const { return {}; }

void LRScheduler::step() {
  check(epoch_ < std::numeric_limits<std::int64_t>::max(), "scheduler: epoch ", epoch_, " has no next one");
  set_epoch(epoch_ + 1);
}

void LRScheduler::set_epoch(std::int64_t epoch) { set(epoch, initial()); }

void LRScheduler::begin() {
  const std::vector<double> rates = initial();
  if (momentum(0) || std::any_of(rates.begin(), rates.end(), [&](double lr) { return rate(lr, 0) != lr; }))
    set(0, rates);
}

std::vector<double> LRScheduler::initial() const {
  std::vector<double> rates;
  for (const detail::GroupRate& group : rates_->groups) rates.push_back(*group.initial_lr);
  return rates;
}

void LRScheduler::set(std::int64_t epoch, const std::vector<double>& initial) {
  check(epoch >= 0, "scheduler: epoch ", epoch, " is negative");
  std::vector<detail::GroupRate> groups = rates_->groups;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i].initial_lr = initial[i];
    groups[i].lr = initial[i];
    for (const LRScheduler* schedule : rates_->schedules) {
      const std::int64_t at = schedule == this ? epoch : schedule->epoch_;
      groups[i].lr = schedule->rate(groups[i].lr, at);
      if (const auto momentum = schedule->momentum(at); momentum && groups[i].momentum) groups[i].momentum = momentum;
    }
    check(groups[i].lr >= 0 && std::isfinite(groups[i].lr), "scheduler: the learning rate of epoch ", epoch, " is ",
          groups[i].lr, "; it must be finite and not negative");
  }
  rates_->groups = std::move(groups);
  epoch_ = epoch;
}

void LRScheduler::expect_momentum(const char* schedule) const {
  for (const detail::GroupRate& group : rates_->groups)
    check(group.momentum && *group.momentum != 0, schedule,
          ": the optimizer has no momentum to change; give it one, or set cycle_momentum = false");
}

double LRScheduler::lr_at(std::int64_t epoch, std::size_t group) const {
  check(epoch >= 0, "scheduler: epoch ", epoch, " is negative");
  check(group < rates_->groups.size(), "scheduler: there is no parameter group ", group, ", there are ",
        rates_->groups.size());
  return rate(*rates_->groups[group].initial_lr, epoch);
}

NamedTensors LRScheduler::state_dict() const {
  Tensor epoch = zeros({}, {.dtype = int64});
  *epoch.data<std::int64_t>() = epoch_;
  const std::vector<double> rates = initial();
  NamedTensors state{{"last_epoch", epoch},
                     {"base_lr", rates.size() == 1 ? tensor(rates[0], {.dtype = float64}) : tensor(rates)}};
  for (const auto& [name, value] : const_cast<LRScheduler*>(this)->numbers())
    state.emplace_back(name, tensor(*value, {.dtype = float64}));
  return state;
}

void LRScheduler::load_state_dict(const NamedTensors& state) {
  const auto numbers = this->numbers();
  std::string names = "`last_epoch` and `base_lr`";
  for (const auto& [name, value] : numbers) names.append(", `").append(name).append("`");
  bool fits = state.size() == 2 + numbers.size() && state[0].first == "last_epoch" && state[1].first == "base_lr";
  for (std::size_t i = 0; fits && i < state.size(); ++i)
    fits = state[i].second.defined() && (i < 2 || state[i].first == numbers[i - 2].first) &&
           (i == 1 || state[i].second.numel() == 1);
  check(fits, "scheduler: load_state_dict: the state of this schedule has the numbers ", names);
  const Tensor &epoch = state[0].second, &base_lr = state[1].second;
  check(epoch.dtype() == int64, "scheduler: load_state_dict: `last_epoch` has dtype ", epoch.dtype(),
        "; it is a whole number, int64");
  const std::vector<double> initial = base_lr.to_vector<double>();
  check(initial.size() == rates_->groups.size(), "scheduler: load_state_dict: `base_lr` has ", initial.size(),
        " rates, the optimizer has ", rates_->groups.size(), " parameter groups");
  for (const double lr : initial)
    check(lr >= 0 && std::isfinite(lr), "scheduler: load_state_dict: `base_lr` is ", lr,
          "; it must be finite and not negative");
  std::vector<double> before;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    before.push_back(*numbers[i].second);
    *numbers[i].second = state[2 + i].second.item<double>();
  }
  try {
    set(epoch.item<std::int64_t>(), initial);
  } catch (...) {
    for (std::size_t i = 0; i < numbers.size(); ++i) *numbers[i].second = before[i];
    throw;
  }
}

}  // namespace xgrad::optim
