#include <xgrad/autograd/create.hpp>
#include <xgrad/data/geometry.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/data/transforms.hpp>
#include <xgrad/image/image_folder.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/reduce.hpp>

#include <filesystem>
#include <fstream>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::StartsWith;

namespace {

/// Two classes: three pictures of one size, the last in a folder of its own, and one of another size.
void write_pictures(const std::string& directory) {
  for (const char* folder : {"/dog", "/cat/more"}) std::filesystem::create_directories(directory + folder);
  image::save(full({3, 4, 5}, 0.2), directory + "/cat/b.png");
  image::save(full({3, 4, 5}, 0.4), directory + "/cat/a.JPG");
  image::save(full({1, 4, 5}, 0.6), directory + "/cat/more/c.png");
  image::save(full({3, 8, 10}, 0.8), directory + "/dog/x.jpeg");
  std::ofstream(directory + "/dog/notes.txt") << "no picture";
}

}  // namespace

TEST_CASE("ImageFolder: folders are classes, sorted by name, and their files samples") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("pictures");
  write_pictures(path);
  const data::ImageFolder set(path);
  CHECK(set.classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(set.size() == 4);
  CHECK(set.samples()[0].path == path + "/cat/a.JPG");
  CHECK(set.samples()[3].label == 1);
  const std::int64_t indices[] = {1, 2, 0};
  const data::Batch batch = set.batch(indices);
  CHECK(batch.x.shape() == Shape{3, 3, 4, 5});
  CHECK(batch.x.dtype() == float32);
  CHECK(batch.x.at({0, 2, 3, 4}) == Approx(51 / 255.0));
  CHECK(batch.x.at({1, 2, 0, 0}) == Approx(153 / 255.0));
  CHECK(batch.y.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 0, 0});
  CHECK(set.batch({}).x.shape() == Shape{0, 3, 4, 5});
}

TEST_CASE("ImageFolder: a transform makes one size, and what it draws is the same for any number of workers") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("pictures");
  write_pictures(path);
  const data::ImageFolder set(path, data::compose(data::Resize(6), data::RandomCrop(4)));
  const auto epoch = [&](std::int64_t workers) {
    std::vector<float> all;
    for (const auto& [x, y] : data::DataLoader(set, {.batch_size = 3, .shuffle = true, .seed = 5, .workers = workers}))
      for (const float value : x.to_vector<float>()) all.push_back(value);
    return all;
  };
  const auto alone = epoch(0);
  CHECK(alone.size() == 4 * 3 * 4 * 4);
  CHECK(epoch(2) == alone);
}

TEST_CASE("ImageFolder: errors name the folder or the file, and the remedy") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("pictures");
  std::filesystem::create_directory(path);
  CHECK_THROWS_WITH(data::ImageFolder(path + "/missing"),
                    StartsWith("ImageFolder: " + path + "/missing: No such file"));
  CHECK_THROWS_WITH(data::ImageFolder(path), Contains("has no folders; the pictures of each class lie in a folder"));
  write_pictures(path);
  const data::ImageFolder set(path);
  const std::int64_t both[] = {0, 3}, beyond[] = {4};
  CHECK_THROWS_WITH(set.batch(both), StartsWith("ImageFolder: " + path + "/dog/x.jpeg has shape (3, 8, 10)") &&
                                         Contains("make them one size by a transform"));
  CHECK_THROWS_WITH(set.batch(beyond), StartsWith("ImageFolder: "));
  CHECK_THROWS_WITH(data::ImageFolder(path, {.max_pixels = 10}).batch(both), Contains("set max_pixels to read it"));
  std::ofstream(path + "/cat/b.png") << "damaged";
  const std::int64_t damaged[] = {1};
  CHECK_THROWS_WITH(set.batch(damaged), Contains(path + "/cat/b.png"));
  std::filesystem::create_directory(path + "/empty");
  CHECK_THROWS_WITH(data::ImageFolder(path), StartsWith("ImageFolder: " + path + "/empty has no pictures"));
}
