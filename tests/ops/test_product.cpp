#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
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
