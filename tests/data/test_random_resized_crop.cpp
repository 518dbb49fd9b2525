#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/data/random_resized_crop.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/shape.hpp>

#include <cmath>
#include <set>

#include "../catch.hpp"

using namespace xgrad;
using Catch::StartsWith;

namespace {

/// The image whose pixels are their column and their row.
Tensor places(std::int64_t height, std::int64_t width) {
  const Tensor columns = expand(arange(width, {.dtype = float32}), {1, height, width}),
               rows = expand(reshape(arange(height, {.dtype = float32}), {1, height, 1}), {1, height, width});
  return concat({columns, rows}, 0);
}

}  // namespace

TEST_CASE("RandomResizedCrop: area, proportions and place are drawn within their bounds") {
  Generator generator(3);
  const data::RandomResizedCrop crop({5, 7},
                                     {.scale = {0.2, 0.6}, .ratio = {0.5, 2}, .mode = InterpolateMode::nearest});
  const Tensor image = places(40, 60);
  std::set<std::int64_t> lefts, tops;
  for (int i = 0; i < 100; ++i) {
    const Tensor y = crop(image, generator);
    REQUIRE(y.shape() == Shape{2, 5, 7});
    // Of `nearest`, the first pixel is that of the rectangle, and the last one lies 6/7 (4/5) of its sides further.
    const double left = y.at({0, 0, 0}), top = y.at({1, 0, 0}), width = (y.at({0, 0, 6}) - left) * 7 / 6,
                 height = (y.at({1, 4, 0}) - top) * 5 / 4;
    CHECK(width * height > 0.2 * 2400 * 0.8);
    CHECK(width * height < 0.6 * 2400 * 1.1);
    CHECK(width / height > 0.5 * 0.85);
    CHECK(width / height < 2 * 1.15);
    CHECK((left >= 0 && top >= 0 && left + width <= 61 && top + height <= 41));
    lefts.insert(std::llround(left));
    tops.insert(std::llround(top));
  }
  CHECK(lefts.size() > 10);
  CHECK(tops.size() > 8);
}

TEST_CASE("RandomResizedCrop: where nothing fits, the middle is taken; bytes stay bytes") {
  Generator generator(4);
  const Tensor y =
      data::RandomResizedCrop(4, {.scale = {1, 1}, .mode = InterpolateMode::nearest})(places(4, 40), generator);
  CHECK(y.shape() == Shape{2, 4, 4});
  CHECK(y.at({0, 0, 0}) == 17);  // 4 high, 4 x 4/3 wide: from (40 - 5) / 2 on
  CHECK(y.at({1, 3, 0}) == 3);
  const Tensor bytes = zeros({2, 3, 9, 9}, {.dtype = uint8});
  CHECK(data::RandomResizedCrop(6)(bytes, generator).shape() == Shape{2, 3, 6, 6});
  CHECK(data::RandomResizedCrop(6)(bytes, generator).dtype() == uint8);
}

TEST_CASE("RandomResizedCrop: errors") {
  Generator generator(5);
  CHECK_THROWS_WITH(data::RandomResizedCrop(4, {.scale = {0.5, 1.5}}),
                    StartsWith("RandomResizedCrop: scale is 0.5 to 1.5; it must lie between 0 and 1"));
  CHECK_THROWS_WITH(data::RandomResizedCrop(4, {.ratio = {0, 1}}),
                    StartsWith("RandomResizedCrop: ratio is 0 to 1; it must be positive, and finite"));
  CHECK_THROWS_WITH(data::RandomResizedCrop(4)(zeros({3, 4}), generator),
                    StartsWith("RandomResizedCrop: an image has shape (C, H, W), not (3, 4)"));
  CHECK_THROWS_WITH(data::RandomResizedCrop(4)(zeros({3, 0, 4}), generator),
                    StartsWith("RandomResizedCrop: an image of shape (3, 0, 4) has no pixels"));
}
