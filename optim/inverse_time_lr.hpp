#pragma once
// The learning rate that falls as 1 / t.

#include <concepts>

#include "schedule.hpp"

namespace xgrad::optim {

struct InverseTimeLROptions {
  double decay_rate = 1;
};
/// 1 / (1 + decay_rate * epoch).
class InverseTimeLR : public Schedule {
 public:
  InverseTimeLR(Optimizer& optimizer, const InverseTimeLROptions& options)
      : Schedule(optimizer, inverse_time(options.decay_rate)) {}
  template <std::floating_point N>
  InverseTimeLR(Optimizer& optimizer, N decay_rate) : InverseTimeLR(optimizer, InverseTimeLROptions{decay_rate}) {}
};

}  // namespace xgrad::optim
