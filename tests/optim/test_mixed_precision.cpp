// Scaling of the loss, and parameters of 16 bits.
#include <xgrad/autograd/autocast.hpp>
#include <xgrad/optim/grad_scaler.hpp>
#include <xgrad/xgrad.hpp>

#include <limits>

#include "../catch.hpp"

using namespace xgrad;

namespace {

bool equal(const Tensor& a, const Tensor& b) { return a.dtype() == b.dtype() && all(a == b).item<bool>(); }

}  // namespace

TEST_CASE("GradScaler: a step is that without scaling, and what overflows is left out until the scale fits") {
  const Tensor p = full({2}, 1.0, {.requires_grad = true}), q = p.clone().detach().requires_grad_();
  optim::SGD scaled({p}, {.lr = 0.5}), plain({q}, {.lr = 0.5});
  optim::GradScaler scaler({.init_scale = 1024, .growth_interval = 2});
  const auto loss = [](const Tensor& x) { return sum(x * tensor({0.25, -3.0})); };
  scaler.scale(loss(p)).backward();
  CHECK(p.grad().at({0}) == 256);
  loss(q).backward();
  plain.step();
  CHECK(scaler.step(scaled));
  scaler.update();
  CHECK(equal(p, q));
  CHECK(scaler.get_scale() == 1024);

  const Tensor before = p.detach().clone();
  p.set_grad(tensor({1.0, std::numeric_limits<double>::infinity()}).to(float32));
  CHECK_FALSE(scaler.step(scaled));
  scaler.update();
  CHECK(equal(p, before));
  CHECK(scaler.get_scale() == 512);
  for (int i = 0; i < 2; ++i) {
    p.set_grad(tensor({i == 0 ? 512.0 : 0.0, 0.0}).to(float32));
    scaler.unscale_(scaled);
    if (i == 0) CHECK(p.grad().at({0}) == 1);
    CHECK(scaler.step(scaled));
    scaler.update();
  }
  CHECK(scaler.get_scale() == 1024);
  p.set_grad(tensor({std::numeric_limits<double>::quiet_NaN(), 0.0}).to(float32));
  CHECK_FALSE(scaler.step(scaled));
}

TEST_CASE("GradScaler: a float16 training that overflows recovers") {
  manual_seed(0);
  nn::Sequential net{nn::Linear(8, 16), nn::ReLU(), nn::Linear(16, 1)};
  optim::SGD sgd(net, {.lr = 0.05});
  optim::GradScaler scaler({.init_scale = 0x1p40});
  const Tensor x = randn({32, 8}), y = sum(x, 1, {.keepdim = true});
  double first = 0, last = 0;
  int skipped = 0;
  for (int step = 0; step < 80; ++step) {
    sgd.zero_grad();
    Tensor loss;
    {
      const Autocast autocast(float16);
      loss = mse_loss(net(x), y);
    }
    scaler.scale(loss).backward();
    skipped += !scaler.step(sgd);
    scaler.update();
    (step == 0 ? first : last) = loss.item();
  }
  CHECK(skipped > 10);
  CHECK(skipped < 40);
  CHECK(scaler.get_scale() < 0x1p30);
  CHECK(last < 0.3 * first);
}

TEST_CASE("GradScaler: used in the wrong order, of float16 parameters, or with bad options, it says so") {
  const Tensor p = ones({2}, {.requires_grad = true});
  optim::SGD sgd({p}, {.lr = 0.5});
  optim::GradScaler scaler;
  CHECK_THROWS_WITH(scaler.update(), Catch::StartsWith("update: no gradients were looked at"));
  p.set_grad(ones({2}));
  scaler.unscale_(sgd);
  CHECK_THROWS_WITH(scaler.unscale_(sgd), Catch::StartsWith("unscale_: called for this optimizer before"));
  scaler.step(sgd);
  CHECK_THROWS_WITH(scaler.step(sgd), Catch::StartsWith("step: called for this optimizer before"));
  CHECK_THROWS_WITH(scaler.unscale_(sgd), Catch::StartsWith("unscale_: step() was called"));
  scaler.update();

  const Tensor half = ones({2}, {.dtype = float16, .requires_grad = true});
  optim::SGD of_half({half}, {.lr = 0.5});
  half.set_grad(ones({2}, {.dtype = float16}));
  CHECK_THROWS_WITH(scaler.step(of_half),
                    Catch::StartsWith("step: a parameter of shape (2,) and its gradient are float16"));
  CHECK(half.grad().at({0}) == 1);
  CHECK_THROWS_WITH(optim::GradScaler({.growth_factor = 1}), Catch::StartsWith("GradScaler: growth_factor is 1"));
  CHECK_THROWS_WITH(optim::GradScaler({.init_scale = 0}), Catch::StartsWith("GradScaler: the scale is 0"));
  CHECK_THROWS_WITH(scaler.update(-1), Catch::StartsWith("update: the scale is -1"));

  optim::GradScaler off({.enabled = false});
  CHECK(off.scale(p).at({0}) == p.at({0}));
  p.set_grad(ones({2}));
  CHECK(off.step(sgd));
  CHECK(off.state_dict().empty());
}

TEST_CASE("GradScaler: its state is PyTorch's, and is gone on from") {
  optim::GradScaler scaler({.init_scale = 8, .growth_interval = 3});
  const NamedTensors state = scaler.state_dict();
  std::vector<std::string> names;
  for (const auto& [name, value] : state) names.push_back(name);
  CHECK(names ==
        std::vector<std::string>{"scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"});
  optim::GradScaler other;
  other.load_state_dict(state);
  CHECK(other.get_scale() == 8);
  NamedTensors bad = state;
  bad["scale"] = tensor(-1.0);
  CHECK_THROWS_WITH(other.load_state_dict(bad), Catch::StartsWith("load_state_dict: the scale is -1"));
  bad.erase(bad.begin());
  CHECK_THROWS_WITH(other.load_state_dict(bad),
                    Catch::StartsWith("load_state_dict: `scale` of the GradScaler is missing"));
  CHECK(other.get_scale() == 8);
}

TEST_CASE("optim: parameters of 16 bits are a float32 copy that is rounded, so that small steps add up") {
  const Tensor p = ones({2}, {.dtype = bfloat16, .requires_grad = true});
  optim::SGD sgd({p}, {.lr = 0x1p-12});
  const auto step = [&](optim::Optimizer& optimizer, const Tensor& parameter) {
    parameter.set_grad(ones({2}, {.dtype = bfloat16}));
    optimizer.step();
  };
  for (int i = 0; i < 32; ++i) step(sgd, p);
  CHECK(p.at({0}) == 1 - 0x1p-7);

  const NamedTensors state = sgd.state_dict();
  CHECK(state["master_param.0"].dtype() == float32);
  const Tensor q = p.detach().clone().requires_grad_();
  optim::SGD other({q}, {.lr = 0.1});
  other.load_state_dict(state);
  for (int i = 0; i < 7; ++i) step(sgd, p), step(other, q);
  CHECK(equal(sgd.state_dict()["master_param.0"], other.state_dict()["master_param.0"]));

  {  // a parameter that the program sets is what it was set to
    const NoGrad no_grad;
    Tensor(p).copy_(tensor({5.0, p.at({1})}));
  }
  step(sgd, p);
  CHECK(sgd.state_dict()["master_param.0"].at({0}) == 5 - 0x1p-12);
  CHECK(sgd.state_dict()["master_param.0"].at({1}) == 1 - 40 * 0x1p-12);

  NamedTensors without = state;
  std::erase_if(without, [](const auto& entry) { return entry.first == "master_param.0"; });
  const Tensor r = p.detach().clone().requires_grad_();
  optim::SGD third({r}, {.lr = 0.1});
  CHECK_NOTHROW(third.load_state_dict(without));
}
