#include <xgrad/nn/activation.hpp>
#include <xgrad/nn/sequential.hpp>

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
  CHECK(values(nn::Softplus()(x)) == values(softplus(x)));
  CHECK(values(nn::Softplus(2, 5)(x)) == values(softplus(x, 2, 5)));
}

TEST_CASE("activations: have no parameters, and appear in the summary") {
  const nn::Sequential net(nn::ReLU(), nn::LeakyReLU(0.2), nn::ELU(), nn::GELU(), nn::Softplus());
  CHECK(nn::state_dict(net).empty());
  CHECK_THAT(nn::summary(net), Catch::Contains("1       LeakyReLU\n"));
}
