#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/norm.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

struct Case {
  double p;
  Doubles x;
  double value;
  Doubles gradient;
};

// As PyTorch 1.13 gives them. NaN under p = infinity is apart: it shares the gradient here as the largest element does.
const Case cases[] = {
    {2, {0, 0}, 0, {0, 0}},
    {2, {3, -4}, 5, {0.6, -0.8}},
    {2, {NaN, 1}, NaN, {NaN, NaN}},
    {2, {inf, 1}, inf, {NaN, 0}},
    {2, {-inf, inf}, inf, {NaN, NaN}},
    {1, {0, 0}, 0, {0, 0}},
    {1, {3, -4}, 7, {1, -1}},
    {1, {0, 2}, 2, {0, 1}},
    {0.5, {0, 0}, 0, {0, 0}},
    {0.5, {0, 2}, 2, {0, 1}},
    {1.5, {0, 0}, 0, {0, 0}},
    {1.5, {0, 2}, 2, {0, 1}},
    {1.5, {NaN, 1}, NaN, {NaN, NaN}},
    {3, {0, 0}, 0, {0, 0}},
    {3, {0, 2}, 2, {0, 1}},
    {3, {inf, 1}, inf, {NaN, 0}},
    {inf, {0, 0}, 0, {0, 0}},
    {inf, {3, -4}, 4, {0, -1}},
    {inf, {2, 2}, 2, {0.5, 0.5}},
    {inf, {-inf, inf}, inf, {-0.5, 0.5}},
    {-inf, {3, -4}, 3, {1, 0}},
    {-inf, {2, -2}, 2, {0.5, -0.5}},
};

}  // namespace

TEST_CASE("norm: values and gradients at zeros, ties, infinities and NaN") {
  for (const Case& each : cases) {
    CAPTURE(each.p, each.x);
    const Tensor x = doubles_of(each.x), y = norm(x, each.p);
    CHECK(alike({y.item()}, {each.value}));
    y.backward();
    CHECK(alike(values<double>(x.grad()), each.gradient));
  }
}

TEST_CASE("norm: p = 0 counts, without a gradient") {
  const Tensor x = doubles({0, NaN, 3});
  CHECK(norm(x, 0).item() == 2);
  CHECK(norm(x, 0).dtype() == float64);
  CHECK_FALSE(norm(x, 0).requires_grad());
}

TEST_CASE("norm: squares of float32 neither overflow nor vanish") {
  CHECK(norm(tensor({3e30, -4e30})).item<float>() == Approx(5e30f));
  CHECK(norm(tensor({3e-30, -4e-30})).item<float>() == Approx(5e-30f));
}

TEST_CASE("norm: of nothing, of integers, of NaN") {
  CHECK(norm(zeros({0})).item() == 0);
  CHECK(norm(zeros({0}), 3).item() == 0);
  CHECK_THROWS_WITH(norm(zeros({0}), inf), Catch::Contains("amax: shape (0,)"));
  CHECK(norm(integers({3, 4})).dtype() == float32);
  CHECK(norm(integers({3, 4})).item() == 5);
  CHECK_THROWS_WITH(norm(ones({2}), NaN), Catch::Contains("norm: p is NaN"));
  CHECK_THROWS_WITH(norm(ones({2}), 2, 1), Catch::Contains("norm: axis 1 is out of range"));
}

TEST_CASE("logsumexp: elements of any size, and infinite ones as PyTorch") {
  const struct {
    Doubles x;
    double value;
    Doubles gradient;
  } rows[] = {
      {{1e30, -1e30}, 1e30, {1, 0}},
      {{-1e30, -1e30}, -1e30, {0.5, 0.5}},  // PyTorch: 1 and 1, for log 2 is lost beside 1e30
      {{-inf, -inf}, -inf, {NaN, NaN}},
      {{inf, 1}, inf, {NaN, 0}},
      {{-inf, 0}, 0, {0, 1}},
      {{NaN, 1}, NaN, {NaN, NaN}},
      {{1000, 1000}, 1000 + std::log(2), {0.5, 0.5}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.x);
    const Tensor x = doubles_of(row.x), y = logsumexp(x);
    CHECK(alike({y.item()}, {row.value}));
    y.backward();
    CHECK(alike(values<double>(x.grad()), row.gradient));
  }
  CHECK(logsumexp(zeros({0})).item() == -inf);
  CHECK(alike(values<double>(logsumexp(doubles({{0, 0}, {-inf, -inf}}), 1)), {std::log(2), -inf}));
}
