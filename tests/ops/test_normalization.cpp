#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/node.hpp>
#include <xgrad/core/allocator.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/layer_norm.hpp>
#include <xgrad/ops/normalization.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

#include <cmath>
#include <vector>

#include "../catch.hpp"
#include "../operations/registry.hpp"

using namespace xgrad;

TEST_CASE("batch_norm: training with one value a channel leaves the running statistics alone, and evaluation works") {
  Tensor mean = full({3}, 0.5), variance = full({3}, 4);
  const Tensor x = ones({1, 3});
  CHECK_THROWS_AS(batch_norm(x, mean, variance, {}, {}, {.training = true}), Error);
  CHECK(mean.data<float>()[0] == 0.5f);
  CHECK(variance.data<float>()[2] == 4.0f);
  CHECK(batch_norm(x, mean, variance).data<float>()[1] == Approx(0.25).margin(1e-5));
}

TEST_CASE(
    "batch_norm: running statistics and their versions are unchanged when forward fails, whichever allocation does") {
  for (const Shape& shape : {Shape{70, 3}, Shape{4, 3, 2, 2}}) {
    const Tensor mean = full({3}, 0.5), variance = full({3}, 4), weight = ones({3}, {.requires_grad = true}),
                 x = transpose(randn(shape), 0, 1).contiguous();
    const auto forward = [&] {
      return batch_norm(transpose(x, 0, 1), mean, variance, weight, {}, {.training = true}).requires_grad();
    };
    const auto unchanged = [&] {
      return all(mean == 0.5).item<bool>() && all(variance == 4.0).item<bool>() && mean.version() == 0;
    };
    CHECK_THROWS_AS(batch_norm(x, mean, variance, weight, {}, {.training = true}), Error);  // 4 or 70 channels
    CHECK_THROWS_AS(batch_norm(transpose(x, 0, 1), mean, variance, ones({2}), {}, {.training = true}), Error);
    CHECK(unchanged());
    int failures = 0;
    for (bool done = false; !done; ++failures) {
      detail::fail_allocation_after(failures + 1);
      try {
        done = forward();
        detail::fail_allocation_after(0);
      } catch (const Error&) {
        CHECK(unchanged());
      }
    }
    CHECK(failures > 5);
    CHECK_FALSE(unchanged());
  }
}

TEST_CASE("batch_norm: a large offset costs no accuracy") {
  Generator generator(1);
  Tensor x = empty({512, 8});
  generator.normal(x.data<float>(), x.numel(), 1000, 1);
  const Tensor y = batch_norm(x, {}, {}, {}, {}, {.training = true});
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < 512; ++i) sum += y.data<float>()[i * 8], squares += std::pow(y.data<float>()[i * 8], 2);
  CHECK(std::abs(sum / 512) < 1e-4);
  CHECK(squares / 512 == Approx(1).margin(1e-3));
}

TEST_CASE("batch_norm: one, two and four threads give the same bits") {
  const auto run = [](const Shape& shape, bool last, int threads) {
    set_num_threads(threads);
    Tensor x = empty(shape), upstream = empty(shape);
    Generator(1).normal(x.data<float>(), x.numel(), 0, 1);
    Generator(2).normal(upstream.data<float>(), x.numel(), 0, 1);
    if (last) x = x.contiguous(channels_last);
    x.requires_grad_();
    Tensor weight = full({shape[1]}, 1.5, {.requires_grad = true}), bias = zeros({shape[1]}, {.requires_grad = true});
    Tensor y = batch_norm(x, {}, {}, weight, bias, {.training = true});
    y.backward(upstream);
    std::vector<float> all = y.to_vector<float>();
    for (const Tensor& t : {x.grad(), weight.grad(), bias.grad()}) {
      const std::vector<float> more = t.to_vector<float>();
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  };
  const int before = num_threads();
  for (const auto& [shape, last] : {std::pair{Shape{300, 300}, false}, std::pair{Shape{16, 20, 30, 31}, false},
                                    std::pair{Shape{7, 6, 61, 59}, true}, std::pair{Shape{3, 150, 31, 30}, true}}) {
    CAPTURE(shape);
    const auto expected = run(shape, last, 1);
    CHECK((run(shape, last, 2) == expected));
    CHECK((run(shape, last, 4) == expected));
  }
  set_num_threads(before);
}

TEST_CASE("layer_norm: one, two and four threads give the same bits") {
  const auto run = [](int threads) {
    set_num_threads(threads);
    Tensor x = empty({1000, 129}), upstream = empty({1000, 129});
    Generator(1).normal(x.data<float>(), x.numel(), 100, 1);
    Generator(2).normal(upstream.data<float>(), x.numel(), 0, 1);
    x.requires_grad_();
    const Tensor weight = full({129}, 1.5, {.requires_grad = true}), bias = zeros({129}, {.requires_grad = true});
    const Tensor y = layer_norm(x, {129}, weight, bias);
    y.backward(upstream);
    std::vector<float> all(y.data<float>(), y.data<float>() + y.numel());
    for (const Tensor& t : {x.grad(), weight.grad(), bias.grad()})
      all.insert(all.end(), t.data<float>(), t.data<float>() + t.numel());
    return all;
  };
  const int before = num_threads();
  const auto expected = run(1);
  CHECK((run(2) == expected));
  CHECK((run(4) == expected));
  set_num_threads(before);
}

TEST_CASE("layer_norm: a large offset costs no accuracy") {
  Tensor x = empty({8, 512});
  Generator(1).normal(x.data<float>(), x.numel(), 1000, 1);
  const Tensor y = layer_norm(x, {512});
  for (std::int64_t row = 0; row < 8; ++row) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < 512; ++i) {
      const double value = y.data<float>()[row * 512 + i];
      sum += value, squares += value * value;
    }
    CHECK(std::abs(sum / 512) < 1e-4);
    CHECK(squares / 512 == Approx(1).margin(1e-3));
  }
}

TEST_CASE("dropout: keeps what it should, scales it, and gives the gradient of what it kept") {
  manual_seed(5);
  Tensor x = ones({100, 100}, {.requires_grad = true});
  Tensor y = dropout(x, 0.25);
  y.backward(ones({100, 100}));
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    const float value = y.data<float>()[i];
    CHECK((value == 0 || value == Approx(1 / 0.75)));
    CHECK(x.grad().data<float>()[i] == value);
    kept += value != 0;
  }
  CHECK(kept == Approx(7500).margin(300));
  manual_seed(5);
  const Tensor again = dropout(x, 0.25);
  for (std::int64_t i = 0; i < y.numel(); ++i) REQUIRE(again.data<float>()[i] == y.data<float>()[i]);
}

TEST_CASE("dropout: gradients agree with central differences for one mask") {
  const auto f = [](const Tensor& x) {
    manual_seed(7);
    return dropout(x, 0.4);
  };
  CHECK(gradcheck(f, {detail::sample_normal({5, 4})}));
  CHECK(gradgradcheck(f, {detail::sample_normal({5, 4})}));
}
