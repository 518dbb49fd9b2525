#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/elementwise.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

Bools bits(const Tensor& x) { return values<bool>(x); }

}  // namespace

TEST_CASE("comparison: operators on tensors and numbers give bool tensors") {
  const Tensor x = tensor({1.0, 2.0, 3.0}), y = tensor({3.0, 2.0, 1.0});
  CHECK(bits(x == y) == Bools{false, true, false});
  CHECK(bits(x != y) == Bools{true, false, true});
  CHECK(bits(x < y) == Bools{true, false, false});
  CHECK(bits(x <= y) == Bools{true, true, false});
  CHECK(bits(x > y) == Bools{false, false, true});
  CHECK(bits(x >= y) == Bools{false, true, true});
  CHECK(bits(x < 2) == Bools{true, false, false});
  CHECK(bits(2 < x) == Bools{false, false, true});
  CHECK(bits(2 <= x) == Bools{false, true, true});
  CHECK(bits(2 >= x) == Bools{true, true, false});
  CHECK(bits(2.0 > x) == Bools{true, false, false});
  CHECK(bits(2 == x) == Bools{false, true, false});
  CHECK(bits(2 != x) == Bools{true, false, true});
  CHECK((x < tensor({{1.0}, {2.0}})).shape() == Shape{2, 3});
  CHECK((zeros({0, 2}) < zeros({2})).shape() == Shape{0, 2});
}

TEST_CASE("comparison: mixed dtypes are promoted, int64 is compared exactly") {
  const Tensor big = integers({9007199254740993, 9007199254740992});
  CHECK(bits(big == 9007199254740993) == Bools{true, false});
  CHECK(bits(integers({1, 2}) < 1.5) == Bools{true, false});
  CHECK(bits(integers({1, 2}) == tensor({1.0, 2.5}, {.dtype = float64})) == Bools{true, false});
  CHECK(bits(bools({0, 1}) == integers({0, 2})) == Bools{true, false});
  CHECK(bits(bools({0, 1}) == true) == Bools{false, true});
  CHECK(bits(bools({0, 1}) < bools({1, 1})) == Bools{true, false});
  CHECK(bits(tensor({0.1f}) == 0.1) == Bools{true});  // the number becomes float32
}

TEST_CASE("comparison: NaN is unequal to everything") {
  const Tensor x = tensor({NaN, 1.0}), y = tensor({NaN, NaN});
  CHECK(bits(x == x) == Bools{false, true});
  CHECK(bits(x != x) == Bools{true, false});
  CHECK(bits(x < y) == Bools{false, false});
  CHECK(bits(x >= y) == Bools{false, false});
}

TEST_CASE("comparison: results have no gradient") {
  const Tensor x = doubles({1, 2});
  CHECK_FALSE((x < 1.5).requires_grad());
  CHECK_FALSE(isnan(x).requires_grad());
  CHECK_FALSE(logical_not(x).requires_grad());
}

TEST_CASE("isnan, isinf and isfinite tell the kinds of numbers apart") {
  for (const DType dtype : {float32, float64}) {
    const Tensor x = tensor({NaN, inf, -inf, 0.0, 1e30}, {.dtype = dtype});
    CHECK(bits(isnan(x)) == Bools{true, false, false, false, false});
    CHECK(bits(isinf(x)) == Bools{false, true, true, false, false});
    CHECK(bits(isfinite(x)) == Bools{false, false, false, true, true});
  }
  CHECK(bits(isfinite(integers({1, 2}))) == Bools{true, true});
  CHECK(bits(isnan(bools({1}))) == Bools{false});
}

TEST_CASE("logic: truth tables, and numbers that count as true") {
  const Tensor a = bools({0, 0, 1, 1}), b = bools({0, 1, 0, 1});
  CHECK(bits(a && b) == Bools{false, false, false, true});
  CHECK(bits(a || b) == Bools{false, true, true, true});
  CHECK(bits(logical_xor(a, b)) == Bools{false, true, true, false});
  CHECK(bits(!a) == Bools{true, true, false, false});
  CHECK(bits(logical_and(tensor({0.0, 0.5, NaN}), integers({1}))) == Bools{false, true, true});
}

TEST_CASE("where: broadcasts three ways and promotes") {
  const Tensor condition = bools({{1}, {0}}), a = tensor({1.0, 2.0, 3.0}), b = tensor(9.0);
  CHECK(values<float>(where(condition, a, b)) == Floats{1, 2, 3, 9, 9, 9});
  CHECK(values<float>(where(condition, 7, a)) == Floats{7, 7, 7, 1, 2, 3});
  CHECK(values<float>(where(condition, a, 7.5)) == Floats{1, 2, 3, 7.5, 7.5, 7.5});
  CHECK(values<std::int64_t>(where(bools({1, 0}), 1, 2)) == Integers{1, 2});
  CHECK(values<std::int64_t>(where(bools({1, 0}), 1, 9007199254740993)) == Integers{1, 9007199254740993});
  CHECK(values<float>(where(bools({1, 0}), 1, 0.5)) == Floats{1, 0.5});
  CHECK(values<bool>(where(bools({1, 0}), false, bools({1, 1}))) == Bools{false, true});
  CHECK(values<float>(where(bools({1, 0}), integers({1, 2}), 0.5)) == Floats{1, 0.5});
  CHECK(where(bools({1, 0}), integers({1, 2}), tensor({1, 2}, {.dtype = float64})).dtype() == float64);
  CHECK(values<float>(where(bools({0}), NaN, tensor({1.0}))) == Floats{1});
  CHECK_THROWS_WITH(where(ones({2}), a, b), Catch::Contains("expected bool"));
  CHECK_THROWS_WITH(where(bools({1, 0}), a, b), Catch::Contains("where: shapes"));
}

TEST_CASE("where: the branch not taken gets no gradient, even where it is NaN") {
  for (const bool recorded : {false, true}) {
    const Tensor x = doubles({1, 2}), y = doubles({NaN, 3});
    const auto g = grad(where(bools({1, 0}), x, y), {x, y},
                        {.create_graph = recorded, .grad_outputs = {tensor({5, 7}, {.dtype = float64})}});
    CHECK(values<double>(g[0]) == Doubles{5, 0});
    CHECK(values<double>(g[1]) == Doubles{0, 7});
  }
}

TEST_CASE("where: a condition changed before backward is an error") {
  const Tensor condition = bools({1, 0}), x = doubles({1, 2});
  const Tensor y = where(condition, x, 0.0);
  condition.impl().storage->raise_version();
  CHECK_THROWS_WITH(y.backward(ones({2}, {.dtype = float64})), Catch::Contains("where"));
}

TEST_CASE("masked_fill: keeps the dtype and the other elements") {
  CHECK(values<std::int64_t>(masked_fill(integers({1, 2, 3}), bools({0, 1, 0}), 9)) == Integers{1, 9, 3});
  CHECK(values<float>(masked_fill(tensor({{1.0, 2.0}, {3.0, 4.0}}), bools({0, 1}), -inf)) ==
        Floats{1, -std::numeric_limits<float>::infinity(), 3, -std::numeric_limits<float>::infinity()});
  Tensor x = doubles({1, 2});
  const Tensor y = masked_fill(x, bools({{0, 1}, {1, 1}, {0, 0}}), 9);  // x broadcasts, too
  CHECK(values<double>(y) == Doubles{1, 9, 9, 9, 1, 2});
  y.backward(ones({3, 2}, {.dtype = float64}));
  CHECK(values<double>(x.grad()) == Doubles{2, 1});
  CHECK_THROWS_WITH(masked_fill(x, bools({1, 0, 1}), 9), Catch::StartsWith("masked_fill: shapes (2,) and (3,)"));
  CHECK(values<std::int64_t>(masked_fill(integers({1}), bools({1}), 9007199254740993)) == Integers{9007199254740993});
}

TEST_CASE("comparison: an integer number beside int64 is exact") {
  const std::int64_t big = 9007199254740993;
  const Tensor x = integers({big - 1, big, big + 1});
  CHECK(bits(x == big) == Bools{false, true, false});
  CHECK(bits(x < big) == Bools{true, false, false});
  CHECK(bits(big >= x) == Bools{true, true, false});
  CHECK(values<std::int64_t>(where(bools({1, 0, 1}), x, big)) == Integers{big - 1, big, big + 1});
  CHECK(where(bools({1}), big, 0).item<std::int64_t>() == big);
  CHECK(values<std::int64_t>(clamp(x, big, big)) == Integers{big, big, big});
  CHECK_THROWS_WITH(x == 18446744073709551615ull, Catch::Contains("18446744073709551615 does not fit into int64"));
}

TEST_CASE("clamp: bounds, conventions of PyTorch on them, and NaN") {
  const Doubles points = {0, -1, inf, -inf, NaN, 2, 5};
  for (const bool recorded : {false, true}) {
    const Tensor x = doubles_of(points);
    const GradOptions options = {.create_graph = recorded, .grad_outputs = {ones({7}, {.dtype = float64})}};
    const Tensor both = clamp(x, -1, 2), low = clamp(x, 0), high = clamp(x, {}, 0.0);
    CHECK(alike(values<double>(both), {0, -1, 2, -1, NaN, 2, 2}));
    CHECK(alike(values<double>(low), {0, 0, inf, 0, NaN, 2, 5}));
    CHECK(alike(values<double>(high), {0, -1, 0, -inf, NaN, 0, 0}));
    CHECK(values<double>(grad(both, {x}, options)[0]) == Doubles{1, 1, 0, 0, 0, 1, 0});
    CHECK(values<double>(grad(low, {x}, options)[0]) == Doubles{1, 0, 1, 0, 0, 1, 1});
  }
  CHECK(values<double>(clamp(doubles({1}), 3, 2)) == Doubles{2});
  CHECK(values<std::int64_t>(clamp(integers({-5, 5}), -2)) == Integers{-2, 5});
  CHECK(values<float>(clamp(integers({-5, 5}), 0.5)) == Floats{0.5, 5});
  CHECK_THROWS_WITH(clamp(doubles({1}), {}), Catch::Contains("clamp: neither"));
}

TEST_CASE("clamp: a bound that is NaN makes all of it NaN, as a number, as a tensor and in a lambda") {
  const Tensor x = doubles({0.5, NaN, 3}), nothing = full({}, NaN, {.dtype = float64});
  const auto lambda = elementwise("bounded", [](auto v) { return clamp(v, NaN, 1); });
  const Doubles all(3, NaN), none(3, 0);
  for (const Tensor& y : {clamp(x, NaN), clamp(x, {}, NaN), clamp(x, NaN, 1), clamp(x, 0, NaN), clamp(x, nothing),
                          clamp(x, {}, nothing), clamp(x, 0, nothing), clamp(x, nothing, nothing), lambda(x)}) {
    CHECK(alike(values<double>(y), all));
    CHECK(values<double>(grad(sum_to(y, {}), {x})[0]) == none);
  }
}

TEST_CASE("clamp: tensors as bounds, with PyTorch's gradients for all three") {
  const Tensor x = doubles({0, 1, 1.5, 2, 1.5, 1.5, 1.5, 1, NaN, 0, 0, 2});
  const Tensor low = doubles({1, 1, 1, 1, 2, NaN, 2, 1, 1, NaN, 1, 1});
  const Tensor high = doubles({2, 2, 2, 2, 1, 2, NaN, 1, NaN, 1, 1, 1});
  const Tensor seed = ones({12}, {.dtype = float64});
  for (const bool recorded : {false, true}) {
    const Tensor y = clamp(x, low, high);
    CHECK(alike(values<double>(y), {1, 1, 1.5, 2, 1, NaN, NaN, 1, NaN, NaN, 1, 1}));
    const auto g = grad(y, {x, low, high}, {.create_graph = recorded, .grad_outputs = {seed}});
    CHECK(values<double>(g[0]) == Doubles{0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0});
    CHECK(values<double>(g[1]) == Doubles{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    CHECK(values<double>(g[2]) == Doubles{0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1});
  }
}

TEST_CASE("clamp: tensors as bounds broadcast, are promoted, and stand beside numbers") {
  const Tensor x = doubles({{-3, 0, 3}, {-1, 5, 2}}), low = doubles({{-2}, {1}});
  const Tensor y = clamp(x, low, 2);
  CHECK(values<double>(y) == Doubles{-2, 0, 2, 1, 2, 2});
  sum_to(y, {}).backward();
  CHECK(values<double>(x.grad()) == Doubles{0, 1, 0, 0, 0, 1});
  CHECK(values<double>(low.grad()) == Doubles{1, 1});
  CHECK(values<double>(clamp(x, -1, low)) == Doubles{-2, -2, -2, -1, 1, 1});
  CHECK(values<std::int64_t>(clamp(integers({1, 2, 9}), integers({2}))) == Integers{2, 2, 9});
  CHECK(values<std::int64_t>(clamp(integers({1, 9}), {}, integers({5}))) == Integers{1, 5});
  CHECK(values<bool>(clamp(bools({0, 1}), bools({1}))) == Bools{true, true});
  CHECK(clamp(integers({1}), tensor({2.5})).dtype() == float32);
  CHECK(clamp(tensor({1.0}), doubles({2})).dtype() == float64);
  CHECK_THROWS_WITH(clamp(ones({2}), ones({3})), Catch::Contains("clamp"));
}
