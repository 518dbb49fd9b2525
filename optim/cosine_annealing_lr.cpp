#include "cosine_annealing_lr.hpp"

#include <cmath>
#include <numbers>

namespace xgrad::optim {

namespace {

double annealed(double initial, double eta_min, std::int64_t step, double steps) {
  const double t = static_cast<double>(step) / steps;
  return eta_min + (initial - eta_min) * (1 + std::cos(std::numbers::pi * t)) / 2;
}

}  // namespace

ScheduleFunction CosineAnnealingLR::function(const CosineAnnealingLROptions& options) {
  check(options.t_max > 0, "CosineAnnealingLR: t_max is ", options.t_max, "; it must be positive");
  detail::check_option("CosineAnnealingLR", "eta_min", options.eta_min);
  return {[=, steps = static_cast<double>(options.t_max)](double initial, std::int64_t step) {
    return annealed(initial, options.eta_min, step, steps);
  }};
}

ScheduleFunction CosineAnnealingWarmRestarts::function(const CosineAnnealingWarmRestartsOptions& options) {
  check(options.t_0 > 0, "CosineAnnealingWarmRestarts: t_0 is ", options.t_0, "; it must be positive");
  check(options.t_mult > 0, "CosineAnnealingWarmRestarts: t_mult is ", options.t_mult, "; it must be positive");
  detail::check_option("CosineAnnealingWarmRestarts", "eta_min", options.eta_min);
  return {[=](double initial, std::int64_t step) {
    const auto t_mult = static_cast<double>(options.t_mult);
    auto steps = static_cast<double>(options.t_0);
    if (options.t_mult == 1) step %= options.t_0;
    for (; static_cast<double>(step) >= steps; steps *= t_mult) step -= static_cast<std::int64_t>(steps);
    return annealed(initial, options.eta_min, step, steps);
  }};
}

}  // namespace xgrad::optim
