#include "cyclic_lr.hpp"

#include <cmath>

namespace xgrad::optim {

namespace {

CyclicLROptions checked(const CyclicLROptions& o) {
  const char* name = "CyclicLR";
  detail::check_option(name, "base_lr", o.base_lr);
  detail::check_option(name, "max_lr", o.max_lr);
  detail::check_option(name, "gamma", o.gamma);
  check(o.step_size_up > 0 && o.step_size_down >= 0, name, ": step_size_up and step_size_down are ", o.step_size_up,
        " and ", o.step_size_down, "; they must be positive, or step_size_down 0, as many as up");
  detail::check_betas(name, o.base_momentum, o.max_momentum);
  return o;
}

/// How high the step is, from 0 at the bottom to 1 at the top.
double height(const CyclicLROptions& o, std::int64_t step) {
  const auto up = static_cast<double>(o.step_size_up);
  const double down = o.step_size_down == 0 ? up : static_cast<double>(o.step_size_down);
  const double cycles = static_cast<double>(step) / (up + down), cycle = std::floor(cycles), x = cycles - cycle;
  const double top = up / (up + down);
  const double scale = x <= top ? x / top : (x - 1) / (top - 1);
  if (o.mode == CyclicMode::triangular2) return scale * std::pow(0.5, cycle);
  if (o.mode == CyclicMode::exp_range) return scale * std::pow(o.gamma, static_cast<double>(step));
  return scale;
}

}  // namespace

CyclicLR::CyclicLR(Optimizer& optimizer, const CyclicLROptions& options)
    : Schedule(
          optimizer, {[o = checked(options)](double, std::int64_t step) {
            return o.base_lr + (o.max_lr - o.base_lr) * height(o, step);
          }},
          options.cycle_momentum
              ? [o = options](
                    std::int64_t step) { return o.max_momentum - (o.max_momentum - o.base_momentum) * height(o, step); }
              : Momentum()) {}

}  // namespace xgrad::optim
