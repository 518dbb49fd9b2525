#include <xgrad/autograd/apply.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/core/allocator.hpp>

#include "../catch.hpp"

using namespace xgrad;

namespace {

// x * y elementwise, float64, of one shape.
struct Product {
  Saved x = {}, y = {};
  Tensor forward(const Tensor& a, const Tensor& b) {
    x = a, y = b;
    Tensor out = detail::empty(a.shape(), float64);
    const Tensor left = detail::dense(a), right = detail::dense(b);
    for (std::int64_t i = 0; i < out.numel(); ++i)
      out.data<double>()[i] = left.data<double>()[i] * right.data<double>()[i];
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const;
};
Tensor product(const Tensor& a, const Tensor& b) { return apply(Product{}, a, b); }
std::array<Tensor, 2> Product::backward(const Tensor& grad, Needs needs) const {
  return {needs[0] ? product(grad, y) : Tensor(), needs[1] ? product(grad, x) : Tensor()};
}

// 1 / x, which saves its output.
struct Reciprocal {
  Saved y = {};
  Tensor forward(const Tensor& x) {
    Tensor out = detail::empty(x.shape(), float64);
    for (std::int64_t i = 0; i < out.numel(); ++i) out.data<double>()[i] = 1 / x.data<double>()[i];
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const { return product(product(product(grad, y), y), full_like(grad, -1)); }
};
Tensor reciprocal(const Tensor& x) { return apply(Reciprocal{}, x); }

Tensor leaf(std::initializer_list<NestedNumbers> values) {
  return tensor(NestedNumbers(values), {.dtype = float64, .requires_grad = true});
}

}  // namespace

TEST_CASE("backward: a product gives each factor the other") {
  Tensor x = leaf({2, 3}), y = leaf({5, 7});
  sum_to(product(x, y), {}).backward();
  CHECK(x.grad().data<double>()[1] == 7);
  CHECK(y.grad().data<double>()[0] == 2);
}

TEST_CASE("backward: gradients accumulate in leaves, and zero_grad removes them") {
  Tensor x = leaf({2, 3});
  for (int i = 0; i < 2; ++i) sum_to(product(x, x), {}).backward();
  CHECK(x.grad().data<double>()[0] == 8);
  x.zero_grad();
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("backward: a second pass needs retain_graph, and with it gives exactly twice the gradient") {
  Tensor x = leaf({2, 3}), y = sum_to(product(x, x), {});
  y.backward({}, {.retain_graph = true});
  const Tensor once = x.grad().clone();
  y.backward();
  CHECK(x.grad().data<double>()[1] == 2 * once.data<double>()[1]);
  CHECK_THROWS_WITH(y.backward(), Catch::Contains("retain_graph"));
  CHECK(x.grad().data<double>()[1] == 2 * once.data<double>()[1]);
}

TEST_CASE("backward: one buffer handed to two inputs is not accumulated into") {
  Tensor x = leaf({1, 2});
  const Tensor sum = detail::accumulate(x, x);  // gives the same gradient to both
  detail::accumulate(sum, x).backward(tensor({1, 10}, {.dtype = float64}));
  CHECK(x.grad().data<double>()[0] == 3);
  CHECK(x.grad().data<double>()[1] == 30);
}

TEST_CASE("gradcheck: right derivatives pass, to second order, also through a saved output") {
  Tensor x = leaf({1.5, -2, 0.7}), y = leaf({0.3, 1.1, -2});
  const auto f = [](const Tensor& a, const Tensor& b) { return product(reciprocal(a), product(b, b)); };
  const auto first = gradcheck(f, {x, y}), second = gradgradcheck(f, {x, y});
  INFO(first.message << "\n" << second.message);
  CHECK(first);
  CHECK(second);
}

namespace {
struct WrongDouble {
  Tensor forward(const Tensor& x) { return product(x, full_like(x, 2)); }
  Tensor backward(const Tensor& grad) const { return product(grad, full_like(grad, 3)); }
};
}  // namespace

TEST_CASE("gradcheck: a wrong derivative is reported with input, index and both values") {
  const auto result = gradcheck([](const Tensor& x) { return apply(WrongDouble{}, x); }, {leaf({1, 2})});
  CHECK_FALSE(result);
  CHECK_THAT(result.message, Catch::Contains("input 0 of shape (2,) at ("));
}

TEST_CASE("grad: third derivative of 1/x") {
  Tensor x = leaf({2});
  Tensor y = reciprocal(x);
  for (int order = 0; order < 3; ++order) y = grad(y, {x}, {.create_graph = true})[0];
  CHECK(y.item<double>() == Approx(-6.0 / 16));
}

TEST_CASE("graph: a saved output leaks nothing") {
  const auto before = memory_stats();
  for (int i = 0; i < 100; ++i) {
    Tensor x = leaf({2, 3});
    Tensor y = reciprocal(x);
    if (i % 2) sum_to(y, {}).backward();
  }
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("graph: a hook that captures its tensor leaks nothing") {
  const auto before = memory_stats();
  {
    Tensor x = leaf({2, 3});
    Tensor y = product(x, x);
    auto hook = y.register_hook([y](const Tensor& g) { return product(g, y.detach()); });
    auto leaf_hook = x.register_hook([x](const Tensor&) { return Tensor(); });
    sum_to(y, {}).backward();
    CHECK(x.grad().data<double>()[1] == 2 * 3 * 9);
  }
  CHECK(memory_stats().live_blocks == before.live_blocks);
}

TEST_CASE("in place: a change after saving is an error that names both versions") {
  Tensor x = leaf({2, 3});
  Tensor h = product(x, x);
  Tensor y = sum_to(product(h, h), {});
  h.impl().storage->raise_version();
  CHECK_THROWS_WITH(y.backward(),
                    Catch::Contains("Product") && Catch::Contains("version 1") && Catch::Contains("saved at 0"));
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("backward: mistakes are errors that say what to do") {
  Tensor x = leaf({2, 3});
  CHECK_THROWS_WITH(product(x, x).backward(), Catch::Contains("seed"));
  CHECK_THROWS_WITH(ones({}).backward(), Catch::Contains("does not require a gradient"));
  CHECK_THROWS_AS(product(x, x).backward(ones({3}, {.dtype = float64})), Error);
  CHECK_THROWS_AS(ones({2}, {.dtype = int64, .requires_grad = true}), Error);
  CHECK_THROWS_WITH(grad(sum_to(x, {}), {leaf({1})}), Catch::Contains("allow_unused"));
  CHECK_THROWS_AS(Tensor().shape(), Error);
}
