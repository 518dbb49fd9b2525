#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/flatten.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/nn/sequential.hpp>
#include <xgrad/optim/sgd.hpp>

#include <cmath>

#include "../catch.hpp"
#include "modules.hpp"

TEST_CASE("Linear: y = x W^T + b, on any axes before the last") {
  nn::Linear fc(2, 3);
  nn::load_state_dict(fc,
                      {{"weight", tensor({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}})}, {"bias", tensor({10.0, 20.0, 30.0})}});
  CHECK(values(fc(tensor({{1.0, 1.0}, {0.0, 2.0}}))) == std::vector<double>{13, 27, 41, 14, 28, 42});
  CHECK(fc(zeros({4, 1, 2})).shape() == Shape{4, 1, 3});
  CHECK_THROWS_AS(fc(zeros({4, 3})), Error);
}

TEST_CASE("Linear: parameters begin as PyTorch's") {
  manual_seed(0);
  nn::Linear fc{400, 300, {.dtype = float64}};
  CHECK(keys(nn::named_parameters(fc)) == Keys{"weight", "bias"});
  CHECK(fc.weight.shape() == Shape{300, 400});
  CHECK(fc.bias.shape() == Shape{300});
  for (const Tensor& p : {fc.weight, fc.bias}) {
    const auto all = values(p);
    CHECK(p.dtype() == float64);
    CHECK(*std::min_element(all.begin(), all.end()) == Approx(-1.0 / 20).epsilon(0.02));
    CHECK(*std::max_element(all.begin(), all.end()) == Approx(1.0 / 20).epsilon(0.02));
  }
  CHECK_FALSE(nn::Linear(2, 3, {.bias = false}).bias.defined());
  CHECK(nn::parameters(nn::Linear(2, 3, {.bias = false})).size() == 1);
  CHECK(nn::Linear(0, 3).bias.numel() == 3);
  CHECK_THROWS_AS(nn::Linear(-1, 3), Error);
  CHECK_THROWS_AS(nn::Linear(2, 3, {.dtype = int64}), Error);
}

TEST_CASE("Flatten: joins all axes but the batch, or those asked for") {
  const Tensor x = zeros({2, 3, 4, 5});
  CHECK(nn::Flatten()(x).shape() == Shape{2, 60});
  CHECK(nn::Flatten(0, 1)(x).shape() == Shape{6, 4, 5});
  CHECK(nn::Identity()(x).shape() == x.shape());
}

TEST_CASE("Sequential: a small network is differentiated through its layers") {
  manual_seed(1);
  nn::Sequential net(nn::Flatten(), nn::Linear(6, 4), nn::Identity(), nn::Linear(4, 1, {.bias = false}));
  net(ones({1, 2, 3})).backward();
  for (const auto& p : nn::parameters(net)) CHECK(p.grad().shape() == p.shape());
  CHECK(values(net[3].as<nn::Linear>().weight) == values(net[1].as<nn::Linear>().bias.grad()));
}

TEST_CASE("optimizers: leave the frozen parameters of a module alone") {
  manual_seed(2);
  nn::Sequential net(nn::Linear(2, 2), nn::Linear(2, 1));
  nn::requires_grad_(net[0].as<nn::Linear>(), false);
  const auto before = values(net[0].as<nn::Linear>().weight), head = values(net[1].as<nn::Linear>().weight);
  optim::SGD sgd(nn::parameters(net), {.lr = 0.1});
  net(ones({1, 2})).backward();
  sgd.step();
  CHECK(values(net[0].as<nn::Linear>().weight) == before);
  CHECK(values(net[1].as<nn::Linear>().weight) != head);
  nn::requires_grad_(net, false);
  CHECK_THROWS_WITH(optim::SGD(nn::parameters(net), {.lr = 0.1}), Catch::Contains("no parameter requires a gradient"));
}
