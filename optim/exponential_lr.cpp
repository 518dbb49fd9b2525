#include "exponential_lr.hpp"

#include <cmath>

namespace xgrad::optim {

ExponentialLR::ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  detail::check_option("ExponentialLR", "gamma", options.gamma);
}
double ExponentialLR::factor(std::int64_t epoch) const { return std::pow(options_.gamma, static_cast<double>(epoch)); }

}  // namespace xgrad::optim
