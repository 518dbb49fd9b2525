#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/padding.hpp>
#include <xgrad/nn/resampling.hpp>
#include <xgrad/nn/sequential.hpp>
#include <xgrad/nn/upsampling.hpp>

#include "../catch.hpp"
#include "modules.hpp"

TEST_CASE("padding layers compute what pad does") {
  const Tensor line = randn({2, 3, 6}), image = randn({2, 3, 6, 4}), volume = randn({1, 2, 4, 4, 4});
  const auto padded = [](const Tensor& x, const Shape& sizes, PadMode mode, double value = 0) {
    return values(pad(x, sizes, {.mode = mode, .value = value}));
  };
  CHECK(values(nn::ConstantPad1d({1, 2}, 0.5)(line)) == padded(line, {1, 2}, PadMode::constant, 0.5));
  CHECK(values(nn::ConstantPad2d(1, 2)(image)) == padded(image, {1, 1, 1, 1}, PadMode::constant, 2));
  CHECK(values(nn::ConstantPad3d(1, 2)(volume)) == padded(volume, {1, 1, 1, 1, 1, 1}, PadMode::constant, 2));
  CHECK(values(nn::ZeroPad1d(1)(line)) == padded(line, {1, 1}, PadMode::constant));
  CHECK(values(nn::ZeroPad2d({1, 2, 0, -1})(image)) == padded(image, {1, 2, 0, -1}, PadMode::constant));
  CHECK(values(nn::ZeroPad3d(1)(volume)) == padded(volume, {1, 1, 1, 1, 1, 1}, PadMode::constant));
  CHECK(values(nn::ReflectionPad1d(2)(line)) == padded(line, {2, 2}, PadMode::reflect));
  CHECK(values(nn::ReflectionPad2d(1)(image)) == padded(image, {1, 1, 1, 1}, PadMode::reflect));
  CHECK(values(nn::ReflectionPad3d(1)(volume)) == padded(volume, {1, 1, 1, 1, 1, 1}, PadMode::reflect));
  CHECK(values(nn::ReplicationPad1d(2)(line)) == padded(line, {2, 2}, PadMode::replicate));
  CHECK(values(nn::ReplicationPad2d(1)(image)) == padded(image, {1, 1, 1, 1}, PadMode::replicate));
  CHECK(values(nn::ReplicationPad3d(1)(volume)) == padded(volume, {1, 1, 1, 1, 1, 1}, PadMode::replicate));
  CHECK(values(nn::CircularPad1d(2)(line)) == padded(line, {2, 2}, PadMode::circular));
  CHECK(values(nn::CircularPad2d(1)(image)) == padded(image, {1, 1, 1, 1}, PadMode::circular));
  CHECK(values(nn::CircularPad3d(1)(volume)) == padded(volume, {1, 1, 1, 1, 1, 1}, PadMode::circular));
  CHECK_THROWS_WITH(nn::ZeroPad2d({1, 2, 3}), Catch::Contains("padding has 3 numbers; give one, or two for each"));
}

TEST_CASE("layers of other sizes compute what the functions do, and stand in a Sequential") {
  const Tensor x = randn({2, 8, 4, 6});
  const InterpolateOptions twice{.scale_factor = 2, .mode = InterpolateMode::bilinear};
  CHECK(values(nn::Upsample(twice)(x)) == values(interpolate(x, twice)));
  CHECK(values(nn::UpsamplingNearest2d({.scale_factor = 2})(x)) == values(interpolate(x, {.scale_factor = 2})));
  CHECK(values(nn::UpsamplingBilinear2d({.size = {7, 5}})(x)) ==
        values(interpolate(x, {.size = {7, 5}, .mode = InterpolateMode::bilinear, .align_corners = true})));
  CHECK(values(nn::PixelShuffle(2)(x)) == values(pixel_shuffle(x, 2)));
  CHECK(values(nn::PixelUnshuffle(2)(x)) == values(pixel_unshuffle(x, 2)));
  CHECK(values(nn::ChannelShuffle(4)(x)) == values(channel_shuffle(x, 4)));
  CHECK(values(nn::Unfold(3, {.padding = 1})(x)) == values(unfold(x, 3, {.padding = 1})));
  const Tensor columns = unfold(x, 2, {.stride = 2});
  CHECK(values(nn::Fold({4, 6}, 2, {.stride = 2})(columns)) == values(x));
  nn::Sequential net(nn::ReflectionPad2d(1), nn::PixelShuffle(2), nn::Upsample(twice));
  CHECK(net(x).shape() == Shape{2, 2, 24, 32});
  CHECK(nn::state_dict(net).empty());
}
