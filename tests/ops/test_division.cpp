#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/division.hpp>
#include <xgrad/ops/reduce.hpp>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

TEST_CASE("division: integers give integers, with the signs of Python and of C") {
  const Tensor a = integers({7, -7, 7, -7, 6, -6, 0}), b = integers({2, 2, -2, -2, 3, 3, -5});
  CHECK(values<std::int64_t>(floor_divide(a, b)) == Integers{3, -4, -4, 3, 2, -2, 0});
  CHECK(values<std::int64_t>(div(a, b, {.rounding_mode = RoundingMode::floor})) ==
        values<std::int64_t>(floor_divide(a, b)));
  CHECK(values<std::int64_t>(div(a, b, {.rounding_mode = RoundingMode::trunc})) == Integers{3, -3, -3, 3, 2, -2, 0});
  CHECK(values<std::int64_t>(remainder(a, b)) == Integers{1, 1, -1, -1, 0, 0, 0});
  CHECK(values<std::int64_t>(fmod(a, b)) == Integers{1, -1, 1, -1, 0, 0, 0});
  CHECK(values<std::int64_t>(floor_divide(a, 4)) == Integers{1, -2, 1, -2, 1, -2, 0});
  CHECK(values<std::int64_t>(remainder(10, integers({3, -3}))) == Integers{1, -2});
  CHECK(values<std::int64_t>(fmod(-10, integers({3, -3}))) == Integers{-1, -1});
  CHECK(floor_divide(bools({1}), bools({1})).dtype() == int64);
  CHECK(floor_divide(a, 2.5).dtype() == float32);
  CHECK((a / b).dtype() == float32);
  CHECK(values<float>(div(integers({7}), integers({2}), {})) == Floats{3.5});
}

TEST_CASE("division: integers beyond 2^53, and the least one by -1") {
  const Tensor big = integers({9007199254740993, INT64_MAX, INT64_MIN, INT64_MIN});
  CHECK(values<std::int64_t>(floor_divide(big, integers({1, 2, 2, -1}))) ==
        Integers{9007199254740993, 4611686018427387903, -4611686018427387904, INT64_MIN});
  CHECK(values<std::int64_t>(div(big, -1, {.rounding_mode = RoundingMode::trunc})) ==
        Integers{-9007199254740993, -INT64_MAX, INT64_MIN, INT64_MIN});
  CHECK(values<std::int64_t>(remainder(big, -1)) == Integers{0, 0, 0, 0});
  CHECK(values<std::int64_t>(fmod(big, INT64_MIN)) == Integers{9007199254740993, INT64_MAX, 0, 0});
  CHECK(values<std::int64_t>(remainder(big, INT64_MIN)) == Integers{9007199254740993 + INT64_MIN, -1, 0, 0});
}

TEST_CASE("division: of integers by 0 is an error") {
  const Tensor a = integers({1, 2}), zero = integers({1, 0});
  CHECK_THROWS_WITH(floor_divide(a, zero), Catch::Contains("floor_divide: an integer is divided by 0"));
  CHECK_THROWS_WITH(div(a, 0, {.rounding_mode = RoundingMode::trunc}), Catch::Contains("div: an integer"));
  CHECK_THROWS_AS(remainder(a, 0), Error);
  CHECK_THROWS_AS(fmod(3, zero), Error);
  CHECK_THROWS_AS(floor_divide(a, bools({0})), Error);
  CHECK(floor_divide(integers({}), 0).numel() == 0);
  CHECK(values<double>(floor_divide(full({2}, 1.0, {.dtype = float64}), doubles({0, -0.0}))) == Doubles{inf, -inf});
}

TEST_CASE("division: floating numbers, as PyTorch 2.13") {
  const Tensor a = doubles({7.5, -7.5, 7.5, -7.5, 1, -0.1, 0.6, -0.0, inf, 3});
  const Tensor b = doubles({2, 2, -2, -2, 0.1, 0.3, 0.2, 3, 2, inf});
  CHECK(alike(values<double>(floor_divide(a, b)), {3, -4, -4, 3, 9, -1, 2, -0.0, NaN, 0}));
  CHECK(alike(values<double>(div(a, b, {.rounding_mode = RoundingMode::trunc})),
              {3, -3, -3, 3, 10, -0.0, 2, -0.0, inf, 0}));
  CHECK(alike(values<double>(remainder(a, b)),
              {1.5, 0.5, -0.5, -1.5, 0.09999999999999995, 0.19999999999999998, 0.19999999999999996, -0.0, NaN, 3}));
  CHECK(alike(values<double>(fmod(a, b)),
              {1.5, -1.5, 1.5, -1.5, 0.09999999999999995, -0.1, 0.19999999999999996, -0.0, NaN, 3}));
}

TEST_CASE("division: a rounded quotient has derivative 0, a remainder that of its formula") {
  Tensor a = doubles({7.5, -7.5}), b = doubles({2});
  sum(floor_divide(a, b)).backward();
  CHECK(values<double>(a.grad()) == Doubles{0, 0});
  a.zero_grad();
  sum(remainder(a, b)).backward();
  CHECK(values<double>(a.grad()) == Doubles{1, 1});
  CHECK(values<double>(b.grad()) == Doubles{1});  // -3 + 4, and 0 of the quotient
}
