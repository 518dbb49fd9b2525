// Layers that normalise channels, and those that drop them.
#include <xgrad/xgrad.hpp>

#include "../catch.hpp"
#include "modules.hpp"

TEST_CASE("BatchNorm: without a momentum, running statistics are the means of those of all batches") {
  nn::BatchNorm3d norm(2, {.momentum = std::nullopt});
  Tensor means = zeros({2}), variances = zeros({2});
  for (int batch = 0; batch < 3; ++batch) {
    const Tensor x = randn({3, 2, 2, 2, 2});
    norm(x);
    means = means + mean(x, {0, 2, 3, 4}) / 3;
    variances = variances + var(x, {0, 2, 3, 4}) / 3;
  }
  CHECK(norm.num_batches_tracked.item<int>() == 3);
  CHECK(allclose(norm.running_mean, means, {.rtol = 1e-5, .atol = 1e-6}));
  CHECK(allclose(norm.running_var, variances, {.rtol = 1e-5}));
  CHECK_THROWS_WITH(norm(ones({2, 2, 2})), Catch::Contains("(N, C, D, H, W) is needed"));
}

TEST_CASE("BatchNorm: the running variance of the batch, or of what it is drawn from") {
  const Tensor x = tensor({{1.0}, {3.0}});
  nn::BatchNorm1d usual(1, {.momentum = 1}), population(1, {.momentum = 1, .unbiased = false});
  usual(x), population(x);
  CHECK(usual.running_var.item() == 2);
  CHECK(population.running_var.item() == 1);
}

TEST_CASE("InstanceNorm: names and defaults are PyTorch's, and running statistics are the means over examples") {
  CHECK(nn::state_dict(nn::InstanceNorm2d(3)).empty());
  nn::InstanceNorm1d norm(2, {.momentum = 0.5, .affine = true, .track_running_stats = true});
  CHECK(keys(nn::state_dict(norm)) == Keys{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"});
  const Tensor x = randn({4, 2, 5});
  norm(x);
  CHECK(allclose(norm.running_mean, 0.5 * mean(mean(x, 2), 0), {.rtol = 1e-5, .atol = 1e-6}));
  CHECK(allclose(norm.running_var, 0.5 + 0.5 * mean(var(x, 2), 0), {.rtol = 1e-5}));
  nn::eval(norm);
  CHECK(allclose(norm(x), batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)));
  CHECK_THROWS_WITH(nn::InstanceNorm2d(3)(ones({2, 3, 4})), Catch::Contains("InstanceNorm2d: input has shape"));
}

TEST_CASE("GroupNorm: begins as PyTorch's and checks what it is given") {
  nn::GroupNorm norm(2, 4);
  CHECK(keys(nn::named_parameters(norm)) == Keys{"weight", "bias"});
  const Tensor x = randn({3, 4, 5});
  CHECK(allclose(norm(x), group_norm(x, 2)));
  CHECK(nn::named_parameters(nn::GroupNorm(2, 4, {.affine = false})).empty());
  CHECK_THROWS_WITH(nn::GroupNorm(3, 4), Catch::Contains("4 channels are not divisible into 3 groups"));
  CHECK_THROWS_WITH(norm(ones({3, 2, 5})), Catch::Contains("(N, 4, ...) is needed"));
}

TEST_CASE("RMSNorm and LocalResponseNorm: are their functions") {
  const Tensor x = randn({2, 4, 3});
  nn::RMSNorm norm(3);
  CHECK(keys(nn::named_parameters(norm)) == Keys{"weight"});
  CHECK(allclose(norm(x), rms_norm(x, {3})));
  CHECK(allclose(nn::RMSNorm(3, {.eps = 1.0})(x), rms_norm(x, {3}, {}, 1.0)));
  CHECK(allclose(nn::LocalResponseNorm(3, {.alpha = 0.5})(x), local_response_norm(x, 3, {.alpha = 0.5})));
}

TEST_CASE("group_norm: channels that lie last give what row-major ones do, and stay last") {
  const Tensor weight = rand({6}), bias = rand({6});
  for (const std::int64_t groups : {1, 2, 6}) {
    const Tensor x = randn({3, 6, 20, 30}), last = x.contiguous(channels_last).requires_grad_(),
                 plain = x.detach().requires_grad_(), up = randn({3, 6, 20, 30});
    const Tensor expected = group_norm(plain, groups, weight, bias), found = group_norm(last, groups, weight, bias);
    CHECK(found.is_contiguous(channels_last));
    CHECK(allclose(found, expected, {.rtol = 1e-5, .atol = 1e-5}));
    expected.backward(up), found.backward(up);
    CHECK(last.grad().is_contiguous(channels_last));
    CHECK(allclose(last.grad(), plain.grad(), {.rtol = 1e-4, .atol = 1e-5}));
  }
}

TEST_CASE("group_norm: one, two and four threads give the same bits, in both orders") {
  const int before = num_threads();
  for (const bool last : {false, true}) {
    std::vector<std::vector<double>> found;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      manual_seed(1);
      Tensor x = randn({3, 6, 60, 61});
      if (last) x = x.contiguous(channels_last);
      x.requires_grad_();
      const Tensor weight = rand({6}, {.requires_grad = true}), y = group_norm(x, 2, weight);
      y.backward(randn_like(y));
      std::vector<double> all = values(y);
      for (const Tensor& gradient : {x.grad(), weight.grad()}) {
        const std::vector<double> more = values(gradient);
        all.insert(all.end(), more.begin(), more.end());
      }
      found.push_back(all);
    }
    CHECK((found[0] == found[1]));
    CHECK((found[0] == found[2]));
  }
  set_num_threads(before);
}

TEST_CASE("Dropout of channels: whole ones are dropped, the others scaled, and the gradient knows which") {
  manual_seed(1);
  nn::Dropout2d layer(0.25);
  const Tensor x = ones({50, 8, 3, 2}, {.requires_grad = true}), y = layer(x);
  y.backward(ones({50, 8, 3, 2}));
  CHECK(values(x.grad()) == values(y));
  const std::vector<double> least = values(amin(y, {2, 3})), most = values(amax(y, {2, 3}));
  CHECK(least == most);
  double kept = 0;
  for (const double one : least) {
    CHECK((one == 0 || one == Approx(1 / 0.75)));
    kept += one != 0;
  }
  CHECK(kept == Approx(300).margin(40));
  nn::eval(layer);
  CHECK(values(layer(x)) == values(x));
  CHECK(nn::Dropout1d(0.5)(ones({2, 3, 4})).shape() == Shape{2, 3, 4});
  CHECK(nn::Dropout3d(0.5)(ones({2, 3, 4, 1, 2})).shape() == Shape{2, 3, 4, 1, 2});
  CHECK_THROWS_WITH(layer(ones({2, 3, 4})), Catch::Contains("(N, C, H, W) is needed"));
  CHECK_THROWS_WITH(nn::Dropout2d(1.5), Catch::Contains("p is 1.5"));
}

TEST_CASE("AlphaDropout: keeps mean 0 and variance 1") {
  manual_seed(2);
  nn::AlphaDropout layer(0.3);
  const Tensor x = randn({100000}, {.requires_grad = true}), y = layer(x);
  CHECK(mean(y).item() == Approx(0).margin(0.02));
  CHECK(var(y).item() == Approx(1).margin(0.03));
  y.backward(ones_like(y));
  const std::vector<double> slopes = values(x.grad());
  const double scale = *std::max_element(slopes.begin(), slopes.end());
  for (std::size_t i = 0; i < slopes.size(); ++i) REQUIRE((slopes[i] == 0 || slopes[i] == scale));
  nn::eval(layer);
  CHECK(values(layer(x)) == values(x));
}
