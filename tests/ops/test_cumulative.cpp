#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/core/parallel.hpp>
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

TEST_CASE("cumsum: long rows, from both ends, are the same for any number of threads", "[threads]") {
  constexpr std::int64_t n = 100'003;
  std::vector<double> numbers(2 * n);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i * i % 17);
  const Tensor x = from_values(numbers, {2, n}, {.dtype = float64, .requires_grad = true});
  std::vector<double> from_begin = numbers, from_end = numbers;
  for (std::size_t row = 0; row < 2; ++row)
    for (std::size_t i = 1; i < n; ++i) {
      from_begin[row * n + i] += from_begin[row * n + i - 1];
      from_end[row * n + n - 1 - i] += from_end[row * n + n - i];
    }
  const int before = num_threads();
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    const Tensor y = cumsum(x, 1);
    CHECK(values<double>(y) == from_begin);
    CHECK(values<double>(grad({y}, {x}, {.grad_outputs = {x.detach()}})[0]) == from_end);
  }
  const Tensor tenths = linspace(0.1, 0.9, n);
  const auto alone = values<float>(cumsum(tenths, 0));
  set_num_threads(1);
  CHECK(values<float>(cumsum(tenths, 0)) == alone);
  set_num_threads(before);
}

TEST_CASE("cumsum: in the dtype that options name") {
  CHECK(cumsum(integers({1, 2}), 0, {.dtype = float64}).dtype() == float64);
  CHECK(values<std::int64_t>(cumsum(tensor({1.75, 2.75}), 0, {.dtype = int64})) == Integers{1, 3});
  CHECK(values<bool>(cumsum(integers({0, 2}), 0, {.dtype = bool_})) == Bools{false, true});
}
