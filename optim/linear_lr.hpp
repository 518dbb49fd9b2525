#pragma once
// Linear warm-up of the learning rate.

#include "scheduler.hpp"

namespace xgrad::optim {

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
