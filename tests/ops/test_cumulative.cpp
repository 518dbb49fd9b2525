#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/cumulative.hpp>
#include <xgrad/ops/reduce.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

TEST_CASE("cumsum: running totals along an axis, and the gradient's from the end") {
  const Tensor x = doubles({{1, 2, 3}, {4, 5, 6}});
  CHECK(values<double>(cumsum(x, 1)) == Doubles{1, 3, 6, 4, 9, 15});
  CHECK(values<double>(cumsum(x, 0)) == Doubles{1, 2, 3, 5, 7, 9});
  sum(cumsum(x, 1) * doubles({1, 10, 100}).detach()).backward();
  CHECK(values<double>(x.grad()) == Doubles{111, 110, 100, 111, 110, 100});
}

TEST_CASE("cumsum: int64 and bool give int64; nothing gives nothing") {
  CHECK(values<std::int64_t>(cumsum(integers({1, 2, 3}), 0)) == Integers{1, 3, 6});
  CHECK(values<std::int64_t>(cumsum(bools({true, false, true}), 0)) == Integers{1, 1, 2});
  CHECK(cumsum(zeros({2, 0}), 1).shape() == Shape{2, 0});
}

TEST_CASE("cumsum: float32 keeps its precision over a long way") {
  const Tensor x = full({1'000'000}, 0.1);
  const Tensor y = cumsum(x, 0);
  const double tenth = 0.1f;
  CHECK(y.data<float>()[999'999] == Approx(1e6 * tenth).epsilon(1e-7));
}

TEST_CASE("cumsum: in the dtype that options name") {
  CHECK(cumsum(integers({1, 2}), 0, {.dtype = float64}).dtype() == float64);
  CHECK(values<std::int64_t>(cumsum(tensor({1.75, 2.75}), 0, {.dtype = int64})) == Integers{1, 3});
  CHECK(values<bool>(cumsum(integers({0, 2}), 0, {.dtype = bool_})) == Bools{false, true});
}
