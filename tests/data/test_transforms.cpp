#include <xgrad/data/transforms.hpp>
#include <xgrad/xgrad.hpp>

#include "../catch.hpp"

using namespace xgrad;
using Catch::StartsWith;

namespace {

Tensor numbered(const Shape& shape) { return reshape(arange(shape.numel()), shape).to(float32); }
bool equal(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && all(a == b).item<bool>(); }

}  // namespace

TEST_CASE("transforms: to float, normalised") {
  CHECK(data::ToFloat()(tensor({0, 51, 255}).to(uint8)).to_vector<float>() == std::vector{0.0f, 0.2f, 1.0f});
  CHECK(data::ToFloat()(tensor({2.5})).to_vector<float>() == std::vector{2.5f});
  const Tensor image = numbered({2, 1, 2});
  CHECK(equal(data::Normalize({1, 2}, {0.5, 2})(image), reshape(tensor({-2.0, 0.0, 0.0, 0.5}), {2, 1, 2})));
  CHECK(equal(data::Normalize({1}, {0.5})(image), (image - 1) / 0.5));
  CHECK_THROWS_WITH(data::Normalize({1, 2}, {1}), StartsWith("Normalize: 2 means and 1 standard deviations"));
  CHECK_THROWS_WITH(data::Normalize({1}, {0}), StartsWith("Normalize: a standard deviation is 0"));
  CHECK_THROWS_WITH(data::Normalize({1, 2, 3}, {1, 1, 1})(image), StartsWith("Normalize: 3 means for an image"));
}

TEST_CASE("transforms: padding and the middle") {
  const Tensor image = numbered({1, 2, 3}), padded = data::Pad(1, {.fill = 9})(image);
  CHECK(padded.shape() == Shape{1, 4, 5});
  CHECK(equal(slice(slice(padded, 1, 1, 3), 2, 1, 4), image));
  CHECK(sum(padded == 9).item<int>() == 14);
  CHECK(equal(data::CenterCrop({2, 3})(padded), image));
  CHECK(equal(data::CenterCrop(4)(image), data::CenterCrop(4)(data::Pad(3)(image))));
  CHECK_THROWS_WITH(data::Pad(-1), StartsWith("Pad: padding is -1"));
  CHECK_THROWS_WITH(data::CenterCrop({1, 2, 3}), StartsWith("CenterCrop: size (1, 2, 3) is neither (H, W) nor one"));
  CHECK_THROWS_WITH(data::Pad(1)(zeros({2, 2})), StartsWith("Pad: an image has shape (C, H, W), not (2, 2)"));
}

TEST_CASE("transforms: a random crop has every place, each equally often") {
  const Tensor image = numbered({1, 3, 3});
  const data::RandomCrop crop(2, {.padding = 1, .fill = -1});
  Generator generator(1);
  std::map<std::vector<float>, int> seen;
  for (int i = 0; i < 3200; ++i) {
    const Tensor part = crop(image, generator);
    REQUIRE(part.shape() == Shape{1, 2, 2});
    ++seen[part.to_vector<float>()];
  }
  CHECK(seen.size() == 16);
  for (const auto& [part, count] : seen) CHECK(std::abs(count - 200) < 80);
  CHECK(seen.contains({-1, -1, -1, 0}));
  CHECK(seen.contains({4, 5, 7, 8}));
  CHECK_THROWS_WITH(data::RandomCrop(9)(image, generator),
                    StartsWith("RandomCrop: an image of shape (1, 3, 3) with padding 0 is smaller than (9, 9)"));
}

TEST_CASE("transforms: flips happen with their probability") {
  const Tensor image = numbered({1, 2, 2});
  Generator generator(2);
  int across = 0, down = 0;
  for (int i = 0; i < 2000; ++i) {
    across += equal(data::RandomHorizontalFlip(0.25)(image, generator), flip(image, {2})) ? 1 : 0;
    down += equal(data::RandomVerticalFlip()(image, generator), flip(image, {1})) ? 1 : 0;
  }
  CHECK(std::abs(across - 500) < 100);
  CHECK(std::abs(down - 1000) < 120);
  CHECK_THROWS_WITH(data::RandomHorizontalFlip(1.5), StartsWith("RandomHorizontalFlip: p is 1.5"));
}

TEST_CASE("transforms: a rectangle is erased, of an area and a ratio within bounds") {
  const Tensor image = ones({3, 20, 30});
  Generator generator(3);
  int erased = 0;
  for (int i = 0; i < 200; ++i) {
    const Tensor out = data::RandomErasing({.p = 0.5, .value = 5})(image, generator);
    const int pixels = sum(select(out, 0, 0) == 5).item<int>();
    erased += pixels > 0 ? 1 : 0;
    CHECK(pixels <= 0.33 * 600 + 20);
    CHECK(equal(select(out, 0, 0), select(out, 0, 2)));
  }
  CHECK(std::abs(erased - 100) < 40);
  CHECK(equal(image, ones({3, 20, 30})));
  CHECK_THROWS_WITH(data::RandomErasing({.scale = {0.5, 0.2}}), StartsWith("RandomErasing: scale is 0.5 to 0.2"));
}

TEST_CASE("transforms: colours change within bounds, and not where nothing is asked for") {
  Generator generator(4);
  const Tensor image = rand({3, 4, 5}, {.generator = &generator});
  CHECK(equal(data::ColorJitter()(image, generator), image));
  const data::ColorJitter jitter({.brightness = 0.4, .contrast = 0.4, .saturation = 0.4});
  for (int i = 0; i < 20; ++i) {
    const Tensor out = jitter(image, generator);
    CHECK(!equal(out, image));
    CHECK(amin(out).item() >= 0);
    CHECK(amax(out).item() <= 1);
  }
  const Tensor gray = full({3, 2, 2}, 0.5);
  CHECK(allclose(data::ColorJitter({.contrast = 0.9, .saturation = 0.9})(gray, generator), gray));
  CHECK_THROWS_WITH(jitter(ones({3, 2, 2}, {.dtype = uint8}), generator),
                    StartsWith("ColorJitter: the image is uint8; convert it with ToFloat"));
}
