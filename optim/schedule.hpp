#pragma once
// Schedules as functions of the step, which chain: linear_warmup(50) >> cosine(1000).

#include <concepts>
#include <functional>
#include <limits>

#include "scheduler.hpp"

namespace xgrad::optim {

/// A learning rate as a function of the step, over a number of steps, after which it stays what it is there. The
/// functions below make factors of a group's initial rate; `a >> b` is a, and after its last step b, which counts its
/// own steps from 0: warm-up and then a cosine is `linear_warmup(50) >> cosine(1000)`.
class ScheduleFunction {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();
  using Rate = std::function<double(double initial, std::int64_t step)>;

  /// The rate at a step, from the initial rate. Throws Error for a negative length.
  ScheduleFunction(Rate rate, std::int64_t length = forever);

  double operator()(double initial, std::int64_t step) const { return rate_(initial, step < length_ ? step : length_); }
  /// Number of steps.
  std::int64_t length() const { return length_; }

 private:
  Rate rate_;
  std::int64_t length_;
};

/// First one, then the other. Throws Error where the first never ends.
ScheduleFunction operator>>(const ScheduleFunction& first, const ScheduleFunction& then);

/// Any factor f(step).
ScheduleFunction lambda(std::function<double(std::int64_t step)> f, std::int64_t steps = ScheduleFunction::forever);

/// The same factor all the time.
ScheduleFunction constant(std::int64_t steps = ScheduleFunction::forever, double factor = 1);

struct WarmupOptions {
  double start = 0;
};
/// From `start` at step 0 to 1 at `steps`, along a line.
ScheduleFunction linear_warmup(std::int64_t steps, const WarmupOptions& options = {});

struct RampOptions {
  double start = 1, end = 0;
};
/// From `start` at step 0 to `end` at `steps`, along a line.
ScheduleFunction linear(std::int64_t steps, const RampOptions& options = {});
/// From `start` at step 0 to `end` at `steps`, along half a cosine: end + (start - end) (1 + cos(pi step / steps)) / 2.
ScheduleFunction cosine(std::int64_t steps, const RampOptions& options = {});

struct PolynomialOptions {
  double power = 1;
  double start = 1, end = 0;
};
/// end + (start - end) (1 - step / steps)^power.
ScheduleFunction polynomial(std::int64_t steps, const PolynomialOptions& options = {});

/// gamma^step.
ScheduleFunction exponential(double gamma, std::int64_t steps = ScheduleFunction::forever);
/// sqrt(timescale / (timescale + step)): after a warm-up of `timescale` steps, sqrt(timescale / steps of all).
ScheduleFunction inverse_sqrt(std::int64_t timescale, std::int64_t steps = ScheduleFunction::forever);
/// 1 / (1 + decay_rate step).
ScheduleFunction inverse_time(double decay_rate, std::int64_t steps = ScheduleFunction::forever);
/// gamma^floor(step / step_size).
ScheduleFunction step_decay(std::int64_t step_size, double gamma);
/// gamma to the number of milestones that are reached.
ScheduleFunction multi_step(std::vector<std::int64_t> milestones, double gamma);

struct WarmupStableDecayOptions {
  std::int64_t warmup = 0, stable = 0, decay = 0;  // steps
  double start = 0, end = 0;
};
/// linear_warmup(warmup, {.start = start}) >> constant(stable) >> linear(decay, {.end = end}).
ScheduleFunction warmup_stable_decay(const WarmupStableDecayOptions& options);

/// A schedule by a function, and, where it is given, of momentum (or beta1) as a function of the step:
///
///     optim::Schedule schedule(adam, optim::linear_warmup(50) >> optim::cosine(950, {.end = 0.1}));
class Schedule : public LRScheduler {
 public:
  using Momentum = std::function<double(std::int64_t step)>;

  Schedule(Optimizer& optimizer, ScheduleFunction function, Momentum momentum = {});

 private:
  double rate(double initial, std::int64_t step) const override { return function_(initial, step); }
  std::optional<double> momentum(std::int64_t step) const override;

  ScheduleFunction function_;
  Momentum momentum_;
};

}  // namespace xgrad::optim
