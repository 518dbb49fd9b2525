#include <xgrad/image/image.hpp>
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::StartsWith;

namespace {

const std::string folder = XGRAD_TESTS_DIR "/reference/images/";

std::string contents(const char* name) {
  std::ifstream file(folder + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// All values from 0 to 255 in some order.
Tensor pattern(const Shape& shape) {
  Tensor picture = empty(shape, {.dtype = uint8});
  for (std::int64_t i = 0; i < picture.numel(); ++i)
    picture.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 37);
  return picture;
}

std::int64_t largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return amax(abs(a.to(int64) - b.to(int64))).item<std::int64_t>();
}

}  // namespace

TEST_CASE("image: every kind of PNG and JPEG is read as Pillow reads it") {
  const auto expected = nlohmann::json::parse(contents("expected.json"));
  for (const auto& [name, picture] : expected.items()) {
    CAPTURE(name);
    const Tensor read = image::read(folder + name);
    CHECK(read.dtype() == uint8);
    const Tensor right = reshape(tensor(picture["values"].get<std::vector<std::int64_t>>()),
                                 Shape(picture["shape"].get<std::vector<std::int64_t>>()));
    // Decoders of JPEG may round differently.
    CHECK(largest_difference(read, right) <= (name.ends_with(".jpg") ? 2 : 0));
    const Tensor rgb = image::read(folder + name, {.mode = image::Mode::rgb});
    CHECK(rgb.shape() == Shape{3, 5, 7});
    if (read.size(0) >= 3)
      CHECK(largest_difference(rgb, slice(read, 0, 0, 3)) == 0);
    else
      CHECK(largest_difference(rgb, expand(slice(read, 0, 0, 1), {3, 5, 7})) == 0);
    const Tensor gray = image::read(folder + name, {.mode = image::Mode::gray});
    const Tensor mix = reshape(tensor({0.299, 0.587, 0.114}), {3, 1, 1});
    CHECK(largest_difference(gray, (sum(rgb.to(float64) * mix, 0, {.keepdim = true}) + 0.5).to(uint8)) <= 1);
  }
}

TEST_CASE("image: what is saved as PNG comes back, of every number of channels and dtype") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("picture.png");
  for (std::int64_t channels = 1; channels <= 4; ++channels) {
    const Tensor picture = pattern({channels, 9, 31});
    image::save(picture, path);
    CHECK(largest_difference(image::read(path), picture) == 0);
    image::save(picture.to(float32) / 255, path);
    CHECK(largest_difference(image::read(path), picture) == 0);
    image::save(transpose(picture, 1, 2), path);
    CHECK(largest_difference(image::read(path), transpose(picture, 1, 2)) == 0);
  }
  image::save(tensor({{true, false}, {false, true}}), path);
  CHECK(largest_difference(image::read(path), tensor({{{255, 0}, {0, 255}}})) == 0);
  image::save(tensor({{-1.0, 2.0}, {std::nan(""), 0.5}}), path);
  CHECK(largest_difference(image::read(path), tensor({{{0, 255}, {0, 128}}})) == 0);
}

TEST_CASE("image: a JPEG that is saved is near the picture, nearer with more quality") {
  const TemporaryDirectory directory;
  const Tensor ramp = expand(reshape(arange(32) * 8, {1, 1, 32}), {3, 24, 32}).to(uint8);
  image::save(ramp, directory.path("fine.jpeg"), {.quality = 100});
  image::save(ramp, directory.path("coarse.JPG"), {.quality = 5});
  const std::int64_t fine = largest_difference(image::read(directory.path("fine.jpeg")), ramp),
                     coarse = largest_difference(image::read(directory.path("coarse.JPG")), ramp);
  CHECK(fine <= 3);
  CHECK(coarse > fine);
}

TEST_CASE("image: a grid has the pictures in rows") {
  const TemporaryDirectory directory;
  const Tensor pictures = pattern({3, 1, 2, 2});
  const Tensor all = image::grid(pictures, {.columns = 2, .padding = 1, .value = 7});
  CHECK(all.shape() == Shape{1, 7, 7});
  CHECK(largest_difference(slice(slice(all, 1, 4, 6), 2, 1, 3), select(pictures, 0, 2)) == 0);
  CHECK(largest_difference(slice(slice(all, 1, 1, 3), 2, 4, 6), select(pictures, 0, 1)) == 0);
  CHECK(all.at({0, 0, 0}) == 7);
  CHECK(all.at({0, 4, 4}) == 7);
  image::save(pictures, directory.path("grid.png"), {.columns = 2});
  CHECK(image::read(directory.path("grid.png")).shape() == Shape{1, 10, 10});
  CHECK_THROWS_WITH(image::grid(zeros({3, 2, 2})),
                    StartsWith("image::grid: pictures have shape (N, C, H, W), not (3, 2, 2)"));
}

TEST_CASE("image: a file that is cut off anywhere is an error") {
  for (const char* name : {"rgb.png", "palette.png", "rgb.jpg", "progressive.jpg"}) {
    const std::string bytes = contents(name);
    CHECK_NOTHROW(image::decode(bytes));
    // Behind the pixels a PNG has a sum and an end, 16 bytes; a JPEG has an end, two.
    for (std::size_t size = 0; size + 20 < bytes.size(); ++size) {
      CAPTURE(name, size);
      CHECK_THROWS_AS(image::decode(std::string_view(bytes).substr(0, size)), Error);
    }
  }
}

TEST_CASE("image: a picture that says to be huge is refused before memory is taken") {
  CHECK_THROWS_WITH(image::decode(contents("gray.png"), {.max_pixels = 34}),
                    StartsWith("image::decode: a picture of 5 x 7 pixels has more than the 34 that are allowed; set "
                               "max_pixels to read it"));
  std::string bytes = contents("rgb.jpg");
  const std::size_t frame = bytes.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  for (const std::size_t at : {5, 7}) bytes[frame + at] = '\xfe', bytes[frame + at + 1] = 0;
  CHECK_THROWS_WITH(image::decode(bytes), Contains("a picture of 65024 x 65024 pixels has more than the 100000000"));
}

TEST_CASE("image: errors name the file and what is wrong, and leave the old file") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("picture.png"), text = directory.path("text.png");
  directory.write("text.png", "no picture");
  CHECK_THROWS_WITH(image::read(text),
                    StartsWith("image::read: " + text + ": neither PNG nor JPEG, by its first bytes"));
  CHECK_THROWS_WITH(image::read(directory.path("none.png")), Contains("none.png"));
  image::save(zeros({1, 2, 2}), path);
  CHECK_THROWS_WITH(image::save(zeros({5, 2, 2}), path), Contains("5 channels; a PNG has 1 to 4, a JPEG 1 or 3"));
  CHECK_THROWS_WITH(image::save(zeros({2, 2}, {.dtype = int64}), path),
                    StartsWith("image::save: a picture is uint8, bool or floating, not int64"));
  CHECK_THROWS_WITH(image::save(zeros({3, 0, 2}), path), Contains("sides of shape (3, 0, 2) must lie between 1 and"));
  CHECK_THROWS_WITH(image::save(zeros({2}), path),
                    StartsWith("image::save: a picture has shape (C, H, W) or (H, W), not (2,)"));
  CHECK_THROWS_WITH(image::save(zeros({2, 2}), directory.path("picture.gif")),
                    Contains("the name must end in .png, .jpg or .jpeg"));
  CHECK_THROWS_WITH(image::save(zeros({2, 2}), path, {.quality = 0}), StartsWith("image::save: quality is 0"));
  CHECK(image::read(path).shape() == Shape{1, 2, 2});
}
