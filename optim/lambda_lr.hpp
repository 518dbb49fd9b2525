#pragma once
// The learning rate by any function.

#include "schedule.hpp"

namespace xgrad::optim {

/// f(epoch) is the factor of the initial rate: `optim::LambdaLR(sgd, [](std::int64_t epoch) { return 1.0 / (1 + epoch);
/// })`.
class LambdaLR : public Schedule {
 public:
  LambdaLR(Optimizer& optimizer, std::function<double(std::int64_t epoch)> f)
      : Schedule(optimizer, lambda(std::move(f))) {}
};

}  // namespace xgrad::optim
