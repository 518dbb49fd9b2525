#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/distance_loss.hpp>
#include <xgrad/ops/reduce.hpp>

#include "../catch.hpp"

using namespace xgrad;

TEST_CASE("binary_cross_entropy: logarithms end at -100, gradients at the bounds are PyTorch's") {
  const Tensor p = tensor({0, 0, 1, 1}, {.dtype = float64, .requires_grad = true}),
               t = tensor({0, 1, 0, 1}, {.dtype = float64, .requires_grad = true});
  const Tensor losses = binary_cross_entropy(p, t, {.reduction = Reduction::none});
  CHECK(losses.to_vector<double>() == std::vector<double>{0, 100, 100, 0});
  const auto gradients = grad(sum(losses), {p, t});
  CHECK(gradients[0].to_vector<double>() == std::vector<double>{0, -1e12, 1e12, 0});
  CHECK(gradients[1].to_vector<double>() == std::vector<double>{100, 100, -100, -100});
}

TEST_CASE("gaussian_nll_loss: a variance below eps has the gradient of eps") {
  const Tensor var = tensor({1e-9}, {.dtype = float64, .requires_grad = true}), x = zeros({1}, {.dtype = float64});
  const Tensor loss = gaussian_nll_loss(x, x, var, {.eps = 0.25});
  CHECK(loss.item() == Approx(0.5 * std::log(0.25)));
  CHECK(grad(loss, var).item() == Approx(2));
}

TEST_CASE("kl_div: a target of 0 counts nothing") {
  const Tensor x = tensor({-1.0, -2.0}, {.dtype = float64, .requires_grad = true}),
               t = tensor({0.0, 1.0}, {.dtype = float64});
  const Tensor loss = kl_div(x, t, {.reduction = Reduction::sum});
  CHECK(loss.item() == 2);
  CHECK(grad(loss, x, {.create_graph = true}).to_vector<double>() == std::vector<double>{0, -1});
}
