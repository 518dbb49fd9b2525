#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/activation.hpp>
#include <xgrad/nn/conv.hpp>
#include <xgrad/nn/flatten.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/nn/pooling.hpp>
#include <xgrad/nn/sequential.hpp>

#include <algorithm>
#include <cmath>

#include "../catch.hpp"
#include "modules.hpp"

namespace {

/// Uniform up to a bound, which is nearly reached.
void check_uniform(const Tensor& tensor, double bound) {
  const auto all = values(tensor);
  CHECK(*std::min_element(all.begin(), all.end()) == Approx(-bound).epsilon(0.05));
  CHECK(*std::max_element(all.begin(), all.end()) == Approx(bound).epsilon(0.05));
}

}  // namespace

TEST_CASE("Conv: parameters have PyTorch's names and shapes, and begin as PyTorch's") {
  manual_seed(0);
  nn::Conv2d conv{16, 64, {3, 5}, {.groups = 2, .dtype = float64}};
  CHECK(keys(nn::named_parameters(conv)) == Keys{"weight", "bias"});
  CHECK(conv.weight.shape() == Shape{64, 8, 3, 5});
  CHECK(conv.bias.shape() == Shape{64});
  CHECK(conv.weight.dtype() == float64);
  check_uniform(conv.weight, 1 / std::sqrt(8.0 * 15));
  check_uniform(conv.bias, 1 / std::sqrt(8.0 * 15));
  CHECK(nn::parameters(nn::Conv2d(1, 32, 3, {.padding = 1, .bias = false})).size() == 1);
  CHECK(nn::Conv1d(2, 3, 4).weight.shape() == Shape{3, 2, 4});
  CHECK(nn::Conv3d(2, 3, {1, 2, 3}).weight.shape() == Shape{3, 2, 1, 2, 3});

  nn::ConvTranspose2d transposed{16, 64, 3, {.groups = 2}};
  CHECK(transposed.weight.shape() == Shape{16, 32, 3, 3});
  CHECK(transposed.bias.shape() == Shape{64});
  check_uniform(transposed.weight, 1 / std::sqrt(32.0 * 9));
  CHECK(nn::ConvTranspose1d(2, 3, 4).weight.shape() == Shape{2, 3, 4});
  CHECK(nn::ConvTranspose3d(2, 3, 2).weight.shape() == Shape{2, 3, 2, 2, 2});
}

TEST_CASE("Conv: a layer computes what the function does, with the padding that it says") {
  const Tensor x = randn({2, 3, 6, 5});
  nn::Conv2d plain{3, 4, 3, {.stride = 2, .padding = {1, 2}}};
  CHECK(values(plain(x)) == values(conv2d(x, plain.weight, plain.bias, {.stride = 2, .padding = {1, 2}})));
  for (const PadMode mode : {PadMode::reflect, PadMode::replicate, PadMode::circular}) {
    nn::Conv2d conv{3, 4, 3, {.padding = {1, 2}, .padding_mode = mode}};
    const Tensor padded = pad(x, {2, 2, 1, 1}, {.mode = mode});
    CHECK(values(conv(x)) == values(conv2d(padded, conv.weight, conv.bias)));
    nn::Conv2d same{3, 4, {2, 3}, {.padding = "same", .padding_mode = mode}};
    CHECK(values(same(x)) == values(conv2d(pad(x, {1, 1, 0, 1}, {.mode = mode}), same.weight, same.bias)));
  }
  nn::Conv1d conv1{3, 2, 3, {.padding = "same"}};
  CHECK(conv1(ones({1, 3, 7})).shape() == Shape{1, 2, 7});
  nn::Conv3d conv3{1, 2, 2};
  CHECK(conv3(ones({1, 1, 3, 4, 5})).shape() == Shape{1, 2, 2, 3, 4});
  CHECK(nn::ConvTranspose1d(3, 2, 3, {.stride = 2})(ones({1, 3, 4})).shape() == Shape{1, 2, 9});
  CHECK(nn::ConvTranspose2d(3, 2, 2, {.stride = 2, .output_padding = 1})(x).shape() == Shape{2, 2, 13, 11});
  CHECK(nn::ConvTranspose3d(1, 2, 2)(ones({1, 1, 3, 4, 5})).shape() == Shape{1, 2, 4, 5, 6});
}

TEST_CASE("Conv: errors of a layer name what is wrong, and where") {
  CHECK_THROWS_WITH(nn::Conv2d(3, 4, 3, {.groups = 2}), Catch::StartsWith("Conv2d: groups is 2; it must divide both"));
  CHECK_THROWS_WITH(nn::Conv2d(0, 4, 3), Catch::StartsWith("Conv2d: 0 to 4 channels"));
  CHECK_THROWS_WITH(nn::Conv2d(1, 4, {1, 2, 3}), Catch::StartsWith("Conv2d: kernel_size has 3 numbers"));
  CHECK_THROWS_WITH(nn::Conv2d(1, 4, 0), Catch::StartsWith("Conv2d: kernel_size is (0, 0)"));
  CHECK_THROWS_WITH(nn::Conv2d(1, 4, 3, {.stride = 2, .padding = "same"}), Catch::Contains("possible with stride 1"));
  CHECK_THROWS_WITH(nn::ConvTranspose2d(1, 4, 3, {.stride = 0}),
                    Catch::StartsWith("ConvTranspose2d: stride is (0, 0)"));
  nn::Sequential net(nn::Conv2d(1, 4, 3), nn::ReLU(), nn::Conv2d(5, 4, 3));
  CHECK_THROWS_WITH(net(ones({1, 1, 9, 9})), Catch::Contains("has 4 channels") && Catch::Contains("in 2"));
}

TEST_CASE("pooling layers compute what the functions do, and stand in a Sequential") {
  const Tensor x = randn({2, 3, 6, 4}), line = randn({2, 3, 6}), volume = randn({1, 2, 4, 4, 4});
  CHECK(values(nn::MaxPool2d(2)(x)) == values(max_pool2d(x, 2)));
  CHECK(values(nn::MaxPool2d({3, 2}, {.stride = 1})(x)) == values(max_pool2d(x, {3, 2}, {.stride = 1})));
  CHECK(values(nn::AvgPool2d(2)(x)) == values(avg_pool2d(x, 2)));
  CHECK(values(nn::AdaptiveAvgPool2d(1)(x)) == values(adaptive_avg_pool2d(x, 1)));
  CHECK(values(nn::AdaptiveMaxPool2d({3, 1})(x)) == values(adaptive_max_pool2d(x, {3, 1})));
  CHECK(values(nn::LPPool2d(2, 2)(x)) == values(lp_pool2d(x, 2, 2)));
  CHECK(values(nn::MaxPool1d(2)(line)) == values(max_pool1d(line, 2)));
  CHECK(values(nn::AvgPool1d(2)(line)) == values(avg_pool1d(line, 2)));
  CHECK(values(nn::AdaptiveAvgPool1d(2)(line)) == values(adaptive_avg_pool1d(line, 2)));
  CHECK(values(nn::AdaptiveMaxPool1d(2)(line)) == values(adaptive_max_pool1d(line, 2)));
  CHECK(values(nn::LPPool1d(2, 2)(line)) == values(lp_pool1d(line, 2, 2)));
  CHECK(values(nn::MaxPool3d(2)(volume)) == values(max_pool3d(volume, 2)));
  CHECK(values(nn::AvgPool3d(2)(volume)) == values(avg_pool3d(volume, 2)));
  CHECK(values(nn::AdaptiveAvgPool3d(2)(volume)) == values(adaptive_avg_pool3d(volume, 2)));
  CHECK(values(nn::AdaptiveMaxPool3d(2)(volume)) == values(adaptive_max_pool3d(volume, 2)));
  CHECK(values(nn::LPPool3d(2, 2)(volume)) == values(lp_pool3d(volume, 2, 2)));
  const ValuesAndIndices found = max_pool2d_with_indices(x, 2);
  CHECK(values(nn::MaxUnpool2d(2)(found.values, found.indices)) ==
        values(max_unpool2d(found.values, found.indices, 2)));

  nn::Sequential net(nn::Conv2d(3, 8, 3, {.padding = 1}), nn::ReLU(), nn::MaxPool2d(2), nn::AdaptiveAvgPool2d(1),
                     nn::Flatten(), nn::Linear(8, 10));
  CHECK(net(x).shape() == Shape{2, 10});
  CHECK(keys(nn::state_dict(net)) == Keys{"0.weight", "0.bias", "5.weight", "5.bias"});
}
