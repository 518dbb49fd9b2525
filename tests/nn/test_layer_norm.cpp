#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/layer_norm.hpp>

#include "../catch.hpp"
#include "modules.hpp"

TEST_CASE("LayerNorm: begins as PyTorch's and normalises the last axes") {
  nn::LayerNorm ln(2);
  CHECK(keys(nn::named_parameters(ln)) == Keys{"weight", "bias"});
  CHECK(values(ln.weight) == std::vector<double>{1, 1});
  CHECK(values(ln.bias) == std::vector<double>{0, 0});
  const auto y = values(ln(tensor({{1.0, 3.0}, {10.0, 30.0}})));
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == Approx(i % 2 == 0 ? -1 : 1).epsilon(1e-4));
  nn::load_state_dict(ln, {{"weight", tensor({2.0, 2.0})}, {"bias", tensor({5.0, 5.0})}});
  CHECK(values(ln(tensor({{1.0, 3.0}})))[1] == Approx(7).epsilon(1e-4));
}

TEST_CASE("LayerNorm: options") {
  CHECK(nn::named_parameters(nn::LayerNorm({3, 4}, {.elementwise_affine = false})).empty());
  nn::LayerNorm ln({3, 4}, {.bias = false, .dtype = float64});
  CHECK(keys(nn::named_parameters(ln)) == Keys{"weight"});
  CHECK(ln.weight.shape() == Shape{3, 4});
  CHECK(ln(zeros({2, 3, 4}, {.dtype = float64})).shape() == Shape{2, 3, 4});
  CHECK_THROWS_WITH(ln(zeros({4, 3}, {.dtype = float64})), Catch::Contains("are not (3, 4)"));
  CHECK_THROWS_WITH(nn::LayerNorm(Shape{}), Catch::Contains("empty"));
  CHECK_THROWS_AS(nn::LayerNorm(-1), Error);
}
