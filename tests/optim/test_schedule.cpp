// Schedules as functions of the step.
#include <xgrad/autograd/create.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/cyclic_lr.hpp>
#include <xgrad/optim/lambda_lr.hpp>
#include <xgrad/optim/multi_step_lr.hpp>
#include <xgrad/optim/one_cycle_lr.hpp>
#include <xgrad/optim/polynomial_lr.hpp>
#include <xgrad/optim/reduce_lr_on_plateau.hpp>
#include <xgrad/optim/schedule.hpp>
#include <xgrad/optim/sgd.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"

using namespace xgrad;
using namespace xgrad::optim;

namespace {

SGD one_sgd(double lr = 1) { return SGD({zeros({1}, {.requires_grad = true})}, {.lr = lr}); }

}  // namespace

TEST_CASE("schedule: pieces follow their formulas, and stay at their last value") {
  const auto follows = [](const ScheduleFunction& f, std::initializer_list<double> factors) {
    std::int64_t step = 0;
    for (const double factor : factors) CHECK(f(2, step++) == Approx(2 * factor).margin(1e-15));
  };
  follows(constant(3, 0.5), {0.5, 0.5, 0.5, 0.5, 0.5});
  follows(linear_warmup(4), {0, 0.25, 0.5, 0.75, 1, 1});
  follows(linear_warmup(2, {.start = 0.5}), {0.5, 0.75, 1, 1});
  follows(linear(2, {.start = 1, .end = 0.2}), {1, 0.6, 0.2, 0.2});
  follows(cosine(2, {.end = 0.1}), {1, 0.55, 0.1, 0.1});
  follows(polynomial(2, {.power = 2, .end = 0.2}), {1, 0.4, 0.2, 0.2});
  follows(exponential(0.5), {1, 0.5, 0.25, 0.125});
  follows(exponential(0.5, 2), {1, 0.5, 0.25, 0.25});
  follows(inverse_sqrt(4), {1, std::sqrt(0.8), std::sqrt(4.0 / 6)});
  follows(inverse_time(1), {1, 0.5, 1.0 / 3});
  follows(step_decay(2, 0.5), {1, 1, 0.5, 0.5, 0.25});
  follows(multi_step({3, 1, 3}, 0.5), {1, 0.5, 0.5, 0.125, 0.125});
  follows(lambda([](std::int64_t step) { return static_cast<double>(step); }), {0, 1, 2});
  follows(warmup_stable_decay({.warmup = 2, .stable = 2, .decay = 2, .end = 0.5}), {0, 0.5, 1, 1, 1, 0.75, 0.5, 0.5});
  CHECK(linear(0, {.end = 0.25})(1, 0) == 0.25);
  CHECK(exponential(2)(0, 5000) == 0);  // not 0 * infinity
}

TEST_CASE("schedule: pieces are chained") {
  const ScheduleFunction f = linear_warmup(2) >> constant(1) >> cosine(4, {.end = 0.1});
  CHECK(f.length() == 7);
  for (const auto& [step, factor] : std::vector<std::pair<int, double>>{
           {0, 0}, {1, 0.5}, {2, 1}, {3, 1}, {4, 0.1 + 0.9 * (1 + std::sqrt(0.5)) / 2}, {7, 0.1}, {100, 0.1}})
    CHECK(f(1, step) == Approx(factor));
  const ScheduleFunction grouped = linear_warmup(2) >> (constant(1) >> cosine(4, {.end = 0.1}));
  for (int step = 0; step < 10; ++step) CHECK(grouped(1, step) == f(1, step));
  CHECK((constant(2) >> exponential(0.5)).length() == ScheduleFunction::forever);
  const ScheduleFunction noam = linear_warmup(10) >> inverse_sqrt(10);
  CHECK(noam(1, 40) == Approx(0.5));

  SGD sgd = one_sgd(4);
  Schedule schedule(sgd, linear_warmup(2) >> cosine(2));
  for (const double lr : {0.0, 2.0, 4.0, 2.0, 0.0, 0.0}) {
    CHECK(sgd.lr() == Approx(lr).margin(1e-15));
    schedule.step();
  }
  CHECK(schedule.lr_at(1) == 2);
}

TEST_CASE("schedule: mistakes are errors") {
  CHECK_THROWS_WITH(constant() >> linear(2), Catch::Contains("before >> has no last step"));
  CHECK_THROWS_WITH(cosine(-1), Catch::Contains("the number of steps is -1"));
  CHECK_THROWS_WITH(linear(2, {.end = -1}), Catch::Contains("end is -1"));
  CHECK_THROWS_WITH(inverse_sqrt(0), Catch::Contains("timescale is 0"));
  CHECK_THROWS_WITH(step_decay(0, 1), Catch::Contains("step_size is 0"));
  SGD sgd = one_sgd();
  CHECK_THROWS_WITH(Schedule(sgd, lambda([](std::int64_t) { return -1.0; })),
                    Catch::Contains("learning rate of epoch 0"));
  CHECK_THROWS_WITH(OneCycleLR(sgd, {.max_lr = 1}), Catch::Contains("total_steps is 0"));
  CHECK_THROWS_WITH(OneCycleLR(sgd, {.max_lr = 1, .total_steps = 10}), Catch::Contains("no momentum to change"));
  CHECK_THROWS_WITH(CyclicLR(sgd, {.max_lr = 1}), Catch::Contains("no momentum to change"));
  CHECK_THROWS_WITH(CyclicLR(sgd, {.max_lr = std::nan("")}), Catch::Contains("max_lr is nan"));
  CHECK_THROWS_WITH(ReduceLROnPlateau(sgd, {.factor = 1}), Catch::Contains("factor is 1"));
  CHECK(sgd.lr() == 1);
  LambdaLR later(sgd, [](std::int64_t step) { return step < 3 ? 1.0 : std::numeric_limits<double>::infinity(); });
  CHECK_THROWS_WITH(later.set_epoch(3), Catch::Contains("learning rate of epoch 3 is inf"));
  CHECK(later.epoch() == 0);
  CHECK(sgd.lr() == 1);
}

TEST_CASE("schedule: momentum that a schedule changes is what the update uses") {
  const Tensor p = zeros({1}, {.dtype = float64, .requires_grad = true});
  SGD sgd({p}, {.lr = 1, .momentum = 0.9});
  Schedule schedule(sgd, constant(), [](std::int64_t step) { return step == 0 ? 0.0 : 0.25; });
  CHECK(sgd.options().momentum == 0);
  p.set_grad(ones_like(p));
  sgd.step();
  CHECK(p.item() == -1);
  schedule.step();
  sgd.step();
  CHECK(p.item() == -2.25);
}

TEST_CASE("schedule: a plateau among other schedules, and restored") {
  SGD sgd = one_sgd(), other = one_sgd(5);
  Schedule warmup(sgd, linear_warmup(4, {.start = 0.5}));
  ReduceLROnPlateau plateau(sgd, {.factor = 0.5, .patience = 1});
  for (const double loss : {3.0, 2.0, 2.0, 2.0}) {
    plateau.step(loss);
    warmup.step();
  }
  CHECK(sgd.lr() == 0.5);  // warm, and reduced once
  CHECK(plateau.best() == 2);
  ReduceLROnPlateau restored(other, {.factor = 0.5, .patience = 1});
  restored.load_state_dict(plateau.state_dict());
  CHECK(other.lr() == 0.5);
  CHECK(restored.epoch() == 4);
  restored.step(2);
  restored.step(std::nan(""));
  CHECK(other.lr() == 0.25);
  CHECK_THROWS_WITH(restored.load_state_dict(warmup.state_dict()), Catch::Contains("`num_bad_epochs`"));
}
