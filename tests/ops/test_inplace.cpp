#include <xgrad/autograd/apply.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/core/allocator.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

TEST_CASE("in place: arithmetic with tensors and numbers writes to the same memory") {
  Tensor x = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  const float* before = x.data<float>();
  x.add_(tensor({10.0, 20.0, 30.0}))
      .sub_(1)
      .mul_(2)
      .div_(tensor({{2.0}, {4.0}}))
      .sub_(tensor(1.0))
      .mul_(tensor(2.0))
      .div_(2)
      .add_(0.5);
  CHECK(values<float>(x) == Floats{9.5, 20.5, 31.5, 6, 11.5, 17});
  CHECK(x.data<float>() == before);
  CHECK(x.version() == 8);
}

TEST_CASE("in place: a view changes the tensor it was taken of") {
  Tensor x = zeros({2, 3});
  transpose(x, 0, 1).add_(tensor({1.0, 2.0}));
  slice(x, 1, 1, 2).fill_(7);
  select(x, 0, 1).copy_(tensor({8, 9, 10}, {.dtype = int64}));
  CHECK(values<float>(x) == Floats{1, 7, 1, 8, 9, 10});
  CHECK(x.version() == 3);
  x.detach().zero_();
  CHECK(values<float>(x) == Floats(6, 0));
}

TEST_CASE("in place: the other operand may be or overlap this tensor") {
  Tensor x = tensor({{1.0, 2.0}, {3.0, 4.0}});
  x.add_(x);
  CHECK(values<float>(x) == Floats{2, 4, 6, 8});
  x.sub_(transpose(x, 0, 1));
  CHECK(values<float>(x) == Floats{0, -2, 2, 0});
  Tensor line = arange(1000);
  slice(line, 0, 1).copy_(slice(line, 0, 0, -1));
  slice(line, 0, 0, -1).add_(slice(line, 0, 1));
  Floats expected = {0};
  for (int i = 1; i < 999; ++i) expected.push_back(static_cast<float>(2 * i - 1));
  expected.push_back(998);
  CHECK(values<float>(line) == expected);
  x.mul_(slice(slice(x, 0, 0, 1), 1, 1));  // one of its elements, broadcast
  CHECK(values<float>(x) == Floats{0, 4, -4, 0});
}

TEST_CASE("in place: int64 and bool tensors") {
  Tensor i = integers({1, 9007199254740993});
  i.add_(1).mul_(integers({2, 1})).sub_(bools({1, 0}));
  CHECK(values<std::int64_t>(i) == Integers{3, 9007199254740994});
  CHECK(values<std::int64_t>(i.fill_(9007199254740993)) == Integers{9007199254740993, 9007199254740993});
  Tensor b = bools({0, 1});
  CHECK(values<bool>(b.add_(bools({0, 1})).mul_(true)) == Bools{false, true});
  CHECK(b.version() == 2);
  CHECK(values<bool>(b.fill_(2)) == Bools{true, true});
  CHECK(values<bool>(b.copy_(tensor({0.0, 0.5}))) == Bools{false, true});
}

TEST_CASE("in place: errors leave everything as it was") {
  Tensor x = tensor({1.0, 2.0}), i = integers({1, 2});
  CHECK_THROWS_WITH(x.add_(ones({3})),
                    Catch::StartsWith("add_: a tensor of shape (3,) does not broadcast to this one's shape (2,)"));
  CHECK_THROWS_AS(x.add_(ones({2, 2})), Error);
  CHECK_THROWS_WITH(x.mul_(tensor({1, 2}, {.dtype = float64})), Catch::Contains("the result is float64"));
  CHECK_THROWS_WITH(i.add_(0.5), Catch::Contains("the result is float32"));
  CHECK_THROWS_AS(i.div_(i), Error);
  CHECK_THROWS_AS(i.div_(2), Error);
  CHECK_THROWS_WITH(expand(x, {3, 2}).add_(1), Catch::Contains("clone"));
  CHECK_THROWS_AS(expand(x, {3, 2}).fill_(1), Error);
  CHECK_THROWS_AS(x.copy_(ones({3})), Error);
  CHECK_THROWS_AS(x.add_(Tensor()), Error);
  CHECK_THROWS_AS(Tensor().add_(x), Error);
  CHECK_THROWS_AS(Tensor().fill_(0), Error);
  CHECK(values<float>(x) == Floats{1, 2});
  CHECK(x.version() == 0);
  CHECK(values<std::int64_t>(i) == Integers{1, 2});
}

TEST_CASE("in place: a leaf changes under NoGrad only") {
  Tensor w = tensor({1.0, 2.0}, {.requires_grad = true});
  CHECK_THROWS_WITH(w.add_(1), Catch::Contains("add_: a leaf") && Catch::Contains("NoGrad"));
  CHECK_THROWS_AS(w.zero_(), Error);
  CHECK(w.version() == 0);
  {
    const NoGrad no_grad;
    w.sub_(tensor({0.5, 0.5}));
  }
  CHECK(values<float>(w) == Floats{0.5, 1.5});
  CHECK(w.version() == 1);
  CHECK(w.is_leaf());
  CHECK(w.requires_grad());
}

TEST_CASE("in place: a view of a tensor in the graph is refused, with a remedy") {
  Tensor w = tensor({1.0, 2.0}, {.requires_grad = true});
  Tensor y = w * 2;
  CHECK_THROWS_WITH(slice(y, 0, 0, 1).mul_(3), Catch::Contains("clone"));
  CHECK_THROWS_AS(slice(w, 0, 0, 1).add_(1), Error);
  Tensor plain = ones({2, 2});
  CHECK_THROWS_AS(select(plain, 0, 0).add_(w), Error);
  CHECK(values<float>(y) == Floats{2, 4});
  CHECK(values<float>(plain) == Floats{1, 1, 1, 1});
  struct Identity {
    Tensor forward(const Tensor& x) { return x; }
    Tensor backward(const Tensor& grad) const { return grad; }
  };
  Tensor same = apply(Identity{}, y);
  CHECK_THROWS_AS(same.add_(1), Error);
}

TEST_CASE("in place: recorded changes have the gradient of the operation out of place") {
  const auto f = [](const Tensor& x, const Tensor& w) {
    Tensor y = x * 1.5;
    y.add_(w).mul_(w).sub_(x).div_(w).mul_(2).div_(3).sub_(1).add_(0.5);
    y.mul_(y);
    y.sub_(transpose(y, 0, 1));
    return y;
  };
  const Tensor x = doubles({{1, 2}, {0.5, -1}}), w = doubles({2, 3});
  const auto first = gradcheck(f, {x, w}), second = gradgradcheck(f, {x, w});
  INFO(first.message << second.message);
  CHECK(first);
  CHECK(second);
}

TEST_CASE("in place: a plain tensor becomes part of the graph") {
  const Tensor w = doubles({1, 2});
  Tensor sum = zeros({2}, {.dtype = float64});
  const Tensor other_handle = sum;
  for (int i = 1; i <= 3; ++i) sum.add_(w * i);
  CHECK(other_handle.requires_grad());
  sum_to(other_handle, {}).backward();
  CHECK(values<double>(w.grad()) == Doubles{6, 6});
}

TEST_CASE("in place: copy_ and fill_ cut off what was there") {
  const Tensor x = doubles({1, 2}), w = doubles({5});
  Tensor y = x * 3.0;
  y.copy_(w);
  CHECK(values<double>(y) == Doubles{5, 5});
  CHECK_FALSE(y.is_leaf());
  sum_to(y * x, {}).backward();
  CHECK(values<double>(x.grad()) == Doubles{5, 5});
  CHECK(values<double>(w.grad()) == Doubles{3});

  Tensor z = x * 3.0;
  z.copy_(x);  // not the leaf itself, but what it is computed from
  CHECK_FALSE(z.is_leaf());
  z.mul_(2);
  CHECK(values<double>(x) == Doubles{1, 2});
  z.fill_(1);
  CHECK_FALSE(z.requires_grad());

  Tensor line = x * 1.0;
  line.copy_(slice(line, 0, 1));  // a part of itself, broadcast
  x.zero_grad();
  sum_to(line, {}).backward();
  CHECK(values<double>(x.grad()) == Doubles{0, 2});
}

TEST_CASE("in place: a change of what an operation saved is an error that names both versions") {
  const Tensor x = doubles({1, 2});
  Tensor y = x * 1.0;
  const Tensor z = sum_to(y * y, {});
  y.add_(1);
  CHECK_THROWS_WITH(z.backward(),
                    Catch::Contains("mul") && Catch::Contains("version 1") && Catch::Contains("saved at 0"));
  Tensor e = exp(x);  // saves its output
  e.add_(1);
  CHECK_THROWS_WITH(sum_to(e, {}).backward(), Catch::Contains("exp"));
  Tensor view = slice(y, 0, 1);
  y.add_(1);
  CHECK_THROWS_WITH(view * 2, Catch::Contains("take the view again"));
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("in place: x += f(x) leaks nothing, though f saved x") {
  const Tensor w = doubles({1, 2});
  const auto before = memory_stats();
  for (int i = 0; i < 10; ++i) {
    Tensor h = w * 2.0;
    h.add_(h * w);
    CHECK_THROWS_AS(sum_to(h, {}).backward(), Error);  // the product's gradient needs h as it was
    Tensor plain = ones({2}, {.dtype = float64});
    const Tensor old_handle = plain;
    plain.add_(plain * w);
    CHECK_THROWS_WITH(sum_to(old_handle, {}).backward(), Catch::Contains("add_"));
  }
  CHECK(memory_stats().live_blocks == before.live_blocks);
}

TEST_CASE("in place: the handle of a saved tensor may be changed when its saver is done") {
  const Tensor w = doubles({1, 2});
  Tensor h = w * 2.0;
  sum_to(h * w, {}).backward({}, {.retain_graph = true});
  h.mul_(3);
  sum_to(h, {}).backward();
  CHECK(values<double>(w.grad()) == Doubles{4 + 6, 8 + 6});
}
