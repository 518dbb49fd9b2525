#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

const Doubles points = {0, -1, inf, -inf, NaN, 2};

struct Expected {
  const char* name;
  Tensor (*f)(const Tensor&);
  Doubles value, gradient;  // as PyTorch 1.13 gives them
};

const Expected table[] = {
    {"relu", [](auto& x) { return relu(x); }, {0, 0, inf, 0, NaN, 2}, {0, 0, 1, 0, 1, 1}},
    {"leaky_relu",
     [](auto& x) { return leaky_relu(x); },
     {0, -0.01, inf, -inf, NaN, 2},
     {0.01, 0.01, 1, 0.01, 0.01, 1}},
    {"elu", [](auto& x) { return elu(x); }, {0, std::expm1(-1), inf, -1, NaN, 2}, {1, std::exp(-1), 1, 0, 1, 1}},
    {"gelu",
     [](auto& x) { return gelu(x); },
     {0, -0.15865525393145702, inf, NaN, NaN, 1.9544997361036416},
     {0.5, -0.08331547058768635, NaN, NaN, NaN, 1.085231801078197}},
    {"gelu tanh",
     [](auto& x) { return gelu(x, "tanh"); },
     {0, -0.15880800939172324, inf, NaN, NaN, 1.954597694087775},
     {0.5, -0.08296408384578252, NaN, NaN, NaN, 1.0860992566236183}},
    {"silu",
     [](auto& x) { return silu(x); },
     {0, -0.2689414213699951, inf, NaN, NaN, 1.7615941559557646},
     {0.5, 0.07232948812851325, NaN, NaN, NaN, 1.0907842487848955}},
    {"softplus",
     [](auto& x) { return softplus(x); },
     {0.6931471805599453, 0.31326168751822286, inf, 0, NaN, 2.1269280110429727},
     {0.5, 0.2689414213699951, 1, 0, NaN, 0.8807970779778824}},
};

}  // namespace

TEST_CASE("activations: values and gradients at 0, infinity and NaN are PyTorch's") {
  for (const Expected& op : table) {
    INFO(op.name);
    for (const bool recorded : {false, true}) {
      const Tensor x = doubles_of(points);
      const Tensor y = op.f(x);
      const Doubles value = values<double>(y);
      const GradOptions options = {.create_graph = recorded, .grad_outputs = {ones({6}, {.dtype = float64})}};
      const Doubles gradient = values<double>(grad(y, {x}, options)[0]);
      CAPTURE(recorded, value, gradient);
      CHECK(alike(value, op.value));
      CHECK(alike(gradient, op.gradient));
    }
  }
}

TEST_CASE("activations: second derivatives are finite far from 0") {
  const auto second = [](Tensor (*f)(const Tensor&), double at) {
    const Tensor x = doubles({at});
    const Tensor first = grad(f(x), {x}, {.create_graph = true})[0];
    return grad(first, {x}, {.allow_unused = true})[0];
  };
  for (const double at : {-1000.0, 1000.0}) {
    CAPTURE(at);
    for (Tensor (*f)(const Tensor&) :
         {+[](const Tensor& x) { return elu(x); }, +[](const Tensor& x) { return gelu(x); },
          +[](const Tensor& x) { return gelu(x, "tanh"); }, +[](const Tensor& x) { return silu(x); },
          +[](const Tensor& x) { return softplus(x); }}) {
      const Tensor d = second(f, at);
      REQUIRE(d.defined());
      CHECK(d.item() == Approx(0).margin(1e-12));
    }
  }
}

TEST_CASE("softplus: linear above the threshold") {
  CHECK(softplus(doubles({21})).item() == 21);
  CHECK(softplus(doubles({2}), 2, 3).item() == 2);
  CHECK(softplus(doubles({-800})).item() == Approx(0).margin(1e-300));
  CHECK_THROWS_WITH(softplus(ones({1}), 0), Catch::Contains("softplus: beta is 0"));
}

TEST_CASE("gelu: an unknown approximation is an error") {
  CHECK_THROWS_WITH(gelu(ones({1}), "erf"), "gelu: approximate is \"erf\", expected \"none\" or \"tanh\"");
}

TEST_CASE("relu: saves its output alone") {
  Tensor x = tensor({-1.0, 2.0}, {.requires_grad = true});
  const Tensor y = relu(x);
  x.impl().storage->raise_version();
  CHECK_NOTHROW(sum_to(y, {}).backward());
  CHECK(values<float>(x.grad()) == Floats{0, 1});
}
