#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/optim/adagrad.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/clip.hpp>
#include <xgrad/optim/cosine_annealing_lr.hpp>
#include <xgrad/optim/exponential_lr.hpp>
#include <xgrad/optim/inverse_time_lr.hpp>
#include <xgrad/optim/linear_lr.hpp>
#include <xgrad/optim/rmsprop.hpp>
#include <xgrad/optim/sgd.hpp>
#include <xgrad/optim/step_lr.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>

#include "../catch.hpp"

using namespace xgrad;

namespace {

Tensor parameter(const Shape& shape, double value = 1) {
  return full(shape, value, {.dtype = float64, .requires_grad = true});
}

Tensor gradient(const Tensor& p, double value) { return full_like(p, value); }

double first_of(const Tensor& t) { return t.to(float64).contiguous().data<double>()[0]; }

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

TEST_CASE("optim: an option that is not a finite number in its range is an error") {
  Tensor a = parameter({3});
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {-1.0, nan, infinity, -infinity}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(optim::SGD({a}, {.lr = bad}), Error);
    CHECK_THROWS_WITH(optim::SGD({a}, {.momentum = bad}), Catch::Contains("SGD: momentum is "));
    CHECK_THROWS_WITH(optim::SGD({a}, {.weight_decay = bad}), Catch::Contains("SGD: weight_decay is "));
    CHECK_THROWS_AS(optim::Adam({a}, {.beta1 = bad}), Error);
    CHECK_THROWS_AS(optim::Adam({a}, {.beta2 = bad}), Error);
    CHECK_THROWS_WITH(optim::Adam({a}, {.eps = bad}), Catch::Contains("Adam: eps is "));
    CHECK_THROWS_AS(optim::AdamW({a}, {.weight_decay = bad}), Error);
    CHECK_THROWS_AS(optim::RMSprop({a}, {.alpha = bad}), Error);
    CHECK_THROWS_WITH(optim::RMSprop({a}, {.eps = bad}), Catch::Contains("RMSprop: eps is "));
    CHECK_THROWS_WITH(optim::RMSprop({a}, {.momentum = bad}), Catch::Contains("RMSprop: momentum is "));
    CHECK_THROWS_WITH(optim::Adagrad({a}, {.lr_decay = bad}), Catch::Contains("Adagrad: lr_decay is "));
    CHECK_THROWS_WITH(optim::Adagrad({a}, {.initial_accumulator_value = bad}), Catch::Contains("initial_accumulator"));
    optim::SGD sgd({a}, {.lr = 0.5});
    CHECK_THROWS_AS(sgd.set_lr(bad), Error);
    CHECK_THROWS_AS(optim::StepLR(sgd, {.gamma = bad}), Error);
    CHECK_THROWS_AS(optim::ExponentialLR(sgd, {.gamma = bad}), Error);
    CHECK_THROWS_AS(optim::InverseTimeLR(sgd, {.decay_rate = bad}), Error);
    CHECK_THROWS_AS(optim::CosineAnnealingLR(sgd, {.eta_min = bad}), Error);
    CHECK_THROWS_AS(optim::LinearLR(sgd, {.start_factor = bad}), Error);
    CHECK_THROWS_AS(optim::LinearLR(sgd, {.end_factor = bad}), Error);
    CHECK_THROWS_AS(optim::clip_grad_norm_({a}, bad == infinity ? nan : bad), Error);
    CHECK(sgd.lr() == 0.5);
  }
  CHECK_THROWS_AS(optim::SGD({a}, {.dampening = nan}), Error);
}

namespace {

// Two steps of each optimizer on one parameter; the options switch off what they can.
template <class T, class Check>
void two_steps(double start, double first, double second, double lr, const Check& check) {
  const TensorOptions options{.dtype = std::is_same_v<T, double> ? float64 : float32, .requires_grad = true};
  const auto run = [&]<class O, class Options>(const char* name, std::type_identity<O>, const Options& chosen) {
    const Tensor p = full({37}, start, options);
    O optimizer({p}, chosen);
    p.set_grad(full_like(p, first));
    optimizer.step();
    p.set_grad(full_like(p, second));
    optimizer.step();
    INFO(name << ", parameter " << start << ", gradients " << first << " and " << second << ", rate " << lr);
    for (std::int64_t i = 0; i < p.numel(); ++i) check(static_cast<double>(p.data<T>()[i]));
  };
  run("SGD", std::type_identity<optim::SGD>(), optim::SGDOptions{.lr = lr});
  run("SGD, momentum", std::type_identity<optim::SGD>(), optim::SGDOptions{.lr = lr, .momentum = 0.9});
  run("SGD, dampening 1", std::type_identity<optim::SGD>(),
      optim::SGDOptions{.lr = lr, .momentum = 0.9, .dampening = 1});
  run("SGD, nesterov", std::type_identity<optim::SGD>(),
      optim::SGDOptions{.lr = lr, .momentum = 0.9, .nesterov = true});
  if (std::isfinite(first) || lr == 0) {  // else infinity / infinity
    run("Adam", std::type_identity<optim::Adam>(), optim::AdamOptions{.lr = lr});
    run("Adam, betas 0", std::type_identity<optim::Adam>(), optim::AdamOptions{.lr = lr, .beta1 = 0, .beta2 = 0});
    run("AdamW", std::type_identity<optim::AdamW>(), optim::AdamWOptions{.lr = lr, .weight_decay = 0});
    run("RMSprop", std::type_identity<optim::RMSprop>(), optim::RMSpropOptions{.lr = lr});
    run("RMSprop, alpha 1", std::type_identity<optim::RMSprop>(), optim::RMSpropOptions{.lr = lr, .alpha = 1});
    run("RMSprop, momentum", std::type_identity<optim::RMSprop>(), optim::RMSpropOptions{.lr = lr, .momentum = 0.9});
    run("Adagrad", std::type_identity<optim::Adagrad>(), optim::AdagradOptions{.lr = lr});
  }
}

}  // namespace

TEST_CASE("optim: what is switched off is not computed, so that 0 * infinity does not arise") {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto each = [&](double start, double first, double second, double lr, const auto& check) {
    two_steps<float>(start, first, second, lr, check);
    two_steps<double>(start, first, second, lr, check);
  };
  for (const double x : {infinity, -infinity}) {
    each(x, 0, 0, 0.1, [&](double p) { CHECK(p == x); });   // no weight decay
    each(1, x, 1, 0.1, [&](double p) { CHECK(p == -x); });  // no nesterov, no dampening in the first step
    each(1, x, x, 0, [&](double p) { CHECK(p == 1); });     // a rate of 0
  }
  each(1, std::nan(""), 1, 0, [&](double p) { CHECK(p == 1); });

  // A beta of 0 forgets an infinite gradient.
  for (const DType dtype : {float32, float64}) {
    const Tensor p = full({37}, 1, {.dtype = dtype, .requires_grad = true});
    optim::Adam adam({p}, {.lr = 0.1, .beta1 = 0, .beta2 = 0});
    optim::RMSprop rmsprop({p}, {.lr = 0.1, .alpha = 0});
    for (optim::Optimizer* optimizer :
         {static_cast<optim::Optimizer*>(&adam), static_cast<optim::Optimizer*>(&rmsprop)}) {
      const double lr = optimizer->lr();
      optimizer->set_lr(0);
      p.set_grad(full_like(p, infinity));
      optimizer->step();
      optimizer->set_lr(lr);
      p.set_grad(full_like(p, 2));
      const double before = p.to(float64).data<double>()[0];
      optimizer->step();
      CHECK(p.to(float64).data<double>()[36] == Approx(before - 0.1));
    }
  }
}

TEST_CASE("optim: a parameter group of a module, and an optimizer that moves") {
  nn::Linear layer(3, 2);
  optim::Adam adam(layer, {.lr = 1e-3});
  REQUIRE(adam.parameters().size() == 2);
  CHECK(&adam.parameters()[1].impl() == &layer.bias.impl());
  CHECK(optim::SGD(nn::named_parameters(layer)).parameters().size() == 2);
  CHECK(optim::SGD(std::vector<nn::Linear>{layer, nn::Linear(1, 1)}).parameters().size() == 4);

  std::vector<optim::Adam> several;
  several.push_back(std::move(adam));
  optim::ExponentialLR schedule(several[0], {.gamma = 0.5});
  for (int i = 0; i < 4; ++i) several.emplace_back(layer, optim::AdamOptions{.lr = 1e-3});  // moves them
  schedule.step();
  CHECK(several[0].lr() == 5e-4);
  layer.weight.set_grad(ones_like(layer.weight));
  const float before = layer.weight.data<float>()[0];
  several[0].step();
  CHECK(layer.weight.data<float>()[0] == Approx(before - 5e-4f));
  CHECK_THROWS_WITH(adam.step(), Catch::Contains("moved from"));
  CHECK_THROWS_WITH(adam.lr(), Catch::Contains("moved from"));
  CHECK_THROWS_WITH(optim::StepLR(adam, 2), Catch::Contains("moved from"));
  adam = optim::Adam(layer, {.lr = 0.25});
  CHECK(adam.lr() == 0.25);
}

TEST_CASE("optim: a schedule may outlive its optimizer") {
  Tensor a = parameter({1});
  auto sgd = std::make_unique<optim::SGD>(std::vector{a}, optim::SGDOptions{.lr = 1});
  optim::StepLR schedule(*sgd, 1);
  sgd.reset();
  CHECK_NOTHROW(schedule.step());
  CHECK(schedule.lr_at(1) == Approx(0.1));
}

TEST_CASE("optim: a state with moments before the first step keeps them, as PyTorch's Adagrad saves them") {
  const TensorOptions doubles{.dtype = float64};
  for (const std::int64_t step : {0, 1}) {
    Tensor a = parameter({1});
    a.set_grad(gradient(a, 1));
    const NamedTensors state{
        {"lr", tensor(0.1, doubles)}, {"step.0", tensor(step, {.dtype = int64})}, {"sum.0", full({1}, 99, doubles)}};
    optim::Adagrad adagrad({a}, {.lr = 0.1});
    adagrad.load_state_dict(state);
    CHECK(adagrad.state_dict().size() == 3);
    adagrad.step();
    CHECK(a.item() == Approx(0.99));

    optim::SGD sgd({a}, {.lr = 1, .momentum = 0.5, .dampening = 0.75});
    sgd.load_state_dict({{"lr", tensor(1, doubles)},
                         {"step.0", tensor(step, {.dtype = int64})},
                         {"momentum_buffer.0", full({1}, 4, doubles)}});
    const double before = a.item();
    sgd.step();
    CHECK(a.item() == Approx(before - (0.5 * 4 + 0.25 * 1)));  // dampened: not the first one
  }
}

TEST_CASE("optim: a state that does not fit says all that is wrong with it, and changes nothing") {
  Tensor a = parameter({2}), b = parameter({3});
  const auto stepped = [&]<class O>(O optimizer) {
    a.set_grad(gradient(a, 1)), b.set_grad(gradient(b, 1));
    optimizer.step();
    return optimizer;
  };
  optim::Adam adam = stepped(optim::Adam({a, b}));
  optim::SGD sgd = stepped(optim::SGD({a, b}));
  optim::SGD momentum = stepped(optim::SGD({a, b}, {.momentum = 0.9}));
  optim::RMSprop rmsprop = stepped(optim::RMSprop({a, b}));
  optim::Adagrad adagrad = stepped(optim::Adagrad({a, b}));
  CHECK_THROWS_WITH(sgd.load_state_dict(adam.state_dict()),
                    Catch::Contains("this is the state of an optimizer that keeps exp_avg, exp_avg_sq for each "
                                    "parameter, this one keeps nothing; nothing was changed"));
  CHECK_THROWS_WITH(momentum.load_state_dict(rmsprop.state_dict()),
                    Catch::Contains("keeps square_avg for each parameter, this one keeps momentum_buffer"));
  CHECK_THROWS_WITH(adam.load_state_dict(adagrad.state_dict()),
                    Catch::Contains("keeps sum for each parameter, this one keeps exp_avg, exp_avg_sq"));
  CHECK_THROWS_WITH(adagrad.load_state_dict(sgd.state_dict()),
                    Catch::Contains("keeps nothing for each parameter, this one keeps sum"));

  NamedTensors broken;
  for (const auto& [name, value] : adam.state_dict())
    if (name == "exp_avg.0")
      broken.emplace_back(name, ones({7}));
    else if (name == "lr")
      broken.emplace_back(name, tensor(-1.0));
    else if (name != "exp_avg_sq.1" && name != "step.0")
      broken.emplace_back(name, value);
  broken.emplace_back("step.2", tensor(1, {.dtype = int64}));
  broken.emplace_back("exp_avg.1", ones({3}));
  const auto before = adam.state_dict();
  CHECK_THROWS_WITH(adam.load_state_dict(broken),
                    R"(load_state_dict: the state does not fit the optimizer; nothing was changed
  exp_avg.1 is given twice
  lr is -1; it must be finite and not negative
  step.0 is missing
  exp_avg.0 has shape (7,), parameter 0 has (2,)
  exp_avg_sq.1 is missing
  step.2 is unexpected)");
  for (const double step : {-5.0, 0.5, 1e30, std::nan(""), static_cast<double>(INFINITY)}) {
    broken = before;
    broken[1].second = tensor(step, {.dtype = float64});
    CHECK_THROWS_WITH(adam.load_state_dict(broken), Catch::Contains("step.0 is "));
  }
  broken[1].second = tensor(-5, {.dtype = int64});
  CHECK_THROWS_WITH(adam.load_state_dict(broken), Catch::Contains("step.0 is -5; "));
  broken[1].second = Tensor();
  CHECK_THROWS_WITH(adam.load_state_dict(broken), Catch::Contains("step.0 is undefined"));
  broken[1].second = zeros({2}, {.dtype = int64});
  CHECK_THROWS_WITH(adam.load_state_dict(broken), Catch::Contains("step.0 has shape (2,)"));
  CHECK_THROWS_WITH(adam.load_state_dict({}), Catch::Contains("lr is missing"));
  const auto after = adam.state_dict();
  REQUIRE(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(first_of(before[i].second) == first_of(after[i].second));
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

TEST_CASE("optim: schedules of one optimizer multiply, and go on from any point, as PyTorch's do") {
  using namespace optim;
  const std::vector<int> epochs{0, 1, 2, 4, 5, 6, 99, 100, 101, 500, 999, 1000};
  Tensor a = parameter({1});
  // make(optimizer) gives the schedules, turn(epoch) which of them steps, or -1 for all; the values are torch 2.13's.
  const auto follow = [&](const auto& make, const auto& turn, const std::vector<double>& expected) {
    for (const int stop : {-1, 0, 3, 5, 250}) {  // goes on with new objects from there
      auto sgd = std::make_unique<SGD>(std::vector{a}, SGDOptions{.lr = 0.8});
      auto schedules = make(*sgd);
      std::size_t at = 0;
      for (int epoch = 0; epoch <= 1000; ++epoch) {
        if (epoch == stop) {
          auto resumed = std::make_unique<SGD>(std::vector{a}, SGDOptions{.lr = 0.3});
          resumed->load_state_dict(sgd->state_dict());
          auto made = make(*resumed);
          for (std::size_t i = 0; i < made.size(); ++i) made[i]->load_state_dict(schedules[i]->state_dict());
          schedules = std::move(made);
          sgd = std::move(resumed);
        }
        if (epoch == epochs[at]) {
          CAPTURE(stop, epoch);
          CHECK(sgd->lr() == Approx(expected[at++]).epsilon(1e-12));
        }
        for (std::size_t i = 0; i < schedules.size(); ++i)
          if (turn(epoch) < 0 || turn(epoch) == static_cast<int>(i)) schedules[i]->step();
      }
    }
  };
  using Schedules = std::vector<std::unique_ptr<LRScheduler>>;
  const auto made = [](auto... schedule) {
    Schedules all;
    (all.push_back(std::move(schedule)), ...);
    return all;
  };
  const auto warm_up = [](SGD& sgd) {
    return std::make_unique<LinearLR>(sgd, LinearLROptions{.start_factor = 0.1, .total_iters = 5});
  };
  const auto all = [](int) { return -1; };
  follow(
      [&](SGD& o) {
        auto w = warm_up(o);
        return made(std::move(w), std::make_unique<CosineAnnealingLR>(o, 1200));
      },
      all,
      {0.08, 0.22399961618227032, 0.36799747777352654, 0.6559820155518881, 0.7999657310296029, 0.7999506529926643,
       0.7866400408067631, 0.7863703305156274, 0.7860979720855082, 0.5035276180410084, 0.05411462379193816,
       0.053589838486224756});
  follow(
      [&](SGD& o) {
        auto w = warm_up(o);
        return made(std::move(w), std::make_unique<CosineAnnealingLR>(o, 1200, 0.01));
      },
      [](int epoch) { return epoch < 5 ? 0 : 1; },
      {0.08, 0.224, 0.368, 0.656, 0.8, 0.799998646357114, 0.7880994460374753, 0.7878462093341683, 0.7875903486458096,
       0.5122189776967047, 0.06606436223916043, 0.06553446745692622});
  follow(
      [&](SGD& o) {
        auto w = warm_up(o);
        return made(std::move(w), std::make_unique<StepLR>(o, 100, 0.5));
      },
      all, {0.08, 0.224, 0.368, 0.656, 0.8, 0.8, 0.8, 0.4, 0.4, 0.025, 0.0015625, 0.00078125});
  follow(
      [&](SGD& o) {
        auto s = std::make_unique<StepLR>(o, 100, 0.5);
        return made(std::move(s), std::make_unique<ExponentialLR>(o, 0.999));
      },
      all,
      {0.8, 0.7992, 0.7984008, 0.7968047968008, 0.7960079920039992, 0.7952119840119952, 0.7245582759669342,
       0.36191685884548364, 0.3615549419866382, 0.015159473621529643, 0.0005750992004050366, 0.0002872620506023158});
  follow(
      [&](SGD& o) {
        auto w = warm_up(o);
        return made(std::move(w), std::make_unique<ExponentialLR>(o, 0.999));
      },
      [](int epoch) { return epoch < 3 ? 0 : 1; },
      {0.08, 0.224, 0.368, 0.511488, 0.510976512, 0.510465535488, 0.4651112354566125, 0.46464612422115587,
       0.4641814780969347, 0.31139928373367565, 0.18901498408503975, 0.1888259691009547});
}

TEST_CASE("optim: the initial rate belongs to the optimizer, not to what is there when a schedule is made") {
  using namespace optim;
  Tensor a = parameter({1});
  SGD sgd({a}, {.lr = 1});
  CHECK(sgd.state_dict().size() == 1);
  {
    StepLR first(sgd, 2);
    first.set_epoch(5);
    CHECK(sgd.lr() == Approx(0.01));
  }
  ExponentialLR second(sgd, 0.5);
  CHECK(sgd.lr() == Approx(0.01));  // until the next step
  second.step();
  CHECK(sgd.lr() == 0.5);
  CHECK(second.lr_at(2) == 0.25);

  SGD resumed({a}, {.lr = 7});
  resumed.load_state_dict(sgd.state_dict());
  CHECK(resumed.lr() == 0.5);
  ExponentialLR third(resumed, 0.5);
  third.set_epoch(3);
  CHECK(resumed.lr() == 0.125);
  resumed.load_state_dict({{"lr", tensor(0.75)}});  // of an optimizer that had no schedule
  third.step();
  CHECK(resumed.lr() == 0.0625);
}

TEST_CASE("optim: a rate of 0, and rates and epochs beyond all bounds") {
  using namespace optim;
  Tensor a = parameter({1});
  SGD none({a}, {.lr = 0}), one({a}, {.lr = 1});
  CosineAnnealingLR up(none, 10, 0.1);
  up.set_epoch(10);
  CHECK(none.lr() == 0.1);
  up.set_epoch(5);
  CHECK(none.lr() == Approx(0.05));
  SGD zero({a}, {.lr = 0});
  ExponentialLR growing(zero, 2.0), overflowing(one, 2.0);
  growing.set_epoch(5000);
  CHECK(zero.lr() == 0);
  CHECK_THROWS_WITH(overflowing.set_epoch(5000), Catch::Contains("the learning rate of epoch 5000 is inf"));
  CHECK(overflowing.epoch() == 0);
  CHECK(one.lr() == 1);

  constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
  growing.set_epoch(last);
  CHECK_THROWS_WITH(growing.step(), Catch::Contains("has no next one"));
  CHECK(growing.epoch() == last);
  CHECK_THROWS_AS(growing.lr_at(-1), Error);
  CHECK_THROWS_WITH(CosineAnnealingLR(one, 0), Catch::Contains("t_max is 0"));
  CHECK_THROWS_WITH(CosineAnnealingLR(one, -3), Catch::Contains("t_max is -3"));
  CHECK_THROWS_WITH(StepLR(one, std::numeric_limits<std::uint64_t>::max()),
                    Catch::Contains("StepLR: step_size is 18446744073709551615, which is too large"));
  CosineAnnealingLR slow(one, last);
  slow.set_epoch(last);
  CHECK(one.lr() == Approx(0).margin(1e-15));
  CHECK(CosineAnnealingLR(one, {}).lr_at(1) == 0);  // {} are the defaults
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
  CHECK(std::isinf(optim::clip_grad_norm_({a, b}, std::numeric_limits<double>::infinity())));  // no clipping
  CHECK(a.grad().data<double>()[0] == Approx(0.6));
  CHECK(std::isinf(optim::clip_grad_norm_({a, b}, 1)));  // as PyTorch: scaled by 0
  CHECK(a.grad().data<double>()[0] == 0);
  CHECK(std::isnan(b.grad().data<double>()[0]));
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
