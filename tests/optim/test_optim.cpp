#include <xgrad/autograd/create.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/clip.hpp>
#include <xgrad/optim/rmsprop.hpp>
#include <xgrad/optim/scheduler.hpp>
#include <xgrad/optim/sgd.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"

using namespace xgrad;

namespace {

Tensor parameter(const Shape& shape, double value = 1) {
  return full(shape, value, {.dtype = float64, .requires_grad = true});
}

Tensor gradient(const Tensor& p, double value) { return full_like(p, value); }

}  // namespace

TEST_CASE("optim: a parameter without a gradient stays as it is") {
  Tensor a = parameter({3}), b = parameter({3});
  optim::Adam adam({a, b}, {.lr = 0.1});
  a.set_grad(gradient(a, 1));
  adam.step();
  CHECK(a.data<double>()[0] < 1);
  CHECK(b.data<double>()[0] == 1);
  CHECK(adam.state_dict().size() == 1 + 3);  // lr, and step and two moments of `a`
}

TEST_CASE("optim: zero_grad removes gradients") {
  Tensor a = parameter({3});
  optim::SGD sgd({a}, {.lr = 0.1});
  a.set_grad(gradient(a, 1));
  sgd.zero_grad();
  CHECK_FALSE(a.grad().defined());
}

TEST_CASE("optim: a step raises the version, so that a stale graph is noticed") {
  Tensor a = parameter({3});
  optim::SGD sgd({a}, {.lr = 0.1});
  a.set_grad(gradient(a, 1));
  const auto before = a.version();
  sgd.step();
  CHECK(a.version() == before + 1);
}

TEST_CASE("optim: moments of a gradient that stays zero end at zero, not in denormal numbers, which are slow") {
  const Tensor p = ones({100}, {.requires_grad = true});
  optim::Adam adam({p}, {.lr = 0.1});
  p.set_grad(full_like(p, 1));
  adam.step();
  p.set_grad(zeros_like(p));
  for (int step = 0; step < 1000; ++step) adam.step();  // 0.9^830 is the last normal one
  for (const auto& [name, tensor] : adam.state_dict())
    if (name == "exp_avg.0") {
      CHECK(tensor.data<float>()[0] == 0);
      CHECK(tensor.data<float>()[99] == 0);
    }
  volatile float small = std::numeric_limits<float>::min();
  CHECK(small / 2 > 0);  // elsewhere they are what they were
}

TEST_CASE("optim: mistakes are errors") {
  Tensor a = parameter({3});
  CHECK_THROWS_AS(optim::SGD({}, {}), Error);
  CHECK_THROWS_AS(optim::SGD({a, a}, {}), Error);
  CHECK_THROWS_AS(optim::SGD({ones({3})}, {}), Error);
  CHECK_THROWS_AS(optim::SGD({a}, {.lr = -1}), Error);
  CHECK_THROWS_AS(optim::SGD({a}, {.lr = std::numeric_limits<double>::quiet_NaN()}), Error);
  CHECK_THROWS_AS(optim::SGD({a}, {.nesterov = true}), Error);
  CHECK_THROWS_AS(optim::Adam({a}, {.beta1 = 1}), Error);
  CHECK_THROWS_AS(optim::RMSprop({a}, {.alpha = 2}), Error);
  CHECK_THROWS_AS(optim::Adagrad({a}, {.eps = -1}), Error);
}

TEST_CASE("optim: training goes on from a state_dict as if it had not stopped") {
  Tensor a = parameter({5}), b = parameter({5});
  optim::Adam first({a}, {.lr = 0.1}), second({b}, {.lr = 0.3});
  for (int i = 1; i <= 3; ++i) a.set_grad(gradient(a, i)), first.step();
  for (std::int64_t i = 0; i < 5; ++i) b.data<double>()[i] = a.data<double>()[i];
  second.load_state_dict(first.state_dict());
  CHECK(second.lr() == 0.1);
  for (int i = 1; i <= 3; ++i) {
    a.set_grad(gradient(a, -i)), first.step();
    b.set_grad(gradient(b, -i)), second.step();
    CHECK(a.data<double>()[2] == b.data<double>()[2]);
  }
  auto broken = first.state_dict();
  broken.back().second = ones({4}, {.dtype = float64});
  CHECK_THROWS_AS(second.load_state_dict(broken), Error);
  broken = first.state_dict();
  broken.emplace_back("surprise", ones({1}));
  CHECK_THROWS_AS(second.load_state_dict(broken), Error);
  broken = first.state_dict();
  broken.pop_back();
  CHECK_THROWS_AS(second.load_state_dict(broken), Error);
}

TEST_CASE("optim: schedules follow their formulas") {
  Tensor a = parameter({1});
  optim::SGD sgd({a}, {.lr = 0.8});
  {
    optim::StepLR schedule(sgd, {.step_size = 2, .gamma = 0.5});
    for (const double expected : {0.8, 0.8, 0.4, 0.4, 0.2}) {
      CHECK(sgd.lr() == Approx(expected));
      schedule.step();
    }
    schedule.set_epoch(0);
  }
  {
    optim::ExponentialLR schedule(sgd, {.gamma = 0.5});
    for (const double expected : {0.8, 0.4, 0.2}) {
      CHECK(sgd.lr() == Approx(expected));
      schedule.step();
    }
    schedule.set_epoch(0);
  }
  {
    optim::CosineAnnealingLR schedule(sgd, {.t_max = 4, .eta_min = 0.2});
    for (const double expected : {0.8, 0.5 + 0.3 * std::sqrt(0.5), 0.5, 0.5 - 0.3 * std::sqrt(0.5), 0.2}) {
      CHECK(sgd.lr() == Approx(expected));
      schedule.step();
    }
    schedule.set_epoch(0);
  }
  optim::LinearLR schedule(sgd, {.start_factor = 0.25, .total_iters = 3});
  for (const double expected : {0.2, 0.4, 0.6, 0.8, 0.8}) {
    CHECK(sgd.lr() == Approx(expected));
    schedule.step();
  }
}

TEST_CASE("optim: clip_grad_norm_ scales all gradients together") {
  Tensor a = parameter({2}), b = parameter({1});
  a.set_grad(tensor({3, 0}, {.dtype = float64}));
  b.set_grad(tensor({4}, {.dtype = float64}));
  CHECK(optim::clip_grad_norm_({a, b}, 10) == Approx(5));
  CHECK(a.grad().data<double>()[0] == 3);
  CHECK(optim::clip_grad_norm_({a, b}, 1) == Approx(5));
  CHECK(a.grad().data<double>()[0] == Approx(0.6));
  CHECK(b.grad().data<double>()[0] == Approx(0.8));
  CHECK(optim::clip_grad_norm_({a, b}, 10, std::numeric_limits<double>::infinity()) == Approx(0.8));
  b.set_grad(gradient(b, std::numeric_limits<double>::infinity()));
  CHECK_THROWS_AS(optim::clip_grad_norm_({a, b}, 1, 2, true), Error);
  CHECK(a.grad().data<double>()[0] == Approx(0.6));
  CHECK_THROWS_AS(optim::clip_grad_norm_({a}, -1), Error);
}

TEST_CASE("optim: clip_grad_value_ clamps each element") {
  Tensor a = parameter({3});
  a.set_grad(tensor({-3, 0.5, 2}, {.dtype = float64}));
  optim::clip_grad_value_({a}, 1);
  CHECK(a.grad().data<double>()[0] == -1);
  CHECK(a.grad().data<double>()[1] == 0.5);
  CHECK(a.grad().data<double>()[2] == 1);
}

TEST_CASE("optim: a schedule goes on from its state") {
  Tensor a = parameter({1});
  optim::SGD first({a}, {.lr = 0.8}), second({a}, {.lr = 0.1});
  optim::ExponentialLR saved(first, {.gamma = 0.5}), loaded(second, {.gamma = 0.5});
  saved.set_epoch(3);
  loaded.load_state_dict(saved.state_dict());
  CHECK(loaded.epoch() == 3);
  CHECK(second.lr() == first.lr());
  loaded.step();
  CHECK(second.lr() == Approx(0.05));
  CHECK_THROWS_AS(loaded.load_state_dict(second.state_dict()), Error);
  auto broken = saved.state_dict();
  broken[0].second = full({}, -1, {.dtype = int64});
  CHECK_THROWS_AS(loaded.load_state_dict(broken), Error);
  CHECK(loaded.epoch() == 4);
  CHECK(loaded.lr_at(0) == 0.8);
}
