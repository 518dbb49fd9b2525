#include <xgrad/nn/sequential.hpp>

#include "../catch.hpp"
#include "modules.hpp"

TEST_CASE("Sequential: applies layers in order, and may be empty") {
  nn::Sequential net;
  const Tensor x = full({2}, 3);
  CHECK(&net(x).impl() == &x.impl());
  net.add([](const Tensor& t) { return full_like(t, t.data<float>()[0] + 1); }).add([](const Tensor& t) {
    return full_like(t, t.data<float>()[0] * 2);
  });
  CHECK(values(net(x)) == std::vector<double>{8, 8});
}

TEST_CASE("Sequential: nests and grows, names by index without wrappers") {
  struct Net {
    nn::Sequential layers;
    Affine head{1, 1, false};
  } net;
  for (int i = 0; i < 2; ++i) net.layers.add(Affine(1, 1, false), Norm(), Gate());
  net.layers.add(nn::Sequential(Affine(2, 2), nn::Sequential(), nn::Sequential(Affine(3, 3, false))));
  CHECK(keys(nn::state_dict(net)) == Keys{"layers.0.weight", "layers.1.weight", "layers.1.bias",
                                          "layers.1.running_mean", "layers.1.num_batches_tracked", "layers.3.weight",
                                          "layers.4.weight", "layers.4.bias", "layers.4.running_mean",
                                          "layers.4.num_batches_tracked", "layers.6.0.weight", "layers.6.0.bias",
                                          "layers.6.2.0.weight", "head.weight"});
  CHECK(keys(nn::named_parameters(net.layers)).front() == "0.weight");
}

TEST_CASE("Sequential: a copy has layers of its own that share tensors; a clone shares nothing") {
  nn::Sequential net(Affine(1, 1), Gate());
  nn::Sequential copy = net;
  CHECK(nn::parameters(net).size() == 2);
  CHECK(&copy[0].as<Affine>().weight.impl() == &net[0].as<Affine>().weight.impl());
  nn::eval(copy);
  CHECK(net[1].as<Gate>().training);
  const nn::Sequential clone = nn::clone(net);
  CHECK(&clone[0].as<Affine>().weight.impl() != &net[0].as<Affine>().weight.impl());
  net = copy;
  CHECK_FALSE(net[1].as<Gate>().training);
}

TEST_CASE("Sequential: layers are reached by index and type") {
  nn::Sequential net(Affine(1, 1), Gate());
  CHECK(net.size() == 2);
  CHECK(net[0].is<Affine>());
  CHECK_FALSE(net[0].is<Gate>());
  CHECK_THROWS_WITH(net[1].as<Affine>(), Catch::Contains("this is a Gate, not a Affine"));
  CHECK_THROWS_WITH(net[2], Catch::Contains("no layer 2; there are 2"));
}

TEST_CASE("Sequential: holds functions and lambdas") {
  Tensor (*function)(const Tensor&) = [](const Tensor& x) { return x; };
  std::function<Tensor(const Tensor&)> wrapped = function;
  nn::Sequential net(function, wrapped, [](const Tensor& x) { return x; });
  CHECK(nn::parameters(net).empty());
  CHECK_THAT(nn::summary(net), Catch::Contains("2       lambda"));
}

TEST_CASE("AnyModule: one that was moved from is an error to use, and can be assigned to") {
  nn::AnyModule layer = Affine(1, 1);
  nn::AnyModule other = std::move(layer);
  CHECK_THROWS_WITH(layer(ones({1})), Catch::Contains("moved from"));
  CHECK_THROWS_AS(nn::AnyModule(layer), Error);
  layer = other;
  CHECK(layer.is<Affine>());
}
