#pragma once
// The learning rate in steps at given epochs.

#include "schedule.hpp"

namespace xgrad::optim {

struct MultiStepLROptions {
  std::vector<std::int64_t> milestones = {};  // epochs; one that is named twice counts twice
  double gamma = 0.1;
};
/// gamma to the number of milestones that are reached.
class MultiStepLR : public Schedule {
 public:
  MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options)
      : Schedule(optimizer, multi_step(options.milestones, options.gamma)) {}
};

}  // namespace xgrad::optim
