#include <xgrad/autograd/anomaly.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/slicing.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

TEST_CASE("arithmetic: operands broadcast as in NumPy") {
  const Tensor column = tensor({{1.0}, {2.0}}), row = tensor({10.0, 20.0, 30.0});
  CHECK((column + row).shape() == Shape{2, 3});
  CHECK(values<float>(column + row) == Floats{11, 21, 31, 12, 22, 32});
  CHECK(values<float>(row / column) == Floats{10, 20, 30, 5, 10, 15});
  CHECK((ones({0, 1}) * ones({4})).shape() == Shape{0, 4});
  CHECK((tensor(2.0) * tensor(3.0)).shape() == Shape{});
  CHECK_THROWS_WITH(ones({2, 3}) + ones({2}),
                    Catch::StartsWith("add: shapes (2, 3) and (2,) do not broadcast: sizes 3 and 2 at axis 1; counted "
                                      "from the last axis, sizes must be equal or one of them 1"));
}

TEST_CASE("arithmetic: dtypes are promoted as in PyTorch") {
  const Tensor i = integers({1, 2}), f = tensor({1.0, 2.0}), d = tensor({1, 2}, {.dtype = float64}),
               b = tensor({0, 1}, {.dtype = bool_});
  CHECK((i + 1).dtype() == int64);
  CHECK((i + 0.5).dtype() == float32);
  CHECK((i * true).dtype() == int64);
  CHECK((b + 1).dtype() == int64);
  CHECK((b + true).dtype() == bool_);
  CHECK((b + b).dtype() == bool_);
  CHECK((b * 1.0).dtype() == float32);
  CHECK((f * 0.1).dtype() == float32);
  CHECK((2.0 * d).dtype() == float64);
  CHECK((i + f).dtype() == float32);
  CHECK((f + d).dtype() == float64);
  CHECK((b + d).dtype() == float64);
  CHECK((i / 2).dtype() == float32);
  CHECK(values<float>(i / i) == Floats{1, 1});
  CHECK(values<float>(1 / i) == Floats{1, 0.5});
  CHECK(values<float>(b / 2) == Floats{0, 0.5});
  CHECK(values<bool>(b + b) == std::vector<bool>{false, true});
  CHECK(values<float>(f * 0.1) == Floats{0.1f, 0.2f});
  CHECK_THROWS_WITH(b - b, Catch::Contains("logical_xor"));
  CHECK_THROWS_AS(-b, Error);
  CHECK_THROWS_AS(b - true, Error);
}

TEST_CASE("arithmetic: int64 is exact and wraps around") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  const Tensor x = integers({least, most, 9007199254740993});
  CHECK(values<std::int64_t>(x + 1) == Integers{least + 1, least, 9007199254740994});
  CHECK(values<std::int64_t>(x - x) == Integers{0, 0, 0});
  CHECK(values<std::int64_t>(-x) == Integers{least, -most, -9007199254740993});
  CHECK(values<std::int64_t>(x * 2) == Integers{0, -2, 18014398509481986});
  CHECK(values<std::int64_t>(0 - x) == values<std::int64_t>(-x));
}

TEST_CASE("arithmetic: maximum and minimum of a tensor and a number") {
  const Tensor x = doubles({-1, 0, 2, NaN});
  CHECK(alike(values<double>(maximum(x, 0.0)), {0, 0, 2, NaN}));
  CHECK(alike(values<double>(minimum(0, x)), {-1, 0, 0, NaN}));
  sum(maximum(x, 0.0)).backward();
  CHECK(values<double>(x.grad()) == Doubles{0, 0.5, 1, 1});
  CHECK(values<std::int64_t>(maximum(integers({9007199254740993, 1}), 9007199254740992)) ==
        Integers{9007199254740993, 9007199254740992});
  CHECK(minimum(integers({1}), 0.5).dtype() == float32);
}

TEST_CASE("arithmetic: alpha is a factor of the second operand") {
  const Tensor a = doubles({1, 2}), b = doubles({10, 20});
  CHECK(values<double>(add(a, b, {.alpha = 0.5})) == Doubles{6, 12});
  CHECK(values<double>(sub(a, b, {.alpha = 2})) == Doubles{-19, -38});
  CHECK(values<std::int64_t>(add(integers({1}), integers({9007199254740993}), {.alpha = 3})) ==
        Integers{27021597764222980});
  CHECK_THROWS_WITH(add(integers({1}), integers({1}), {.alpha = 0.5}), Catch::Contains("alpha is 0.5"));
}

TEST_CASE("arithmetic: a gradient reaches an operand of a lower dtype in that dtype") {
  Tensor x = tensor({1.0, 2.0}, {.requires_grad = true});
  sum_to(x * tensor({0.5, 0.25}, {.dtype = float64}), {}).backward();
  CHECK(values<float>(x.grad()) == Floats{0.5, 0.25});
}

TEST_CASE("arithmetic: gradients of broadcast operands are summed") {
  Tensor a = doubles({{1}, {2}}), b = doubles({10, 20, 30});
  sum_to(a * b, {}).backward();
  CHECK(values<double>(a.grad()) == Doubles{60, 60});
  CHECK(values<double>(b.grad()) == Doubles{3, 3, 3});
  CHECK(a.grad().shape() == Shape{2, 1});
}

TEST_CASE("arithmetic: an operand that is not differentiated is not kept from changing") {
  Tensor x = doubles({1, 2});
  Tensor factor = tensor({3, 4}, {.dtype = float64});
  const Tensor y = sum_to(x + factor, {});
  factor.impl().storage->raise_version();
  CHECK_NOTHROW(y.backward());
}

TEST_CASE("arithmetic: the result lies in memory in the order of its operand") {
  const Tensor base = ones({2, 5, 5, 3});  // (N, H, W, C)
  const Tensor image = detail::view(base, {2, 3, 5, 5}, {75, 1, 15, 3});
  const Tensor per_channel = detail::view(tensor({1.0, 2.0, 3.0}), {3, 1, 1}, {1, 1, 1});
  const Tensor shifted = image + per_channel, both = image * shifted, negated = -both;
  for (const Tensor& out : {shifted, both, negated}) {
    CHECK(out.shape() == image.shape());
    CHECK(out.strides() == image.strides());
    CHECK_FALSE(out.is_contiguous());
  }
  CHECK(values<float>(negated)[25] == -3);
  CHECK((ones({2, 3, 5, 5}) + image).is_contiguous());
  CHECK((expand(ones({1, 4}), {3, 4}) * 2).is_contiguous());
  const Tensor flat = detail::view(ones({3}), {1, 3, 1}, {7, 1, 9});  // strides of axes of size 1 mean nothing
  CHECK((flat + 1).is_contiguous());
}

TEST_CASE("arithmetic: Saved operands and numbers mix with tensors") {
  const Tensor t = tensor({1.0, 2.0});
  const Saved s = t;
  CHECK(values<float>(s + 0.5 * s * t - (1.0 - s) / 2) == Floats{1.5, 4.5});
  CHECK(values<float>(-s * s) == Floats{-1, -4});
}

TEST_CASE("arithmetic: the number of threads does not change a bit") {
  const Tensor x = randn({300, 301}), y = randn({301});
  const int before = num_threads();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    results.push_back(values<float>(x * y / (y + 2.5) - x));
  }
  set_num_threads(before);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("anomaly mode names the line of the user's call") {
  const AnomalyMode anomaly;
  Tensor x = tensor({0.0}, {.dtype = float64, .requires_grad = true});
  CHECK_THROWS_WITH(1.0 / x, Catch::Contains("div") && Catch::Contains("test_arithmetic.cpp"));
}

TEST_CASE("arithmetic: on more memory than caches hold, every element is computed as one of few is") {
  const std::int64_t rows = 1200, columns = 1031;
  const Tensor x = randn({rows, columns}), row = randn({columns}), column = randn({rows, 1});
  const auto both = [&](auto f) {
    const Tensor all = f(x, row, column);
    REQUIRE(all.shape() == x.shape());
    for (const std::int64_t i : {std::int64_t{0}, std::int64_t{1}, rows / 2, rows - 1}) {
      const Tensor one = f(slice(x, 0, i, i + 1), row, slice(column, 0, i, i + 1));
      CHECK(values<float>(slice(all, 0, i, i + 1)) == values<float>(one));
    }
  };
  both([](const auto& a, const auto&, const auto&) { return a * a; });
  both([](const auto& a, const auto& b, const auto&) { return a * b; });
  both([](const auto& a, const auto& b, const auto& c) { return (a - b) / c; });
  both([](const auto& a, const auto& b, const auto&) { return (a < b).to(float32); });
}
