#include <xgrad/autograd/engine.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

TEST_CASE("amax, amin, max and min of all: ties share the gradient evenly") {
  const auto gradient = [](Tensor (*f)(const Tensor&)) {
    const Tensor x = doubles({3, 1, 3, 1});
    f(x).backward();
    return values<double>(x.grad());
  };
  CHECK(gradient([](auto& x) { return amax(x); }) == Doubles{0.5, 0, 0.5, 0});
  CHECK(gradient([](auto& x) { return max(x); }) == Doubles{0.5, 0, 0.5, 0});
  CHECK(gradient([](auto& x) { return amin(x); }) == Doubles{0, 0.5, 0, 0.5});
  CHECK(gradient([](auto& x) { return min(x); }) == Doubles{0, 0.5, 0, 0.5});
}

TEST_CASE("max and min along an axis: the first of equal elements, which gets the gradient") {
  const Tensor x = doubles({{1, 3, 3}, {2, 2, 0}});
  const auto [values_, indices] = max(x, 1);
  CHECK(values<double>(values_) == Doubles{3, 2});
  CHECK(indices.dtype() == int64);
  CHECK(values<std::int64_t>(indices) == Integers{1, 0});
  sum(values_).backward();
  CHECK(values<double>(x.grad()) == Doubles{0, 1, 0, 1, 0, 0});

  const auto smallest = min(x, 0, {.keepdim = true});
  CHECK(smallest.values.shape() == Shape{1, 3});
  CHECK(values<double>(smallest.values) == Doubles{1, 2, 0});
  CHECK(values<std::int64_t>(smallest.indices) == Integers{0, 1, 1});
}

TEST_CASE("extrema: NaN counts as largest and as smallest, the first of several") {
  const Tensor x = doubles({{1, NaN, 3, NaN}, {3, 3, 1, 2}});
  CHECK(alike(values<double>(amax(x, 1)), {NaN, 3}));
  CHECK(alike(values<double>(amin(x, 1)), {NaN, 1}));
  CHECK(values<std::int64_t>(argmax(x, 1)) == Integers{1, 0});
  CHECK(values<std::int64_t>(argmin(x, 1)) == Integers{1, 2});
  CHECK(values<std::int64_t>(argmax(x, 0)) == Integers{1, 0, 0, 0});
  CHECK(argmax(x).item<std::int64_t>() == 1);
  const Tensor y = doubles({1, NaN, 3});
  max(y).backward();
  CHECK(values<double>(y.grad()) == Doubles{0, 1, 0});  // as PyTorch's max of all
}

TEST_CASE("amax and amin: where NaN is among the elements all get NaN, the others what they share, as PyTorch") {
  for (const bool largest : {true, false})
    for (const bool across : {false, true})
      for (const bool recorded : {false, true}) {
        CAPTURE(largest, across, recorded);
        const Tensor rows = doubles({{1, NaN, 3, NaN}, {3, 3, 1, 1}, {inf, 2, 5, inf}}),
                     x = across ? transpose(rows.detach(), 0, 1).contiguous().requires_grad_() : rows;
        const Tensor y = largest ? amax(x, across ? 0 : 1) : amin(x, across ? 0 : 1);
        const Tensor gradient = grad(y, {x}, {.create_graph = recorded, .grad_outputs = {doubles({1, 2, 4})}})[0];
        const Doubles want = largest ? Doubles{NaN, NaN, NaN, NaN, 1, 1, 0, 0, 2, 0, 0, 2}
                                     : Doubles{NaN, NaN, NaN, NaN, 0, 0, 1, 1, 0, 4, 0, 0};
        CHECK(alike(values<double>(across ? transpose(gradient, 0, 1) : gradient), want));
        CHECK(alike(values<double>(grad(largest ? amax(x) : amin(x), {x})[0]), Doubles(12, NaN)));
      }
}

TEST_CASE("extrema: the first of equal elements or of NaN, wherever in a long row they are") {
  constexpr std::int64_t n = 10000;  // more than are searched at a time
  const Tensor x = randn({7, n}, {.dtype = float64});
  double* const at = x.data<double>();
  at[0 * n + 4095] = at[0 * n + 4096] = 9;
  at[1 * n + 4096] = at[1 * n + 9999] = 9;
  at[2 * n + 9999] = 9;
  at[3 * n + 5000] = inf, at[3 * n + 9000] = at[3 * n + 9001] = NaN;
  at[4 * n + 63] = NaN, at[4 * n + 8192] = NaN;
  for (std::int64_t i = 0; i < n; ++i) at[5 * n + i] = -inf;
  for (std::int64_t i = 0; i < n; ++i) at[6 * n + i] = NaN;
  const auto [largest, position] = max(x, 1);
  CHECK(alike(values<double>(largest), {9, 9, 9, NaN, NaN, -inf, NaN}));
  CHECK(values<std::int64_t>(position) == Integers{4095, 4096, 9999, 9000, 63, 0, 0});
  CHECK(values<std::int64_t>(argmin(-x, 1)) == values<std::int64_t>(position));
  CHECK(argmax(x).item<std::int64_t>() == 3 * n + 9000);
  CHECK(argmax(slice(x, 0, 0, 3)).item<std::int64_t>() == 4095);
  CHECK(argmin(bools({true, false, true})).item<std::int64_t>() == 1);
}

TEST_CASE("extrema: infinities, integers and bool") {
  CHECK(values<double>(amax(doubles({{-inf, -inf}, {inf, 1}}), 1)) == Doubles{-inf, inf});
  CHECK(argmax(doubles({-inf, -inf})).item<std::int64_t>() == 0);
  CHECK(amax(integers({INT64_MIN, INT64_MIN})).item<std::int64_t>() == INT64_MIN);
  CHECK(amin(integers({INT64_MAX, 5})).item<std::int64_t>() == 5);
  CHECK(amax(bools({false, true})).dtype() == bool_);
  CHECK(amax(bools({false, true})).item<bool>());
  CHECK_FALSE(amin(bools({false, true})).item<bool>());
  CHECK(argmax(bools({false, true, true})).item<std::int64_t>() == 1);
}

TEST_CASE("argmax and argmin: without an axis, the position in row-major order, of a transposed tensor too") {
  const Tensor x = transpose(doubles({{1, 5}, {9, 2}, {3, 4}}), 0, 1);  // 1 9 3 / 5 2 4
  CHECK(argmax(x).item<std::int64_t>() == 1);
  CHECK(argmin(x).item<std::int64_t>() == 0);
  CHECK(values<std::int64_t>(argmax(x, 0)) == Integers{1, 0, 1});
  CHECK(argmax(x, -1, {.keepdim = true}).shape() == Shape{2, 1});
}

TEST_CASE("extrema: no elements to choose from is an error, no results are not") {
  const Tensor none = zeros({2, 0});
  CHECK_THROWS_WITH(max(none), Catch::Contains("max: shape (2, 0) reduced to ()"));
  CHECK_THROWS_WITH(amax(none, 1), Catch::Contains("amax: shape (2, 0) reduced to (2,)"));
  CHECK_THROWS_WITH(argmax(none, 1), Catch::Contains("argmax"));
  CHECK_THROWS_WITH(argmin(none), Catch::Contains("argmin"));
  CHECK(amax(none, 0).shape() == Shape{0});
  CHECK(max(none, 0).indices.shape() == Shape{0});
  CHECK_THROWS_WITH(argmax(ones({2}), 1), Catch::Contains("argmax: axis 1 is out of range"));
}

TEST_CASE("extrema: positions in long rows and columns, with any number of threads") {
  const int before = num_threads();
  Tensor x = zeros({40, 5000});
  for (std::int64_t row = 0; row < 40; ++row) {
    x.data<float>()[row * 5000 + (row * 997) % 5000] = 2;
    x.data<float>()[row * 5000 + 4999] = 2;  // a later one that is equal
  }
  Integers expected;
  for (std::int64_t row = 0; row < 40; ++row) expected.push_back(row * 997 % 5000);
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    CHECK(values<std::int64_t>(argmax(x, 1)) == expected);
    CHECK(values<std::int64_t>(argmax(transpose(x, 0, 1).contiguous(), 0)) == expected);
    CHECK(argmax(x).item<std::int64_t>() == 0);
  }
  set_num_threads(before);
}
