#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/matmul.hpp>
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

// As PyTorch gives them. NaN under p = infinity is apart: it shares the gradient here as the largest element does.
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
    {2.5, {0, 2}, 2, {0, 1}},
    {0.5, {inf, 1}, inf, {NaN, inf}},
    {-1, {0, 3, -4}, 0, {0, 0, 0}},
    {-1, {inf, 1}, 1, {0, 1}},
    {-1, {1, -2}, 2. / 3, {4. / 9, -1. / 9}},
    {-2, {NaN, 1}, NaN, {NaN, NaN}},
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

TEST_CASE("norm: powers beyond the range of the dtype, by every p") {
  for (const double p : {2.0, 1.5, 3.0, 0.5, -1.0, -2.5, 20.0, -20.0})
    for (const double scale : {1e-250, 1e-160, 1e160, 1e250}) {
      CAPTURE(p, scale);
      const Tensor x = doubles({{3 * scale, -4 * scale}, {3, -4}, {0, 0}}), y = norm(x, p, 1);
      const double expected = std::pow(std::pow(3, p) + std::pow(4, p), 1 / p);
      CHECK(values<double>(y)[0] == Approx(expected * scale));
      CHECK(values<double>(y)[1] == Approx(expected));
      CHECK(values<double>(y)[2] == 0);
      y.backward(ones({3}, {.dtype = float64}));
      const Doubles gradient = values<double>(x.grad());
      for (const std::size_t i : {0, 1}) CHECK(gradient[i] == Approx(gradient[2 + i]));
    }
  CHECK(norm(tensor({3e30, -4e30}), 20).item<float>() ==
        Approx(std::pow(std::pow(3., 20) + std::pow(4., 20), .05) * 1e30));
}

TEST_CASE("norm: second derivatives at zero elements are finite, in every direction") {
  const auto at = [](double p, const Doubles& x) {
    const auto f = [p](const Tensor& v) { return norm(v, p); };
    const Tensor in = doubles_of(x).detach(), along = in + 1;
    const Tensor matrix = hessian(f, in);
    CHECK(alike(values<double>(hvp(f, in, along)), values<double>(matmul(matrix, along))));
    return values<double>(matrix);
  };
  CHECK(alike(at(1.5, {0, 3, -4}),
              {0, 0, 0, 0, 0.07405759419872276, 0.05554319564904206, 0, 0.05554319564904206, 0.04165739673678155}));
  CHECK(alike(at(2.5, {0, 3, -4}),
              {0, 0, 0, 0, 0.17210728877259077, 0.12908046657944305, 0, 0.12908046657944305, 0.09681034993458235}));
  CHECK(alike(at(3, {0, 3, -4}),
              {0, 0, 0, 0, 0.20857499275277858, 0.15643124456458396, 0, 0.15643124456458396, 0.11732343342343793}));
  CHECK(alike(at(0.5, {0, 3, -4}),
              {0, 0, 0, 0, -0.19245008972987523, -0.14433756729740646, 0, -0.14433756729740646, -0.10825317547305484}));
  CHECK(alike(at(2, {0, 3, -4}), {0.2, 0, 0, 0, 0.128, 0.096, 0, 0.096, 0.072}));
  CHECK(alike(at(-1, {1, -2}), {-8. / 27, -4. / 27, -4. / 27, -2. / 27}));
  for (const double p : {0.5, 1.0, 1.5, 2.0, 2.5, 3.0, -1.0, inf}) {
    CAPTURE(p);
    CHECK(at(p, {0, 0}) == Doubles{0, 0, 0, 0});
    CHECK(at(p, {0, 2})[0] == Approx(p == 2 ? 0.5 : 0));
  }
  CHECK(at(-1, {0, 3, -4}) == Doubles(9, 0));
}

TEST_CASE("norm: of nothing, of integers, of NaN") {
  CHECK_THROWS_WITH(norm(zeros({0}), -1), Catch::Contains("norm: shape (0,)"));
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
