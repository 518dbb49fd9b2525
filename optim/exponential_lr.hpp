#pragma once
// The learning rate that falls by a factor each epoch.

#include <concepts>

#include "schedule.hpp"

namespace xgrad::optim {

struct ExponentialLROptions {
  double gamma = 0.95;
};
/// gamma^epoch.
class ExponentialLR : public Schedule {
 public:
  ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options)
      : Schedule(optimizer, exponential(options.gamma)) {}
  template <std::floating_point N>
  ExponentialLR(Optimizer& optimizer, N gamma) : ExponentialLR(optimizer, ExponentialLROptions{gamma}) {}
};

}  // namespace xgrad::optim
