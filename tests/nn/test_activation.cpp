#include <xgrad/nn/activation.hpp>
#include <xgrad/nn/sequential.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/slicing.hpp>

#include "../catch.hpp"
#include "modules.hpp"

TEST_CASE("activations: each layer is its function, with the parameters it was given") {
  const Tensor x = tensor({-2.0, -0.5, 0.0, 0.5, 3.0});
  CHECK(values(nn::ReLU()(x)) == std::vector<double>{0, 0, 0, 0.5, 3});
  CHECK(values(nn::LeakyReLU()(x)) == values(leaky_relu(x)));
  CHECK(values(nn::LeakyReLU(0.5)(x)) == std::vector<double>{-1, -0.25, 0, 0.5, 3});
  CHECK(values(nn::ELU()(x)) == values(elu(x)));
  CHECK(values(nn::ELU(2)(x)) == values(elu(x, 2)));
  CHECK(values(nn::GELU()(x)) == values(gelu(x)));
  CHECK(values(nn::GELU("tanh")(x)) == values(gelu(x, "tanh")));
  CHECK(values(nn::SiLU()(x)) == values(silu(x)));
  CHECK(values(nn::Sigmoid()(x)) == values(sigmoid(x)));
  CHECK(values(nn::Tanh()(x)) == values(tanh(x)));
  CHECK(values(nn::LogSigmoid()(x)) == values(logsigmoid(x)));
  CHECK(values(nn::Mish()(x)) == values(nn::mish(x)));
  CHECK(values(nn::SELU()(x)) == values(selu(x)));
  CHECK(values(nn::CELU(2)(x)) == values(celu(x, 2)));
  CHECK(values(nn::Softsign()(x)) == values(softsign(x)));
  CHECK(values(nn::Tanhshrink()(x)) == values(tanhshrink(x)));
  CHECK(values(nn::Hardtanh(-1, 2)(x)) == std::vector<double>{-1, -0.5, 0, 0.5, 2});
  CHECK(values(nn::ReLU6()(4 * x)) == std::vector<double>{0, 0, 0, 2, 6});
  CHECK(values(nn::Hardsigmoid()(x)) == values(hardsigmoid(x)));
  CHECK(values(nn::Hardswish()(x)) == values(hardswish(x)));
  CHECK(values(nn::Hardshrink(1)(x)) == std::vector<double>{-2, 0, 0, 0, 3});
  CHECK(values(nn::Softshrink(1)(x)) == std::vector<double>{-1, 0, 0, 0, 2});
  CHECK(values(nn::Threshold(0, -7)(x)) == std::vector<double>{-7, -7, -7, 0.5, 3});
  CHECK(values(nn::GLU(0)(slice(x, 0, 0, 4))) == values(glu(slice(x, 0, 0, 4), 0)));
  CHECK(values(nn::Softplus()(x)) == values(softplus(x)));
  CHECK(values(nn::Softplus(2, 5)(x)) == values(softplus(x, 2, 5)));
}

TEST_CASE("PReLU: learns its slopes") {
  nn::PReLU one, each(2, {.init = 0.5, .dtype = float64});
  CHECK(keys(nn::named_parameters(one)) == Keys{"weight"});
  CHECK(values(one.weight) == std::vector<double>{0.25});
  CHECK(values(one(tensor({-4.0, 4.0}))) == std::vector<double>{-1, 4});
  const Tensor x = tensor({{-4.0, -2.0}, {1.0, -6.0}}, {.dtype = float64});
  CHECK(values(each(x)) == std::vector<double>{-2, -1, 1, -3});
  each(x).backward(ones({2, 2}, {.dtype = float64}));
  CHECK(values(each.weight.grad()) == std::vector<double>{-4, -8});
  CHECK_THROWS_WITH(each(ones({2, 3}, {.dtype = float64})), Catch::Contains("which has 3 channels"));
}

TEST_CASE("RReLU: after eval, with the mean of the bounds") {
  nn::RReLU layer(0.25, 0.75);
  nn::eval(layer);
  CHECK(values(layer(tensor({-2.0, 2.0}))) == std::vector<double>{-1, 2});
}

TEST_CASE("activations: have no parameters, and appear in the summary") {
  const nn::Sequential net(nn::ReLU(), nn::LeakyReLU(0.2), nn::ELU(), nn::GELU(), nn::Softplus());
  CHECK(nn::state_dict(net).empty());
  CHECK_THAT(nn::summary(net), Catch::Contains("1       LeakyReLU\n"));
}
