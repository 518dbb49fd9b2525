#include <xgrad/data/fashion_mnist.hpp>

#include <filesystem>
#include <numeric>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Indices = std::vector<std::int64_t>;

namespace {

std::string images(unsigned char count) {
  std::string out{0, 0, 8, 3, 0, 0, 0, static_cast<char>(count), 0, 0, 0, 2, 0, 0, 0, 3};
  for (int i = 0; i < count * 6; ++i) out += static_cast<char>(i * 5);
  return out;
}

std::string labels(const std::string& values) {
  return std::string{0, 0, 8, 1, 0, 0, 0, static_cast<char>(values.size())} + values;
}

}  // namespace

TEST_CASE("MNIST: images become floats in [0, 1], labels int64") {
  const TemporaryDirectory directory;
  directory.write("train-images-idx3-ubyte", images(43));
  directory.write("train-labels-idx1-ubyte", labels(std::string(41, '\3') + "\x07\x09"));
  const data::MNIST set(directory.path(""), {.train = true});
  CHECK(set.size() == 43);

  Indices all(43);
  std::iota(all.begin(), all.end(), 0);
  const Tensor every = set.batch(all).x;
  bool exact = true;  // for each of the 256 byte values
  for (int i = 0; i < 43 * 6; ++i) exact = exact && every.data<float>()[i] == static_cast<float>(i * 5 & 255) / 255.0f;
  CHECK(exact);

  const auto [x, y] = set.batch(Indices{42, 1});
  CHECK(x.shape() == Shape{2, 1, 2, 3});
  CHECK(x.dtype() == float32);
  CHECK(x.data<float>()[0] == every.data<float>()[42 * 6]);
  CHECK(x.data<float>()[6] == every.data<float>()[6]);
  CHECK(y.dtype() == int64);
  CHECK(y.shape() == Shape{2});
  CHECK(y.data<std::int64_t>()[0] == 9);
  CHECK(y.data<std::int64_t>()[1] == 3);
  CHECK(set.batch({}).x.shape() == Shape{0, 1, 2, 3});
  CHECK_THROWS_WITH(set.batch(Indices{43}), Contains("MNIST: sample 43 is out of range for 43 samples"));
}

TEST_CASE("MNIST: files that are missing or do not fit each other are errors") {
  const TemporaryDirectory directory;
  const auto load = [&] { data::FashionMNIST(directory.path(""), {.train = false}); };
  CHECK_THROWS_WITH(load(), Contains("has neither t10k-images-idx3-ubyte nor t10k-images-idx3-ubyte.gz"));
  directory.write("t10k-images-idx3-ubyte", images(3));
  CHECK_THROWS_WITH(load(), Contains("has neither t10k-labels-idx1-ubyte"));
  directory.write("t10k-labels-idx1-ubyte", labels({1, 2}));
  CHECK_THROWS_WITH(load(), Contains("3 images in ") && Contains("2 labels in "));
  directory.write("t10k-labels-idx1-ubyte", labels({1, 2, 10}));
  CHECK_THROWS_WITH(load(), Contains("label 2 is 10, expected 0 to 9"));
  directory.write("t10k-labels-idx1-ubyte", images(3));
  CHECK_THROWS_WITH(load(), Contains("shape (3, 2, 3), expected labels (N,)"));
  directory.write("t10k-labels-idx1-ubyte", labels({1, 2, 3}));
  CHECK_NOTHROW(load());
  directory.write("t10k-images-idx3-ubyte", labels({1, 2, 3}));
  CHECK_THROWS_WITH(load(), Contains("shape (3,), expected images (N, H, W)"));
}

TEST_CASE("FashionMNIST: the files that Debian installs are read") {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    CHECK_THROWS_WITH(data::fashion_mnist_directory(), Contains("install the package dataset-fashion-mnist"));
    WARN("skipped: the package dataset-fashion-mnist is not installed");
    return;
  }
  const data::FashionMNIST train(data::fashion_mnist_directory()),
      test(data::fashion_mnist_directory(), {.train = false});
  CHECK(train.size() == 60000);
  CHECK(test.size() == 10000);
  Indices all(10000);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  const auto [x, y] = test.batch(all);
  CHECK(x.shape() == Shape{10000, 1, 28, 28});
  std::array<int, 10> counts = {};
  for (std::int64_t i = 0; i < 10000; ++i) ++counts[static_cast<std::size_t>(y.data<std::int64_t>()[i])];
  for (const int count : counts) CHECK(count == 1000);
  double total = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) total += x.data<float>()[i];
  CHECK(total / static_cast<double>(x.numel()) == Approx(0.2868).margin(1e-4));  // the known mean of the test images
}
