#pragma once
// Linear warm-up of the learning rate.

#include "schedule.hpp"

namespace xgrad::optim {

struct LinearLROptions {
  double start_factor = 1.0 / 3, end_factor = 1;
  std::int64_t total_iters = 5;
};
/// From start_factor, in (0, 1], at epoch 0 to end_factor, in [0, 1], at total_iters, and so on from there.
class LinearLR : public Schedule {
 public:
  LinearLR(Optimizer& optimizer, const LinearLROptions& options) : Schedule(optimizer, function(options)) {}

 private:
  static ScheduleFunction function(const LinearLROptions& options);
};

}  // namespace xgrad::optim
