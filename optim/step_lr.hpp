#pragma once
// The learning rate in steps.

#include "../core/count.hpp"
#include "schedule.hpp"

namespace xgrad::optim {

struct StepLROptions {
  std::int64_t step_size = 1;
  double gamma = 0.1;
};
/// gamma^floor(epoch / step_size).
class StepLR : public Schedule {
 public:
  StepLR(Optimizer& optimizer, const StepLROptions& options)
      : Schedule(optimizer, step_decay(options.step_size, options.gamma)) {}
  template <xgrad::detail::Count N>
  StepLR(Optimizer& optimizer, N step_size, double gamma = 0.1)
      : StepLR(optimizer, StepLROptions{xgrad::detail::count("StepLR: step_size", step_size), gamma}) {}
};

}  // namespace xgrad::optim
