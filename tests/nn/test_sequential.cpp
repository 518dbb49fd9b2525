#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/batch_norm.hpp>
#include <xgrad/nn/init.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/nn/sequential.hpp>
#include <xgrad/ops/arithmetic.hpp>

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

namespace {

// Draws twice for one tensor, and once more by itself.
struct Drawn {
  explicit Drawn(std::int64_t n) : fc(n, n, {.dtype = float64}) { nn::init::xavier_normal_(fc.weight); }
  Tensor operator()(const Tensor& x) const { return x; }
  auto fields() { return xgrad::fields("fc", fc, "scale", scale); }
  nn::Linear fc;
  Tensor scale = randn({5}, {.requires_grad = true});
};

// All numbers of a model made by make(), and the generator afterwards.
template <class Make>
std::pair<std::vector<double>, GeneratorState> made(const Make& make) {
  manual_seed(3);
  default_generator().next();  // the first draw begins at no multiple of 16 words
  const auto model = make();
  std::vector<double> all;
  for (const Tensor& p : nn::parameters(model))
    for (const double x : values(p)) all.push_back(x);
  return {all, default_generator().state()};
}

}  // namespace

TEST_CASE("Sequential: weights are drawn in the order of the layers, not of the evaluation of arguments") {
  using nn::Linear, nn::Sequential, nn::BatchNorm1d;
  const auto twice = [](auto make_all, auto one_by_one) { CHECK(made(make_all) == made(one_by_one)); };
  twice([] { return Sequential(Linear(2, 3), BatchNorm1d(3), Linear(3, 4), Linear(4, 1, {.bias = false})); },
        [] {
          return Sequential{Linear(2, 3), BatchNorm1d(3), Linear(3, 4), Linear(4, 1, {.bias = false})};
        });
  twice([] { return Sequential(Linear(4, 4), Linear(4, 4), Linear(4, 4)); },  // right to left, from here
        [] {
          Sequential net;
          for (int i = 0; i < 3; ++i) net.add(Linear(4, 4));
          return net;
        });
  twice([] { return Sequential(Drawn(3), Linear(3, 3), Drawn(2)); },
        [] {
          return Sequential{Drawn(3), Linear(3, 3), Drawn(2)};
        });
  twice(
      [] {
        return Sequential(Sequential(Linear(2, 3), Linear(3, 4)), Sequential(Linear(4, 5), Linear(5, 6)), Linear(6, 1));
      },
      [] {
        return Sequential{Sequential{Linear(2, 3), Linear(3, 4)}, Sequential{Linear(4, 5), Linear(5, 6)}, Linear(6, 1)};
      });
  twice(
      [] {
        Sequential net(Linear(1, 1));
        net.add(Linear(2, 2), Linear(3, 3)).add(Linear(4, 4), Linear(5, 5));
        return net;
      },
      [] {
        Sequential net(Linear(1, 1));
        for (int i = 2; i < 6; ++i) net.add(Linear(i, i));
        return net;
      });
  twice([] { return Sequential(*std::make_unique<Sequential>(Linear(2, 2), Linear(2, 2))); },
        [] {
          return Sequential{Linear(2, 2), Linear(2, 2)};
        });
  twice(  // as under a compiler that goes from right to left
      [] {
        Linear last(4, 4), first(4, 4);
        return Sequential(std::move(first), std::move(last));
      },
      [] {
        return Sequential{Linear(4, 4), Linear(4, 4)};
      });
}

TEST_CASE("Sequential: layers that are more than just made keep their numbers") {
  manual_seed(1);
  nn::Linear last(2, 2), first(2, 2);
  const auto numbers = [](const nn::Linear& layer) { return values(layer.weight); };
  const auto of_first = numbers(first), of_last = numbers(last);
  const auto check_kept = [&](nn::Sequential net) {
    CHECK(numbers(net[0].as<nn::Linear>()) == of_first);
    CHECK(numbers(net[1].as<nn::Linear>()) == of_last);
  };
  check_kept(nn::Sequential(first, last));  // copies
  check_kept(nn::Sequential(nn::Linear(first), nn::Linear(last)));
  rand({1});
  check_kept(nn::Sequential(std::move(first), std::move(last)));  // something else was drawn since

  nn::Linear b(2, 2), a(2, 2);
  const Tensor held = a.weight;
  const auto before = values(held);
  nn::Sequential(std::move(a), std::move(b));
  CHECK(values(held) == before);

  nn::Linear d(2, 2), c(2, 2);
  c.weight.data<float>()[3] = 7;  // trained, say
  const auto trained = numbers(c), drawn = numbers(d);
  nn::Sequential net(std::move(c), std::move(d));
  CHECK(numbers(net[0].as<nn::Linear>()) == trained);
  CHECK(numbers(net[1].as<nn::Linear>()) == drawn);
}

TEST_CASE("Sequential: an error ends with its place in the model") {
  struct Block {
    nn::Linear fc1{3, 3}, fc2{4, 3};
    Tensor operator()(const Tensor& x) const { return fc2(fc1(x)); }
  };
  struct Net {
    std::vector<nn::Sequential> layers{nn::Sequential{nn::Linear(3, 3), Block()}};
    Tensor operator()(const Tensor& x) const { return layers[0](x); }
  } net;
  const Tensor x = ones({2, 3});
  CHECK_THROWS_WITH(net(x), Catch::EndsWith("; in 1.fc2") && Catch::StartsWith("linear: "));
  CHECK_THROWS_WITH(nn::Sequential{net}(x), Catch::EndsWith("; in 0.layers.0.1.fc2"));
  CHECK_THROWS_WITH(nn::Sequential{nn::BatchNorm1d(3)}(ones({2, 2, 2, 2})),
                    Catch::Contains(" is needed; called at ") && Catch::EndsWith("; in 0"));
  const nn::Sequential inner{[](const Tensor& t) { return t + ones({7}); }};
  CHECK_THROWS_WITH(nn::Sequential().add(inner, inner)(x), Catch::EndsWith("; in 0.0"));
  CHECK_THROWS_AS(nn::Sequential{[](const Tensor&) -> Tensor { throw std::out_of_range("mine"); }}(x),
                  std::out_of_range);
  try {  // the layer alone says what it said before
    net.layers[0][1].as<Block>().fc2(x);
  } catch (const Error& error) {
    CHECK_THAT(error.what(), !Catch::Contains("; in "));
  }
}

TEST_CASE("AnyModule: one that was moved from is an error to use, and can be assigned to") {
  nn::AnyModule layer = Affine(1, 1);
  nn::AnyModule other = std::move(layer);
  CHECK_THROWS_WITH(layer(ones({1})), Catch::Contains("moved from"));
  CHECK_THROWS_AS(nn::AnyModule(layer), Error);
  layer = other;
  CHECK(layer.is<Affine>());
}
