#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/data/geometry.hpp>
#include <xgrad/data/hue.hpp>
#include <xgrad/data/transforms.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/slicing.hpp>

#include <fstream>

#include "../reference/digests.hpp"

using namespace xgrad;
using Catch::StartsWith;

namespace {

Tensor image_of(const Shape& shape) { return reference::numbers(shape, 1) * 0.5 + 0.5; }

}  // namespace

TEST_CASE("transforms: resize, rotation, affine and hue are torchvision's") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/geometry.jsonl");
  Generator generator(1);
  int calls = 0;
  for (std::string line; std::getline(file, line); ++calls) {
    const nlohmann::json call = nlohmann::json::parse(line);
    INFO(line);
    const Tensor image = image_of(reference::shape_of(call, "x"));
    const std::string op = call["op"];
    const auto mode = call.value("nearest", false) ? GridSampleMode::nearest : GridSampleMode::bilinear;
    const auto at = [&](const char* key) { return data::Range(call[key].get<double>(), call[key].get<double>()); };
    const auto result = [&] {
      if (op == "resize") return data::Resize(reference::shape_of(call, "size"))(image);
      if (op == "hue") return data::adjust_hue(image, call["shift"]);
      if (op == "rotate")
        return data::RandomRotation(at("degrees"), {.mode = mode, .fill = call["fill"]})(image, generator);
      const double scale = call["scale"];
      return data::RandomAffine({.degrees = at("degrees"),
                                 .scale = {scale, scale},
                                 .shear_x = at("shear_x"),
                                 .shear_y = at("shear_y"),
                                 .mode = mode,
                                 .fill = call["fill"]})(image, generator);
    };
    reference::check_digest(result(), call["result"]);
  }
  CHECK(calls == 24);
}

TEST_CASE("transforms: what is drawn lies within its bounds, and bytes stay bytes") {
  Generator generator(2);
  const Tensor bytes = (image_of({3, 8, 10}) * 255.0).to(uint8);
  CHECK(data::Resize(4)(bytes).shape() == Shape{3, 4, 5});
  CHECK(data::Resize(4)(bytes).dtype() == uint8);
  CHECK(data::Resize({6, 5})(zeros({2, 3, 8, 10})).shape() == Shape{2, 3, 6, 5});
  CHECK(data::RandomRotation(30)(bytes, generator).shape() == bytes.shape());
  const data::RandomAffine by({.translate = {0.25, 0}});
  bool is_moved[6] = {};
  for (int i = 0; i < 60; ++i) {  // by whole pixels, of which a quarter of 10 are at most 2.5
    const Tensor columns = expand(arange(1, 11, {.dtype = float32}), {1, 8, 10}), moved = by(columns, generator);
    const double first = moved.at({0, 0, 4}) - 5;
    REQUIRE(std::abs(first - std::round(first)) < 1e-5);
    REQUIRE(std::abs(first) < 3.5);
    is_moved[static_cast<int>(std::round(first)) + 3] = true;
  }
  CHECK((is_moved[1] && is_moved[2] && is_moved[3] && is_moved[4] && is_moved[5]));
  const Tensor image = image_of({3, 4, 4});
  CHECK(allclose(data::RandomHue(0)(image, generator), image));
  CHECK_FALSE(allclose(data::RandomHue(0.5)(image, generator), image));
}

TEST_CASE("transforms: errors of geometry and hue say what is wrong") {
  CHECK_THROWS_WITH(data::Resize({1, 2, 3}), StartsWith("Resize: size (1, 2, 3) is neither (H, W) nor one number"));
  CHECK_THROWS_WITH(data::Resize(0), StartsWith("Resize: size (0,) must be positive"));
  CHECK_THROWS_WITH(data::Resize(4)(zeros({2, 2})), StartsWith("Resize: an image has shape (C, H, W), not (2, 2)"));
  CHECK_THROWS_WITH(data::Resize(4)(zeros({1, 2, 2}, {.dtype = int64})), StartsWith("Resize: the image is int64"));
  CHECK_THROWS_WITH(data::RandomRotation({5, 2}), StartsWith("RandomRotation: degrees is 5 to 2"));
  CHECK_THROWS_WITH(data::RandomAffine({.scale = {0, 1}}), StartsWith("RandomAffine: scale is 0 to 1"));
  CHECK_THROWS_WITH(data::RandomAffine({.shear_x = 90}), StartsWith("RandomAffine: shear is -90 to 90"));
  CHECK_THROWS_WITH(data::RandomAffine({.translate = {2, 0}}), StartsWith("RandomAffine: translate is 2"));
  CHECK_THROWS_WITH(data::RandomHue(0.6), StartsWith("RandomHue: hue is 0.6"));
  CHECK_THROWS_WITH(data::adjust_hue(zeros({1, 2, 2}), 0.1), StartsWith("adjust_hue: an RGB image has shape"));
}
