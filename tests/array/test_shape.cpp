#include <xgrad/array/shape.hpp>

#include <array>
#include <vector>

#include "../catch.hpp"

using namespace xgrad;

TEST_CASE("shape: prints as Python prints a tuple") {
  CHECK(Shape{}.str() == "()");
  CHECK(Shape{3}.str() == "(3,)");
  CHECK(Shape{3, 4}.str() == "(3, 4)");
}

TEST_CASE("shape: of a number, and of a range of integers") {
  CHECK(Shape(3).str() == "(3,)");
  CHECK((Shape(std::vector<int>{3, 4}) == Shape{3, 4}));
  CHECK((Shape(std::array<std::size_t, 2>{3, 4}) == Shape{3, 4}));
  CHECK(Shape(std::vector<std::int64_t>{}).empty());
  CHECK_THROWS_AS(Shape(18446744073709551615ull), Error);
  CHECK_THROWS_AS(Shape(std::vector<std::int64_t>(9, 1)), Error);
}

TEST_CASE("shape: element count is checked") {
  CHECK(Shape{}.numel() == 1);
  CHECK(Shape{3, 0, std::int64_t{1} << 62, 8}.numel() == 0);
  CHECK_THROWS_AS((Shape{std::int64_t{1} << 32, std::int64_t{1} << 32}.numel()), Error);
  CHECK_THROWS_AS((Shape{2, -1}.numel()), Error);
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), Error);
}

TEST_CASE("shape: broadcasting follows NumPy") {
  CHECK(broadcast_shapes("add", {3, 1}, {4}) == Shape{3, 4});
  CHECK(broadcast_shapes("add", {0}, {1}) == Shape{0});
  CHECK(broadcast_shapes("add", {}, {2, 2}) == Shape{2, 2});
  CHECK_THROWS_AS(broadcast_shapes("add", {3}, {4}), Error);
  CHECK(broadcasts_to({1, 4}, {2, 3, 4}));
  CHECK_FALSE(broadcasts_to({2, 4}, {4}));
}

TEST_CASE("shape: axes count from either end") {
  CHECK(normalize_axis("sum", -1, 3) == 2);
  CHECK_THROWS_AS(normalize_axis("sum", 3, 3), Error);
  CHECK(normalize_axes("sum", {-1, 0}, 3) == Shape{0, 2});
  CHECK_THROWS_AS(normalize_axes("sum", {0, -3}, 3), Error);
}
