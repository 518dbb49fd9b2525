#pragma once
// The learning rate that falls as 1 / t.

#include <concepts>

#include "scheduler.hpp"

namespace xgrad::optim {

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

}  // namespace xgrad::optim
