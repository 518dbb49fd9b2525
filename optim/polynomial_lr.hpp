#pragma once
// The learning rate along a polynomial down to zero.

#include "schedule.hpp"

namespace xgrad::optim {

struct PolynomialLROptions {
  std::int64_t total_iters = 5;
  double power = 1;
};
/// (1 - epoch / total_iters)^power, and 0 from total_iters on.
class PolynomialLR : public Schedule {
 public:
  PolynomialLR(Optimizer& optimizer, const PolynomialLROptions& options)
      : Schedule(optimizer, polynomial(options.total_iters, {.power = options.power})) {}
};

}  // namespace xgrad::optim
