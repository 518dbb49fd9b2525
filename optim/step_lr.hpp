#pragma once
// The learning rate in steps.

#include "../core/count.hpp"
#include "scheduler.hpp"

namespace xgrad::optim {

struct StepLROptions {
  std::int64_t step_size = 1;
  double gamma = 0.1;
};
/// gamma^floor(epoch / step_size).
class StepLR : public LRScheduler {
 public:
  StepLR(Optimizer& optimizer, const StepLROptions& options);
  template <xgrad::detail::Count N>
  StepLR(Optimizer& optimizer, N step_size, double gamma = 0.1)
      : StepLR(optimizer, StepLROptions{xgrad::detail::count("StepLR: step_size", step_size), gamma}) {}

 private:
  double factor(std::int64_t epoch) const override;
  StepLROptions options_;
};

}  // namespace xgrad::optim
