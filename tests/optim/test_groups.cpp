// Parameter groups: options and rates of their own.
#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/batch_norm.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/muon.hpp>
#include <xgrad/optim/schedule.hpp>
#include <xgrad/optim/sgd.hpp>

#include "../catch.hpp"

using namespace xgrad;

namespace {

struct Net {
  nn::Linear fc{3, 2};
  nn::BatchNorm1d bn{2};
  Tensor operator()(const Tensor& x) const { return bn(fc(x)); }
};

Tensor parameter(double value) { return full({2}, value, {.dtype = float64, .requires_grad = true}); }

}  // namespace

TEST_CASE("optim: groups by predicate on names and tensors, with what they do not set from the optimizer's options") {
  Net net;
  optim::AdamW adam({{nn::parameters(net, nn::decayed), {.weight_decay = 0.1}},
                     {nn::parameters(net, nn::not_decayed), {.lr = 0.5, .weight_decay = 0.0}}},
                    {.lr = 1e-3, .beta2 = 0.95});
  CHECK(adam.num_groups() == 2);
  CHECK(adam.parameters().size() == 4);
  CHECK(&adam.parameters()[0].impl() == &net.fc.weight.impl());
  CHECK(adam.options(0).weight_decay == 0.1);
  CHECK(adam.options(1).weight_decay == 0);
  CHECK(adam.options(0).lr == 1e-3);
  CHECK(adam.options(1).lr == 0.5);
  CHECK(adam.options(1).beta2 == 0.95);
  CHECK(adam.options(1).beta1 == 0.9);

  const auto norms = [](std::string_view name, const Tensor&) { return name.starts_with("bn."); };
  CHECK(nn::parameters(net, norms).size() == 2);
  CHECK(nn::named_parameters(net, norms)[0].first == "bn.weight");
  optim::SGD sgd({{nn::named_parameters(net, norms), {}}, {net.fc, {.lr = 2}}}, {.lr = 1});
  CHECK(sgd.lr(0) == 1);
  CHECK(sgd.lr(1) == 2);
}

TEST_CASE("optim: each group is updated by its own options, and one that is added by its") {
  const Tensor a = parameter(1), b = parameter(1), c = parameter(1);
  optim::SGD sgd({{{a}, {.weight_decay = 0.5}}, {{b}, {.lr = 0.2, .maximize = true}}}, {.lr = 0.1});
  sgd.add_param_group({{c}, {.lr = 1, .momentum = 0.5}});
  const auto step = [&] {
    for (const Tensor& p : sgd.parameters()) p.set_grad(full_like(p, 1));
    sgd.step();
  };
  step();
  CHECK(a.at({0}) == Approx(1 - 0.1 * 1.5));
  CHECK(b.at({1}) == Approx(1.2));
  CHECK(c.at({0}) == Approx(0));
  sgd.set_lr(0, 1);
  step();
  CHECK(b.at({0}) == Approx(1.2));
  CHECK(c.at({0}) == Approx(-1.5));
  sgd.set_lr(3);
  CHECK(sgd.lr(2) == 3);

  CHECK_THROWS_WITH(sgd.add_param_group({{c}, {}}), Catch::Contains("was given before"));
  CHECK_THROWS_WITH(sgd.add_param_group({{}, {}}), Catch::Contains("there are no parameters"));
  CHECK_THROWS_WITH(sgd.add_param_group({{parameter(1)}, {.lr = -1}}), Catch::Contains("the learning rate is -1"));
  CHECK_THROWS_WITH(sgd.add_param_group({{parameter(1)}, {.nesterov = true}}), Catch::Contains("nesterov needs"));
  CHECK_THROWS_WITH(sgd.lr(3), Catch::Contains("no parameter group 3, there are 3"));
  CHECK_THROWS_WITH(optim::SGD({{{a}, {}}, {{a}, {}}}, {}), Catch::Contains("was given before"));
  CHECK(sgd.num_groups() == 3);
  CHECK(sgd.parameters().size() == 3);
}

TEST_CASE("optim: a state has the rates of all groups; one of an optimizer with one group loads as before") {
  const Tensor a = parameter(1), b = parameter(1);
  const auto make = [&](double lr) { return optim::Adam({{{a}, {}}, {{b}, {.lr = 2 * lr}}}, {.lr = lr}); };
  optim::Adam first = make(0.1), second = make(0.5);
  optim::Schedule schedule(first, optim::linear(10));
  schedule.set_epoch(5);
  a.set_grad(full_like(a, 1));
  b.set_grad(full_like(b, 1));
  first.step();
  second.load_state_dict(first.state_dict());
  CHECK(second.lr(0) == 0.05);
  CHECK(second.lr(1) == 0.1);
  optim::Schedule resumed(second, optim::linear(10));
  resumed.load_state_dict(schedule.state_dict());
  CHECK(schedule.state_dict()["base_lr"].shape() == Shape{2});
  resumed.step();
  CHECK(second.lr(1) == Approx(0.2 * 0.4));

  optim::Adam one({a, b}, {.lr = 0.1});
  CHECK_THROWS_WITH(one.load_state_dict(first.state_dict()), Catch::Contains("lr.1 is unexpected"));
  NamedTensors old{{"lr", tensor(0.25)}};
  CHECK_THROWS_WITH(second.load_state_dict(old), Catch::Contains("lr.1 is missing"));
  one.load_state_dict(old);
  CHECK(one.lr() == 0.25);
  CHECK(second.lr(1) == Approx(0.2 * 0.4));
}

TEST_CASE("optim: a group that is added under a schedule begins from its own rate") {
  const Tensor a = parameter(1), b = parameter(1);
  optim::SGD sgd({a}, {.lr = 1});
  optim::Schedule schedule(sgd, optim::constant());
  optim::Schedule halving(sgd, optim::exponential(0.5));
  halving.step();
  sgd.add_param_group({{b}, {.lr = 8}});
  CHECK(sgd.lr(1) == 8);
  halving.step();
  CHECK(sgd.lr(0) == 0.25);
  CHECK(sgd.lr(1) == 2);
}

TEST_CASE("optim: Muon says which parameters are not for it, before anything changes") {
  const Tensor matrix = ones({2, 2}, {.requires_grad = true}), vector = ones({2}, {.requires_grad = true});
  optim::Muon muon({matrix, vector});
  matrix.set_grad(ones_like(matrix));
  vector.set_grad(ones_like(vector));
  CHECK_THROWS_WITH(muon.step(), Catch::Contains("Muon: a parameter has shape (2,); Muon trains matrices"));
  CHECK(matrix.at({0, 0}) == 1);
  CHECK(muon.state_dict().size() == 1);
}
