#include "cosine_annealing_lr.hpp"

#include <cmath>
#include <numbers>

namespace xgrad::optim {

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  check(options.t_max > 0, "CosineAnnealingLR: t_max is ", options.t_max, "; it must be positive");
  detail::check_option("CosineAnnealingLR", "eta_min", options.eta_min);
}
double CosineAnnealingLR::factor(std::int64_t epoch) const {
  return (1 + std::cos(std::numbers::pi * static_cast<double>(epoch) / static_cast<double>(options_.t_max))) / 2;
}
double CosineAnnealingLR::rate(double initial, std::int64_t epoch) const {
  return options_.eta_min + (initial - options_.eta_min) * factor(epoch);
}

}  // namespace xgrad::optim
