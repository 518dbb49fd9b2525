// Parametrisations, adapters, freezing by pattern, hooks, and the initialisers that give whole matrices.

#include <xgrad/nn/conv.hpp>
#include <xgrad/nn/sequential.hpp>

#include <xgrad/nn/hooked.hpp>
#include <xgrad/nn/init_matrices.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/nn/parametrized.hpp>
#include <xgrad/optim/sgd.hpp>
#include <xgrad/xgrad.hpp>

#include <algorithm>
#include <cmath>

#include "../catch.hpp"

using namespace xgrad;
using Catch::Contains;
using Names = std::vector<std::string>;

namespace {

struct Net {
  nn::Linear fc1{6, 5, {.dtype = float64}}, fc2{5, 3, {.dtype = float64}};
  Tensor operator()(const Tensor& x) { return fc2(tanh(fc1(x))); }
};

double difference(const Tensor& a, const Tensor& b) { return amax(abs(a - b)).item(); }

Names trained(const auto& module) {
  Names names;
  for (const auto& [name, tensor] : nn::named_parameters(module))
    if (tensor.requires_grad()) names.push_back(name);
  return names;
}

Tensor gram(const Tensor& matrix) { return matmul(matrix, transpose(matrix, 0, 1)); }

}  // namespace

TEST_CASE("nn::matches: stars and question marks") {
  CHECK(nn::matches("layers.0.fc1.bias", "layers.*.bias"));
  CHECK(nn::matches("weight", "*weight"));
  CHECK(nn::matches("abcbc", "a*bc"));
  CHECK(nn::matches("fc1.weight", "fc?.*"));
  CHECK(nn::matches("", "*"));
  CHECK(!nn::matches("", "?"));
  CHECK(!nn::matches("fc1.weight", "fc1"));
  CHECK(!nn::matches("fc1.weight", "weight"));
  CHECK(!nn::matches("abcbd", "a*bc"));
}

TEST_CASE("nn::freeze: parameters by pattern") {
  Net net;
  CHECK(nn::freeze(net, "fc1.*") == Names{"fc1.weight", "fc1.bias"});
  CHECK(trained(net) == Names{"fc2.weight", "fc2.bias"});
  CHECK(nn::unfreeze(net, "*.weight") == Names{"fc1.weight", "fc2.weight"});
  CHECK(trained(net) == Names{"fc1.weight", "fc2.weight", "fc2.bias"});
  CHECK_THROWS_WITH(nn::freeze(net, "fc3.*"),
                    Contains("freeze: no parameter has a name like `fc3.*`; there are fc1.weight"));
}

TEST_CASE("nn::Parametrized: each begins with the value that was there, trains, and stays within its form") {
  manual_seed(3);
  const Tensor x = randn({20, 6}, {.dtype = float64}), y = randn({20, 3}, {.dtype = float64});
  struct Case {
    nn::Parametrization how;
    bool same_at_first;
  };
  for (const auto& [how, same_at_first] :
       {Case{nn::weight_norm(), true}, Case{nn::weight_norm(-1), true}, Case{nn::lora({.rank = 2, .alpha = 4}), true},
        Case{nn::spectral_norm(), false}, Case{nn::orthogonal(), false}}) {
    nn::Parametrized net{Net{}};
    const Tensor before = net(x).detach();
    CHECK(net.parametrize("*.weight", how) == Names{"fc1.weight", "fc2.weight"});
    CHECK((difference(net(x), before) < 1e-12) == same_at_first);
    CHECK_THROWS_WITH(net.parametrize("*.weight", how), Contains("`fc1.weight` is parametrised already"));
    const std::size_t saved = nn::state_dict(net).size();
    auto other = nn::clone(net);
    optim::SGD sgd(nn::parameters(net, [](auto, const Tensor& p) { return p.requires_grad(); }), {.lr = 0.05});
    const double first = mse_loss(net(x), y).item();
    for (int step = 0; step < 30; ++step) {
      sgd.zero_grad();
      mse_loss(net(x), y).backward();
      sgd.step();
    }
    CHECK(mse_loss(net(x), y).item() < first);
    CHECK(std::abs(mse_loss(other(x), y).item() - first) < 1e-6);  // a clone shares nothing
    CHECK(nn::state_dict(net).size() == saved);
    nn::eval(net);
    const Tensor after = net(x).detach();
    nn::load_state_dict(other, nn::state_dict(net));
    nn::eval(other);
    CHECK(difference(other(x), after) == 0);
    CHECK(net.remove("*") == Names{"fc1.weight", "fc2.weight"});
    CHECK(difference(net.module(x), after) < 1e-12);
    CHECK(trained(net).size() == 4);
    CHECK_THROWS_WITH(net.remove("*"), Contains("remove: nothing that is parametrised"));
  }
}

TEST_CASE("nn::Parametrized: the forms of weights") {
  manual_seed(4);
  nn::Parametrized norm{nn::Conv2d(3, 4, 2)};
  norm.parametrize("weight", nn::weight_norm(1));
  CHECK(nn::state_dict(norm)["parametrizations.weight.original0"].shape() == Shape{1, 3, 1, 1});
  Tensor v = nn::state_dict(norm)["parametrizations.weight.original1"];
  const Tensor images = randn({2, 3, 5, 5}), before = norm(images).detach();
  v.mul_(3);
  CHECK(difference(norm(images), before) < 1e-5);  // the length of v does not matter

  nn::Parametrized spectral{nn::Linear(8, 5, {.dtype = float64})};
  spectral.parametrize("weight", nn::spectral_norm());
  for (int call = 0; call < 200; ++call) spectral(ones({1, 8}, {.dtype = float64}));
  spectral.remove("weight");
  CHECK(std::abs(amax(linalg::svdvals(spectral.module.weight)).item() - 1) < 1e-6);

  for (const auto& [out, in] : {std::pair(5, 8), std::pair(8, 5), std::pair(4, 4)}) {
    nn::Parametrized net{nn::Linear(in, out, {.dtype = float64})};
    net.parametrize("weight", nn::orthogonal());
    optim::SGD sgd(nn::parameters(net, [](auto, const Tensor& p) { return p.requires_grad(); }), {.lr = 0.3});
    for (int step = 0; step < 5; ++step) {
      sgd.zero_grad();
      sum(square(net(ones({1, in}, {.dtype = float64})) - 1)).backward();
      sgd.step();
    }
    net.remove("weight");
    const Tensor weight = out <= in ? net.module.weight : transpose(net.module.weight, 0, 1);
    CHECK(difference(gram(weight), eye(std::min(in, out), {.dtype = float64})) < 1e-12);
  }

  nn::Parametrized adapted{Net{}};
  adapted.parametrize("fc1.weight", nn::lora({.rank = 2}));
  CHECK(trained(adapted) == Names{"module.fc1.bias", "module.fc2.weight", "module.fc2.bias",
                                  "parametrizations.fc1.weight.lora_A", "parametrizations.fc1.weight.lora_B"});
  CHECK_THROWS_WITH(adapted.parametrize("fc2.bias", nn::lora()), Contains("at least 2 axes"));
  CHECK_THROWS_WITH(adapted.parametrize("none", nn::lora()), Contains("no parameter has a name like `none`"));
  CHECK_THROWS_WITH(nn::lora({.rank = 0}), Contains("rank must be at least 1, not 0"));
  CHECK_THROWS_WITH(nn::spectral_norm(0), Contains("n_power_iterations"));
  CHECK_THROWS_WITH(adapted(ones({2, 7}, {.dtype = float64})), Contains("linear"));
  CHECK(adapted(ones({2, 6}, {.dtype = float64})).shape() == Shape{2, 3});  // as before the error
}

TEST_CASE("nn::Hooked: hooks see and replace") {
  nn::Hooked<nn::Linear> fc{nn::Linear(3, 2)};
  std::vector<Shape> seen;
  fc.register_forward_hook([&](const Tensor& in, const Tensor& out) { seen = {in.shape(), out.shape()}; });
  fc(ones({4, 3}));
  CHECK(seen == std::vector<Shape>{{4, 3}, {4, 2}});
  fc.replace_input([](const Tensor& in) { return in * 0; });
  fc.replace_output([](const Tensor& out) { return out + 1; });
  CHECK(difference(fc(ones({4, 3})), expand(fc->bias + 1, {4, 2})) < 1e-6);

  struct Model {
    nn::Hooked<nn::Linear> first{nn::Linear(3, 2)};
    nn::Sequential rest{nn::Hooked(nn::Linear(2, 2)), nn::ReLU()};
    Tensor operator()(const Tensor& x) { return rest(first(x)); }
  } model;
  CHECK(nn::state_dict(model).size() == 4);
  CHECK(nn::named_parameters(model)[0].first == "first.weight");
  CHECK(nn::named_parameters(model)[2].first == "rest.0.weight");
  model.rest[1] = nn::Hooked(nn::AnyModule(nn::Linear(2, 2)));
  CHECK(nn::named_parameters(model)[4].first == "rest.1.weight");
  fc.clear_hooks();
  CHECK(difference(fc(zeros({1, 3})), unsqueeze(fc->bias, 0)) == 0);
}

TEST_CASE("nn::init: matrices") {
  manual_seed(5);
  Tensor wide = empty({3, 2, 4}, {.dtype = float64, .requires_grad = true});
  nn::init::orthogonal_(wide, 2);
  CHECK(difference(gram(flatten(wide, 1)), 4 * eye(3, {.dtype = float64})) < 1e-12);
  Tensor tall = empty({6, 4}, {.dtype = float64});
  nn::init::orthogonal_(tall);
  CHECK(difference(gram(transpose(tall, 0, 1)), eye(4, {.dtype = float64})) < 1e-12);

  Tensor one = empty({2, 3});
  CHECK(nn::init::eye_(one).to_vector<float>() == std::vector<float>{1, 0, 0, 0, 1, 0});

  Tensor kernel = empty({4, 2, 3, 3});
  nn::init::dirac_(kernel, 2);
  const Tensor images = randn({1, 4, 5, 5});
  CHECK(difference(conv2d(images, kernel, {}, {.padding = 1, .groups = 2}), images) == 0);

  Tensor sparse = empty({10, 50});
  nn::init::sparse_(sparse, 0.25, 1);
  CHECK(sum(sparse == 0, 0).to_vector<std::int64_t>() == std::vector<std::int64_t>(50, 3));

  Tensor drawn = empty({20'000}, {.dtype = float64});
  nn::init::trunc_normal_(drawn, 1, 2, 0, 7);
  CHECK(amin(drawn).item() >= 0);
  CHECK(amax(drawn).item() <= 7);
  CHECK(std::abs(mean(drawn).item() - 2.0075) < 0.04);  // of the truncated distribution
  nn::init::trunc_normal_(drawn, 0, 1, 5, 5.5);
  CHECK(amin(drawn).item() >= 5);

  CHECK_THROWS_WITH(nn::init::trunc_normal_(drawn, 0, 1, 9, 10), Contains("no values of mean 0"));
  CHECK_THROWS_WITH(nn::init::orthogonal_(drawn), Contains("at least 2 axes"));
  CHECK_THROWS_WITH(nn::init::dirac_(kernel, 3), Contains("3 groups do not divide 4"));
  CHECK_THROWS_WITH(nn::init::sparse_(one, 1.5), Contains("from 0 to 1, not 1.5"));
  CHECK_THROWS_WITH(nn::init::eye_(kernel), Contains("a matrix is needed"));
}
