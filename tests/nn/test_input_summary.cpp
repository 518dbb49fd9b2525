#include <xgrad/nn/batch_norm.hpp>
#include <xgrad/nn/conv.hpp>
#include <xgrad/nn/input_summary.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/pooling.hpp>
#include <xgrad/ops/shape.hpp>

#include "../catch.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

struct Net {
  nn::Conv2d conv{3, 8, 3, {.stride = 2, .padding = 1, .groups = 1}};
  nn::BatchNorm2d bn{8};
  nn::ConvTranspose2d up{8, 4, 2, {.stride = 2}};
  nn::Linear fc{4 * 8 * 8, 10}, unused{3, 3};
  Tensor scale = ones({10}, {.requires_grad = true});

  Tensor operator()(const Tensor& x) {
    Tensor h = flatten(up(relu(bn(conv(x)))), 1);
    h = fc(h);
    return matmul(transpose(h, 0, 1), h * scale);
  }
};

}  // namespace

TEST_CASE("nn::summary of an input: shapes of outputs and multiply-adds") {
  Net net;
  nn::requires_grad_(net.conv, false);
  const auto costs = nn::costs(net, zeros({2, 3, 8, 8}));
  REQUIRE(costs.size() == 6);
  const nn::ModuleCost &own = costs[0], &conv = costs[1], &bn = costs[2], &up = costs[3], &fc = costs[4],
                       &unused = costs[5];
  CHECK(own.name.empty());
  CHECK(own.parameters == 10);
  CHECK(*own.output == Shape{2, 10});
  CHECK(own.multiply_adds == 0);
  CHECK(conv.name == "conv");
  CHECK(conv.type == "Conv2d");
  CHECK(*conv.output == Shape{2, 8, 4, 4});
  CHECK(conv.multiply_adds == 2 * 8 * 4 * 4 * 3 * 9);
  CHECK(*bn.output == Shape{2, 8, 4, 4});
  CHECK(bn.multiply_adds == 0);
  CHECK(*up.output == Shape{2, 4, 8, 8});
  CHECK(up.multiply_adds == 2 * 8 * 4 * 4 * 4 * 4);
  CHECK(*fc.output == Shape{2, 10});
  CHECK(fc.multiply_adds == 2 * 256 * 10);
  CHECK(fc.parameters == 2570);
  CHECK(!unused.output);
  CHECK(!net.conv.weight.requires_grad());  // as it was
  CHECK(net.bn.training);

  const std::string table = nn::summary(net, Shape{2, 3, 8, 8});
  CHECK_THAT(table, Contains("Net of (2, 3, 8, 8)\n") &&
                        Contains("conv    Conv2d           (2, 8, 4, 4)         224") &&
                        Contains("Output: (10, 10)\n") && Contains("(200 of products without parameters)"));
  CHECK_THROWS_WITH(nn::summary(net, Shape{2, 4, 8, 8}), Contains("conv2d"));
}
