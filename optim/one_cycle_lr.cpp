#include "one_cycle_lr.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace xgrad::optim {

namespace {

struct Phase {
  double end;  // the step
  double lr_from, lr_to, momentum_from, momentum_to;
};

std::vector<Phase> phases(const OneCycleLROptions& o) {
  const double first = o.max_lr / o.div_factor, last = first / o.final_div_factor;
  const auto steps = static_cast<double>(o.total_steps);
  const Phase up{o.pct_start * steps - 1, first, o.max_lr, o.max_momentum, o.base_momentum};
  if (!o.three_phase) return {up, {steps - 1, o.max_lr, last, o.base_momentum, o.max_momentum}};
  return {up,
          {2 * o.pct_start * steps - 2, o.max_lr, first, o.base_momentum, o.max_momentum},
          {steps - 1, first, last, o.max_momentum, o.max_momentum}};
}

OneCycleLROptions checked(const OneCycleLROptions& o) {
  const char* name = "OneCycleLR";
  detail::check_option(name, "max_lr", o.max_lr);
  check(o.total_steps > 0, name, ": total_steps is ", o.total_steps, "; it must be positive");
  check(o.pct_start >= 0 && o.pct_start <= 1, name, ": pct_start is ", o.pct_start, "; it must lie between 0 and 1");
  check(o.div_factor > 0 && o.final_div_factor > 0, name, ": div_factor and final_div_factor are ", o.div_factor,
        " and ", o.final_div_factor, "; they must be positive");
  detail::check_betas(name, o.base_momentum, o.max_momentum);
  return o;
}

/// The value at a step, of what a phase names by its pair of members.
double value_at(const std::vector<Phase>& phases, Anneal anneal, std::int64_t step, double Phase::*from,
                double Phase::*to) {
  double begin = 0;
  const auto at = static_cast<double>(step);
  auto phase = phases.begin();
  for (; at > phase->end && phase + 1 != phases.end(); ++phase) begin = phase->end;
  const double t = phase->end > begin ? std::min((at - begin) / (phase->end - begin), 1.0) : 1.0;
  const double a = (*phase).*from, b = (*phase).*to;
  if (anneal == Anneal::linear) return a + (b - a) * t;
  return b + (a - b) / 2 * (1 + std::cos(std::numbers::pi * t));
}

Schedule::Momentum momentum_of(const OneCycleLROptions& options) {
  if (!options.cycle_momentum) return {};
  return [anneal = options.anneal_strategy, all = phases(options)](std::int64_t step) {
    return value_at(all, anneal, step, &Phase::momentum_from, &Phase::momentum_to);
  };
}

}  // namespace

OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options)
    : Schedule(optimizer,
               {[anneal = options.anneal_strategy, all = phases(checked(options))](double, std::int64_t step) {
                 return value_at(all, anneal, step, &Phase::lr_from, &Phase::lr_to);
               }},
               momentum_of(options)) {}

}  // namespace xgrad::optim
