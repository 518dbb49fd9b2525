#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/product.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

TEST_CASE("prod: the gradient is right with one zero and with two") {
  const Tensor none = doubles({2, 3, 4}), one = doubles({2, 0, 4}), two = doubles({0, 3, 0});
  for (const Tensor& x : {none, one, two}) prod(x).backward();
  CHECK(values<double>(none.grad()) == Doubles{12, 8, 6});
  CHECK(values<double>(one.grad()) == Doubles{0, 8, 0});
  CHECK(values<double>(two.grad()) == Doubles{0, 0, 0});
}

TEST_CASE("prod: derivatives of both orders at zeros agree with central differences") {
  const Tensor x = doubles({{2, 0, 4, -1, 3}, {0, 3, 0, 2, 1}, {0, 0, 0, 1, 2}, {1, -2, 3, 0.5, 2}});
  const auto along = [](const Tensor& t) { return prod(t, 1); };
  CHECK(gradcheck(along, {x}));
  CHECK(gradgradcheck(along, {x}));
  const Tensor y = doubles({{2, 0}, {1, 3}, {-1, 2}});
  const auto over_all = [](const Tensor& t) { return prod(t); };
  CHECK(gradcheck(over_all, {y}));
  CHECK(gradgradcheck(over_all, {y}));
}

TEST_CASE("prod: the third derivative of a b c, with a zero among them") {
  const Tensor x = doubles({0, 5, 7});
  Tensor y = prod(x);
  y = sum(grad(y, {x}, {.create_graph = true})[0]);  // bc + ac + ab
  y = sum(grad(y, {x}, {.create_graph = true})[0]);  // 2 (a + b + c)
  CHECK(y.item() == 24);
  CHECK(values<double>(grad(y, {x})[0]) == Doubles{2, 2, 2});
}

TEST_CASE("prod: of nothing 1, of int64 and bool int64") {
  CHECK(prod(zeros({0})).item() == 1);
  CHECK(values<double>(prod(zeros({2, 0}, {.dtype = float64}), 1)) == Doubles{1, 1});
  CHECK(prod(integers({3, -7})).dtype() == int64);
  CHECK(prod(integers({3, -7})).item<std::int64_t>() == -21);
  CHECK(prod(bools({true, false})).dtype() == int64);
}

TEST_CASE("prod: partial products beyond the range, where the result is not") {
  const struct {
    DType dtype;
    Doubles x;
    double value;
  } cases[] = {
      {float32, {0, 0, 0, 0, 1e25, -1e22, 0, 0}, 0},
      {float32, {1e25, 1e25, 0}, 0},
      {float32, {1e25, 1e25, 1e-25, 1e-25}, 1},
      {float32, {1e-30, 1e-30, 1e30, 1e30}, 1},
      {float32, {1e-30, 3e-12, 1e30, -2}, -6e-12},  // a partial product below the normal numbers
      {float32, {1e-30, 1e-30}, 0},
      {float32, {1e30, -1e30}, -inf},
      {float32, {inf, 0, 1e30, 1e30}, NaN},
      {float32, {NaN, 1e30, 1e30}, NaN},
      {float64, {0, 1e200, -1e200}, 0},
      {float64, {1e200, -1e200, 1e-200, 1e-200}, -1},
      {float64, {1e-200, 3e-115, 1e200, 2}, 6e-115},
      {float64, {4e-320, 1e300, 1e20}, 4e-320 * 1e300 * 1e20},
      {float64, {1e200, 1e200}, inf},
  };
  for (const auto& each : cases) {
    CAPTURE(each.x);
    const double got = prod(doubles_of(each.x).detach().to(each.dtype)).to(float64).item();
    if (std::isnan(each.value))
      CHECK(std::isnan(got));
    else
      CHECK(got == Approx(each.value).epsilon(each.dtype == float64 ? 1e-14 : 1e-6));
  }
  const Tensor rows = tensor({{1e30, 2}, {1e30, 3}, {1e-30, 4}, {1e-30, 5}});
  CHECK(values<float>(prod(rows, 0))[0] == Approx(1));
  CHECK(values<float>(prod(rows, 0))[1] == 120);
  const Tensor many = concat({full({2, 3, 5000}, 1.5), full({2, 3, 5000}, 2. / 3)}, -1);
  CHECK(values<float>(prod(many, 2))[5] == Approx(1).epsilon(1e-3));
}

TEST_CASE("prod: gradients whose partial products are beyond the range, recorded too") {
  const struct {
    Doubles x, gradient;
  } cases[] = {
      {{1e25, 1e-25, 1e25, 1e-25}, {1e-25, 1e25, 1e-25, 1e25}},
      {{1e25, 1e25, 0, 1e-25, 1e-25}, {0, 0, 1, 0, 0}},
      {{0, 1e30, 1e30, 0}, {0, 0, 0, 0}},
      {{1e-30, 1e-30, 1e30}, {1, 1, 0}},
  };
  for (const auto& each : cases)
    for (const bool recorded : {false, true}) {
      CAPTURE(each.x, recorded);
      const Tensor x = doubles_of(each.x).detach().to(float32).requires_grad_();
      const Tensor g = grad(prod(x), {x}, {.create_graph = recorded})[0].to(float64);
      for (std::size_t i = 0; i < each.x.size(); ++i)
        CHECK(values<double>(g)[i] == Approx(each.gradient[i]).epsilon(1e-6));
    }
  const Tensor x = doubles({{1e200, 2}, {1e200, 3}, {1e-200, 0}, {1e-200, 5}});
  prod(x, 0).backward(ones({2}, {.dtype = float64}));
  const Doubles g = values<double>(x.grad()), expected = {1e-200, 0, 1e-200, 0, 1e200, 30, 1e200, 0};
  for (std::size_t i = 0; i < g.size(); ++i) CHECK(g[i] == Approx(expected[i]));
}
