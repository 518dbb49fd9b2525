#include <xgrad/autograd/sequences.hpp>

#include <cmath>

#include "../catch.hpp"

using namespace xgrad;

namespace {

using Integers = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("logspace: evenly spaced exponents, both ends included") {
  const Tensor x = logspace(-1, 2, 4, 10, {.dtype = float64});
  for (std::int64_t i = 0; i < 4; ++i) CHECK(x.at({i}) == Approx(std::pow(10, i - 1)).epsilon(1e-15));
  CHECK(logspace(0, 3, 4, 2).to_vector<float>() == std::vector<float>{1, 2, 4, 8});
  CHECK(logspace(1, 5, 1).to_vector<float>() == std::vector<float>{10});
  CHECK(logspace(0, 1, 0).numel() == 0);
  CHECK(logspace(0, 1, 2, 10, {.requires_grad = true}).requires_grad());
  CHECK_THROWS_AS(logspace(0, 1, -1), Error);
}

TEST_CASE("tril_indices, triu_indices: as NumPy has them") {
  CHECK(tril_indices(2, 3).to_vector<std::int64_t>() == Integers{0, 1, 1, 0, 0, 1});
  CHECK(triu_indices(2, 3).to_vector<std::int64_t>() == Integers{0, 0, 0, 1, 1, 0, 1, 2, 1, 2});
  CHECK(tril_indices(2, 3, 1).to_vector<std::int64_t>() == Integers{0, 0, 1, 1, 1, 0, 1, 0, 1, 2});
  CHECK(triu_indices(3, 2, -1).to_vector<std::int64_t>() == Integers{0, 0, 1, 1, 2, 0, 1, 0, 1, 1});
  CHECK(tril_indices(2, 3, -5).shape() == Shape{2, 0});
  CHECK(triu_indices(2, 3, INT64_MIN).shape() == Shape{2, 6});
  CHECK_THROWS_AS(tril_indices(-1, 2), Error);
}
