#include <xgrad/data/cifar10.hpp>
#include <xgrad/data/cifar100.hpp>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Indices = std::vector<std::int64_t>;

namespace {

/// Labels and an image whose byte i is first + i, modulo 256.
std::string record(const std::string& labels, int first) {
  std::string out = labels;
  for (int i = 0; i < 3072; ++i) out += static_cast<char>(first + i);
  return out;
}

}  // namespace

TEST_CASE("CIFAR10: the records of five files, or of the test file") {
  const TemporaryDirectory directory;
  for (int file = 1; file <= 5; ++file)
    directory.write("data_batch_" + std::to_string(file) + ".bin",
                    record({static_cast<char>(file)}, file) + record("\x09", 0));
  directory.write("test_batch.bin", record("\x07", 3));
  const data::CIFAR10 train(directory.path("")), test(directory.path(""), {.train = false});
  CHECK(train.size() == 10);
  CHECK(test.size() == 1);
  const auto [x, y] = train.batch(Indices{8, 1});
  CHECK(x.shape() == Shape{2, 3, 32, 32});
  CHECK(y.to_vector<int>() == std::vector{5, 9});
  CHECK(x.at<float>({0, 0, 0, 0}) == 5 / 255.0f);
  CHECK(x.at<float>({0, 2, 31, 31}) == static_cast<float>((5 + 3071) % 256) / 255.0f);
  CHECK(x.at<float>({1, 1, 0, 2}) == static_cast<float>((1024 + 2) % 256) / 255.0f);
  CHECK(test.batch(Indices{0}).y.item<int>() == 7);
  CHECK_THROWS_WITH(test.batch(Indices{1}), Contains("CIFAR10: sample 1 is out of range for 1 samples"));
}

TEST_CASE("CIFAR100: classes, or superclasses") {
  const TemporaryDirectory directory;
  directory.write("train.bin", record("\x13\x63", 0) + record("\x02\x05", 1));
  CHECK(data::CIFAR100(directory.path("")).batch(Indices{0, 1}).y.to_vector<int>() == std::vector{99, 5});
  CHECK(data::CIFAR100(directory.path(""), {.coarse = true}).batch(Indices{0, 1}).y.to_vector<int>() ==
        std::vector{19, 2});
}

TEST_CASE("CIFAR: files that are missing or damaged are errors") {
  const TemporaryDirectory directory;
  const auto load = [&] { data::CIFAR10(directory.path(""), {.train = false}); };
  CHECK_THROWS_WITH(load(), Contains("test_batch.bin"));
  directory.write("test_batch.bin", record("\x01", 0).substr(1));
  CHECK_THROWS_WITH(load(), Contains("3072 bytes are no whole number of records of 3073"));
  directory.write("test_batch.bin", record("\x01", 0) + record("\x0a", 0));
  CHECK_THROWS_WITH(load(), Contains("label 1 is 10, expected 0 to 9"));
  directory.write("test_batch.bin", "");
  CHECK(data::CIFAR10(directory.path(""), {.train = false}).size() == 0);
}
