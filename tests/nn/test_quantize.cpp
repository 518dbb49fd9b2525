#include <xgrad/nn/quantize.hpp>
#include <xgrad/ops/quantized_linear.hpp>
#include <xgrad/xgrad.hpp>

#include <cmath>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;

namespace {

struct Block {
  nn::Linear up{12, 40}, down{40, 12, {.bias = false}};
  Tensor operator()(const Tensor& x) const { return x + down(relu(up(x))); }
};
struct Net {
  nn::Sequential body{Block(), nn::LayerNorm(12), Block()};
  std::vector<nn::Linear> heads{nn::Linear(12, 5)};
  Tensor operator()(const Tensor& x) { return heads[0](body(x)); }
};

/// x with each row's scale: the largest size by 127.
Tensor scales_of(const Tensor& x) { return amax(abs(x), -1, {.keepdim = true}) / 127; }

std::int64_t bytes(const NamedTensors& tensors) {
  std::int64_t sum = 0;
  for (const auto& [name, tensor] : tensors)
    sum += tensor.numel() * static_cast<std::int64_t>(item_size(tensor.dtype()));
  return sum;
}

double largest(const Tensor& x) { return amax(abs(x)).item(); }

}  // namespace

TEST_CASE(
    "quantize: a linear map of bytes is that of the rounded factors, summed up exactly, and as near as rounding") {
  manual_seed(4);
  const NoGrad no_grad;
  for (const auto [m, n, k] :
       {std::array<std::int64_t, 3>{1, 1, 1}, {1, 37, 130}, {3, 9, 64}, {5, 6, 33}, {70, 150, 300}}) {
    CAPTURE(m, n, k);
    const Tensor x = randn({m, k}), w = randn({n, k}), bias = randn({n});
    const auto [values, scales] = detail::quantize_rows("test", w);
    const auto [x_values, x_scales] = detail::quantize_rows("test", x);
    CHECK(values.dtype() == int8);
    CHECK(largest(values.to(float64)) == 127);
    const Tensor y = detail::quantized_linear(x, values, scales, bias);
    const Tensor sums = matmul(x_values.to(float64), transpose(values.to(float64), 0, 1));
    const Tensor same = sums * (unsqueeze(x_scales, 1) * unsqueeze(scales, 0)).to(float64) + bias.to(float64);
    CHECK(largest(y.to(float64) - same) <= 0x1p-21 * (1 + largest(same)));

    const Tensor X = x.to(float64), W = w.to(float64), half_x = scales_of(X) / 2, half_w = scales_of(W) / 2;
    const Tensor off = half_x * unsqueeze(sum(abs(W), 1), 0) +
                       sum(abs(X), 1, {.keepdim = true}) * transpose(half_w, 0, 1) +
                       static_cast<double>(k) * half_x * transpose(half_w, 0, 1);
    CHECK(amax(abs(y.to(float64) - linear(X, W, bias.to(float64))) - off).item() < 1e-4);
  }
}

TEST_CASE("quantize: rows of zeros, NaN and infinity, empty inputs, and other dtypes") {
  const NoGrad no_grad;
  const auto [values, scales] = detail::quantize_rows("test", tensor({{0.0, 0.0}, {2.0, -1.0}}));
  CHECK(values.to_vector<int>() == std::vector<int>{0, 0, 127, -64});  // 63.5 to even
  CHECK(scales.at({0}) == 1);
  const Tensor y =
      detail::quantized_linear(tensor({{NAN, 1.0}, {INFINITY, 1.0}, {0.0, 0.0}}).to(float32), values, scales, {});
  CHECK(std::isnan(y.at({0, 1})));
  CHECK(std::isnan(y.at({1, 1})));
  CHECK(y.at({2, 1}) == 0);
  CHECK(detail::quantized_linear(zeros({2, 0, 2}), values, scales, {}).shape() == Shape{2, 0, 2});
  CHECK(detail::quantized_linear(zeros({3, 2}, {.dtype = bfloat16}), values, scales, {}).dtype() == bfloat16);
}

TEST_CASE("quantize: the same bits for any number of threads", "[threads]") {
  manual_seed(5);
  const NoGrad no_grad;
  const int before = num_threads();
  const Tensor x = randn({90, 500});
  const auto [values, scales] = detail::quantize_rows("test", randn({300, 500}));
  set_num_threads(1);
  const Tensor alone = detail::quantized_linear(x, values, scales, {});
  set_num_threads(3);
  CHECK(all(detail::quantized_linear(x, values, scales, {}) == alone).item<bool>());
  set_num_threads(before);
}

TEST_CASE("quantize: a model of the same kind, a quarter as large, saved and loaded") {
  manual_seed(6);
  const NoGrad no_grad;
  Net net;
  const Tensor x = randn({8, 12}), exact = net(x);
  Net small = nn::quantize(net);
  const Tensor y = small(x);
  CHECK(largest(y - exact) < 0.05 * largest(exact));
  CHECK(largest(y - exact) > 0);
  CHECK(largest(net(x) - exact) == 0);
  CHECK(bytes(nn::state_dict(small)) < 0.5 * static_cast<double>(bytes(nn::state_dict(net))));
  const NamedTensors state = nn::state_dict(small);
  CHECK(state["heads.0.weight"].dtype() == int8);
  CHECK(state["body.0.up.weight_scale"].shape() == Shape{40});

  const TemporaryDirectory directory;
  const std::string path = directory.path("small.safetensors");
  save(small, path);
  Net other = nn::quantize(Net());
  CHECK(largest(other(x) - y) > 0);
  load(other, path);
  CHECK(largest(other(x) - y) == 0);
  CHECK(largest(nn::clone(other)(x) - y) == 0);
  Net plain;
  CHECK_THROWS_WITH(load(plain, path), Catch::Contains("unexpected: ") && Catch::Contains("weight_scale"));
  CHECK_THROWS_WITH(nn::quantize(small), Catch::StartsWith("quantize: Net has no Linear layer with a floating weight"));
}

TEST_CASE("quantize: what has no bytes to give, and gradients, are errors") {
  const nn::Sequential none{nn::ReLU()};
  CHECK_THROWS_WITH(nn::quantize(none), Catch::StartsWith("quantize: "));
  nn::Linear fc(3, 2);
  const nn::Linear small = nn::quantize(fc);
  const Tensor x = ones({1, 3}, {.requires_grad = true});
  CHECK_THROWS_WITH(small(x), Catch::Contains("the input requires a gradient, which a weight of int8 does not have"));
  CHECK_THROWS_WITH(small(ones({1, 4})), Catch::Contains("the last size of the input must be 3"));
  CHECK_THROWS_WITH(small(ones({1, 3}, {.dtype = int64})), Catch::Contains("input is int64"));
  const NoGrad no_grad;
  fc.weight.copy_(full({2, 3}, INFINITY));
  CHECK_THROWS_WITH(nn::quantize(fc), Catch::StartsWith("quantize: row 0 of a weight of shape (2, 3)"));
}
