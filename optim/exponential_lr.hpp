#pragma once
// The learning rate that falls by a factor each epoch.

#include <concepts>

#include "scheduler.hpp"

namespace xgrad::optim {

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

}  // namespace xgrad::optim
