// Averages of weights.
#include <xgrad/xgrad.hpp>

#include "../catch.hpp"

using namespace xgrad;

namespace {

struct Net {
  nn::Linear fc{2, 3};
  nn::BatchNorm1d bn{3};
  nn::Dropout dropout{0.0};
  Tensor operator()(const Tensor& x) { return dropout(bn(fc(x))); }
};

void set(Net& net, double value) {
  const NoGrad no_grad;
  for (Tensor parameter : nn::parameters(net)) parameter.fill_(value);
  net.bn.running_mean.fill_(value);
}

}  // namespace

TEST_CASE("averaging: ema and swa of parameters; buffers are the last ones") {
  Net net;
  auto ema = optim::ema(net, {.decay = 0.75});
  auto swa = optim::swa(net);
  for (const double value : {1.0, 5.0, 3.0}) {
    set(net, value);
    ema.update(net);
    swa.update(net);
  }
  const auto weight = [](auto& average) { return average.model().fc.weight.at({2, 1}); };
  CHECK(weight(ema) == Approx(0.75 * (0.75 * 1 + 0.25 * 5) + 0.25 * 3));
  CHECK(weight(swa) == Approx(3));
  CHECK(swa.num_updates() == 3);
  CHECK(ema.model().bn.running_mean.at({0}) == 3);
  CHECK(net.fc.weight.at({0, 0}) == 3);

  auto restored = optim::swa(net);
  restored.load_state_dict(swa.state_dict());
  set(net, 7);
  swa.update(net);
  restored.update(net);
  CHECK(weight(swa) == Approx(4));
  CHECK(weight(restored) == weight(swa));
  CHECK_THROWS_WITH(restored.load_state_dict(nn::state_dict(net)), Catch::Contains("`num_updates`"));
  CHECK_THROWS_WITH(optim::ema(net, {.decay = 2}), Catch::Contains("ema: decay is 2"));

  Net wider;
  wider.fc = nn::Linear(4, 3);
  CHECK_THROWS_WITH(swa.update(wider), Catch::Contains("fc.weight of shape (3, 2)") && Catch::Contains("(3, 4)"));
  CHECK(swa.num_updates() == 4);
}

TEST_CASE("averaging: update_batch_norm gives the mean of the statistics of all batches") {
  Net net;
  nn::eval(net);
  manual_seed(1);
  std::vector<Tensor> batches;
  Tensor mean_of_means = zeros({3}), mean_of_variances = zeros({3});
  for (int batch = 0; batch < 3; ++batch) {
    batches.push_back(randn({8, 2}));
    const NoGrad no_grad;
    const Tensor h = net.fc(batches.back());
    mean_of_means.add_(mean(h, {0}) / 3);
    mean_of_variances.add_(var(h, {0}) / 3);
  }
  optim::update_batch_norm(net, batches);
  CHECK(allclose(net.bn.running_mean, mean_of_means, {.rtol = 1e-5, .atol = 1e-6}));
  CHECK(allclose(net.bn.running_var, mean_of_variances, {.rtol = 1e-5, .atol = 1e-6}));
  CHECK(net.bn.num_batches_tracked.item<int>() == 3);
  CHECK(net.bn.momentum == 0.1);
  CHECK_FALSE(net.bn.training);

  // pairs, as a loader gives them; and a model that fails has its momentum back
  optim::update_batch_norm(net, std::vector<std::pair<Tensor, Tensor>>{{batches[0], zeros({8})}});
  CHECK(net.bn.num_batches_tracked.item<int>() == 1);
  CHECK_THROWS_AS(optim::update_batch_norm(net, std::vector<Tensor>{ones({8, 5})}), Error);
  CHECK(net.bn.momentum == 0.1);
  CHECK_FALSE(net.bn.training);
}
