#include "step_lr.hpp"

#include <cmath>

namespace xgrad::optim {

StepLR::StepLR(Optimizer& optimizer, const StepLROptions& options) : LRScheduler(optimizer), options_(options) {
  check(options.step_size > 0, "StepLR: step_size is ", options.step_size, "; it must be positive");
  detail::check_option("StepLR", "gamma", options.gamma);
}
double StepLR::factor(std::int64_t epoch) const {
  return std::pow(options_.gamma, static_cast<double>(epoch / options_.step_size));
}

}  // namespace xgrad::optim
