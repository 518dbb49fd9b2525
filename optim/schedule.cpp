#include "schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace xgrad::optim {

namespace {

/// f(how far), from 0 at the first step to 1 at `steps`.
template <class F>
ScheduleFunction ramp(const char* function, std::int64_t steps, F f) {
  check(steps >= 0, function, ": the number of steps is ", steps, "; it must not be negative");
  return lambda(
      [=](std::int64_t step) { return f(steps == 0 ? 1 : static_cast<double>(step) / static_cast<double>(steps)); },
      steps);
}

}  // namespace

ScheduleFunction::ScheduleFunction(Rate rate, std::int64_t length) : rate_(std::move(rate)), length_(length) {
  check(length >= 0, "schedule: the number of steps is ", length, "; it must not be negative");
}

ScheduleFunction operator>>(const ScheduleFunction& first, const ScheduleFunction& then) {
  constexpr std::int64_t forever = ScheduleFunction::forever;
  const std::int64_t turn = first.length();
  check(turn < forever, "schedule: what stands before >> has no last step; give it a number of steps");
  return {[=](double initial, std::int64_t step) {
            return step < turn ? first(initial, step) : then(initial, step - turn);
          },
          then.length() < forever - turn ? turn + then.length() : forever};
}

ScheduleFunction lambda(std::function<double(std::int64_t step)> f, std::int64_t steps) {
  return {
      [f = std::move(f)](double initial, std::int64_t step) { return detail::unless_off(initial, initial * f(step)); },
      steps};
}

ScheduleFunction constant(std::int64_t steps, double factor) {
  detail::check_option("constant", "factor", factor);
  return lambda([=](std::int64_t) { return factor; }, steps);
}

ScheduleFunction linear_warmup(std::int64_t steps, const WarmupOptions& options) {
  return linear(steps, {.start = options.start, .end = 1});
}

ScheduleFunction linear(std::int64_t steps, const RampOptions& options) {
  detail::check_option("linear", "start", options.start);
  detail::check_option("linear", "end", options.end);
  return ramp("linear", steps, [=](double t) { return options.start + (options.end - options.start) * t; });
}

ScheduleFunction cosine(std::int64_t steps, const RampOptions& options) {
  detail::check_option("cosine", "start", options.start);
  detail::check_option("cosine", "end", options.end);
  return ramp("cosine", steps, [=](double t) {
    return options.end + (options.start - options.end) * (1 + std::cos(std::numbers::pi * t)) / 2;
  });
}

ScheduleFunction polynomial(std::int64_t steps, const PolynomialOptions& options) {
  detail::check_option("polynomial", "power", options.power);
  detail::check_option("polynomial", "start", options.start);
  detail::check_option("polynomial", "end", options.end);
  return ramp("polynomial", steps,
              [=](double t) { return options.end + (options.start - options.end) * std::pow(1 - t, options.power); });
}

ScheduleFunction exponential(double gamma, std::int64_t steps) {
  detail::check_option("exponential", "gamma", gamma);
  return lambda([=](std::int64_t step) { return std::pow(gamma, static_cast<double>(step)); }, steps);
}

ScheduleFunction inverse_sqrt(std::int64_t timescale, std::int64_t steps) {
  check(timescale > 0, "inverse_sqrt: timescale is ", timescale, "; it must be positive");
  const auto scale = static_cast<double>(timescale);
  return lambda([=](std::int64_t step) { return std::sqrt(scale / (scale + static_cast<double>(step))); }, steps);
}

ScheduleFunction inverse_time(double decay_rate, std::int64_t steps) {
  detail::check_option("inverse_time", "decay_rate", decay_rate);
  return lambda([=](std::int64_t step) { return 1 / (1 + decay_rate * static_cast<double>(step)); }, steps);
}

ScheduleFunction step_decay(std::int64_t step_size, double gamma) {
  check(step_size > 0, "step_decay: step_size is ", step_size, "; it must be positive");
  detail::check_option("step_decay", "gamma", gamma);
  return lambda([=](std::int64_t step) { return std::pow(gamma, static_cast<double>(step / step_size)); });
}

ScheduleFunction multi_step(std::vector<std::int64_t> milestones, double gamma) {
  detail::check_option("multi_step", "gamma", gamma);
  std::sort(milestones.begin(), milestones.end());
  return lambda([=](std::int64_t step) {
    const auto reached = std::upper_bound(milestones.begin(), milestones.end(), step) - milestones.begin();
    return std::pow(gamma, static_cast<double>(reached));
  });
}

ScheduleFunction warmup_stable_decay(const WarmupStableDecayOptions& options) {
  return linear_warmup(options.warmup, {.start = options.start}) >> constant(options.stable) >>
         linear(options.decay, {.end = options.end});
}

Schedule::Schedule(Optimizer& optimizer, ScheduleFunction function, Momentum momentum)
    : LRScheduler(optimizer), function_(std::move(function)), momentum_(std::move(momentum)) {
  if (momentum_) expect_momentum("schedule");
  begin();
}

std::optional<double> Schedule::momentum(std::int64_t step) const {
  if (!momentum_) return {};
  return momentum_(step);
}

}  // namespace xgrad::optim
