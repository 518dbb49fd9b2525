// Derivatives by the parameters of a module.
#include <xgrad/xgrad.hpp>

#include <memory>

#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr nn::LinearOptions wide{.dtype = float64};

struct Net {
  nn::Linear fc1{3, 4, wide};
  nn::BatchNorm1d bn{4, {.dtype = float64}};
  nn::Linear fc2{4, 1, {.bias = false, .dtype = float64}};
  Tensor scale = full({}, 1.5, {.dtype = float64, .requires_grad = true});

  Tensor operator()(const Tensor& x) { return fc2(tanh(bn(fc1(x)))) * scale; }
};

Net make_net() {
  manual_seed(3);
  return {};
}

Tensor batch() {
  manual_seed(4);
  return randn({6, 3}, {.dtype = float64});
}

std::vector<Tensor> detached_parameters(const Net& net) {
  std::vector<Tensor> all;
  for (const Tensor& p : nn::parameters(net)) all.push_back(p.detach().clone());
  return all;
}

}  // namespace

TEST_CASE("module derivatives: the gradient is a struct of the same shape") {
  Net net = make_net();
  const Tensor x = batch();
  const auto f = [&](Net& m) { return sum(square(m(x))); };
  Net reference = nn::clone(net);
  sum(square(reference(x))).backward();

  const auto [loss, gradient] = value_and_grad(f, net);
  CHECK_FALSE(loss.requires_grad());
  const auto names = nn::named_parameters(net), parts = nn::named_parameters(gradient),
             expected = nn::named_parameters(reference);
  REQUIRE(parts.size() == names.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    INFO(names[i].first);
    CHECK(parts[i].first == names[i].first);
    CHECK(allclose(parts[i].second, expected[i].second.grad(), {.rtol = 1e-12, .atol = 1e-14}));
    CHECK_FALSE(names[i].second.grad().defined());
    CHECK(parts[i].second.is_leaf());
  }
  CHECK_FALSE(gradient.fc2.bias.defined());
  // Running statistics move as in any forward pass, and are zero in the gradient.
  CHECK(allclose(net.bn.running_mean, reference.bn.running_mean));
  CHECK_FALSE(allclose(net.bn.running_mean, zeros({4}, {.dtype = float64})));
  CHECK(allclose(gradient.bn.running_mean, zeros({4}, {.dtype = float64})));
  // and with NoGrad, and of a const module
  const NoGrad no_grad;
  const Net& constant = net;
  const Net again = grad([&](const Net& m) { return sum(square(m.fc1(x))); }, constant);
  CHECK(allclose(again.fc2.weight, zeros({1, 4}, {.dtype = float64})));
  CHECK_FALSE(allclose(again.fc1.weight, zeros({4, 3}, {.dtype = float64})));
}

TEST_CASE("module derivatives: jvp, vjp and hvp agree with one another and with differences") {
  Net net = make_net(), direction = make_net();
  nn::eval(net);
  const Tensor x = batch();
  const NoGrad no_grad;
  auto to_fill = nn::parameters(direction);
  for (Tensor& p : to_fill) p.copy_(randn(p.shape(), {.dtype = float64}));
  const auto f = [&](Net& m) { return m(x); };
  const auto loss = [&](Net& m) { return sum(square(m(x))); };

  const auto [y, change] = jvp(f, net, direction);
  const auto [z, pullback] = vjp(f, net);
  const Tensor u = randn(y.shape(), {.dtype = float64});
  const Net gradient = pullback(u), twice = pullback(u + u);
  const auto v = detached_parameters(direction), g = detached_parameters(gradient);
  double product = 0;
  for (std::size_t i = 0; i < v.size(); ++i) product += sum(v[i] * g[i]).item();
  CHECK(product == Approx(sum(u * change).item()).epsilon(1e-12));
  CHECK(allclose(twice.fc1.weight, gradient.fc1.weight + gradient.fc1.weight));

  const auto hv = detached_parameters(hvp(loss, net, direction));
  const auto shifted_gradient = [&](double step) {
    Net moved = nn::clone(net);
    auto to = nn::parameters(moved);
    for (std::size_t i = 0; i < to.size(); ++i) to[i].add_(step * v[i]);
    return detached_parameters(grad(loss, moved));
  };
  const auto above = shifted_gradient(1e-6), below = shifted_gradient(-1e-6);
  for (std::size_t i = 0; i < hv.size(); ++i)
    CHECK(allclose(hv[i], (above[i] - below[i]) / 2e-6, {.rtol = 1e-5, .atol = 1e-6}));
}

TEST_CASE("module derivatives: frozen and shared parameters, and results that depend on other tensors") {
  struct Tied {
    std::shared_ptr<nn::Linear> a = std::make_shared<nn::Linear>(2, 2, nn::LinearOptions{.bias = false});
    std::shared_ptr<nn::Linear> b = a;
    nn::Linear frozen{2, 2};
    Tensor operator()(const Tensor& x) const { return (*b)(frozen((*a)(x))); }
  };
  Tied net;
  nn::requires_grad_(net.frozen, false);
  const Tensor x = ones({1, 2}, {.requires_grad = true});
  const auto gradient = grad([&](const Tied& m) { return sum(m(x.detach())); }, net);
  CHECK(gradient.a == gradient.b);
  CHECK(gradient.a != net.a);
  CHECK(allclose(gradient.frozen.weight, zeros({2, 2})));
  CHECK_FALSE(gradient.a->weight.grad().defined());
  sum((*net.b)(net.frozen((*net.a)(x.detach())))).backward();
  CHECK(allclose(gradient.a->weight, net.a->weight.grad()));

  // The gradient by the parameters, differentiated by an input.
  const auto of_input = grad([&](const Tied& m) { return sum(square(m(x))); }, net);
  CHECK(of_input.a->weight.requires_grad());
  CHECK(grad(sum(square(of_input.a->weight)), {x})[0].shape() == Shape{1, 2});
}

TEST_CASE("module derivatives: a direction that does not fit is an error") {
  struct Open {
    Tensor weight = ones({2}, {.requires_grad = true});
  };
  Open net;
  const auto f = [](const Open& m) { return sum(m.weight); };
  CHECK_THROWS_WITH(
      hvp(f, net, Open{ones({3})}),
      "hvp: weight of the direction has shape (3,) and dtype float32; that of the module has shape (2,) and "
      "dtype float32");
  CHECK_THROWS_WITH(jvp(f, net, Open{Tensor()}), "jvp: the direction has no weight, which the module has");
  CHECK_THROWS_WITH(grad([](const Open& m) { return m.weight; }, net),
                    "grad: the function gave a tensor of shape (2,); it must give one element: reduce it, as "
                    "with sum");
}
