#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/data/mix.hpp>
#include <xgrad/data/tensor_dataset.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include <cmath>
#include <numeric>

#include "../catch.hpp"

using namespace xgrad;
using Catch::StartsWith;

namespace {

/// Sample i is an image all of i, of class i.
data::TensorDataset flat_images(std::int64_t n) {
  const Tensor numbers = arange(n, {.dtype = int64});
  return data::TensorDataset(expand(reshape(numbers.to(float32), {n, 1, 1, 1}), {n, 2, 6, 5}).contiguous(), numbers);
}

std::vector<float> epoch_of(const data::Dataset& set, std::int64_t workers) {
  std::vector<float> all;
  for (const auto& [x, y] : data::DataLoader(set, {.batch_size = 3, .shuffle = true, .seed = 7, .workers = workers}))
    for (const Tensor& part : {x, y})
      for (const float value : part.to_vector<float>()) all.push_back(value);
  return all;
}

}  // namespace

TEST_CASE("mixup and cutmix: targets are mixed as the images are") {
  constexpr std::int64_t n = 10;
  const Tensor classes = arange(n).to(float32);
  std::vector<std::int64_t> all(n);
  std::iota(all.begin(), all.end(), 0);
  for (const bool cuts : {false, true}) {
    const data::MixOptions options{.num_classes = n, .alpha = 0.7};
    const data::Mixed set = cuts ? data::cutmix(flat_images(n), options) : data::mixup(flat_images(n), options);
    const data::Batch batch = set.batch(all);
    CHECK(batch.x.shape() == Shape{n, 2, 6, 5});
    CHECK(batch.y.shape() == Shape{n, n});
    CHECK(allclose(sum(batch.y, 1), ones({n})));
    // An image of constants has the mean of its classes, each by its share.
    CHECK(allclose(mean(batch.x, {1, 2, 3}), sum(batch.y * classes, 1), {.rtol = 1e-4}));
    CHECK_FALSE(allclose(batch.x, flat_images(n).batch(all).x));
    CHECK(epoch_of(set, 0) == epoch_of(set, 3));
    const data::Batch as_it_is = data::mixup(flat_images(n), {.num_classes = n, .p = 0}).batch(all);
    CHECK(allclose(as_it_is.x, flat_images(n).batch(all).x));
    CHECK(set.batch({}).y.shape() == Shape{0, n});
  }
}

TEST_CASE("mixup: shares are of the distribution Beta(alpha, alpha), also for alpha near 0") {
  constexpr std::int64_t n = 4000;
  // Samples of 0, then of 1: one whose partner is of the other half tells its share.
  const data::TensorDataset halves(concat({zeros({n / 2, 1}), ones({n / 2, 1})}), zeros({n}, {.dtype = int64}));
  std::vector<std::int64_t> all(n);
  std::iota(all.begin(), all.end(), 0);
  for (const double alpha : {1e-3, 0.4, 1.0, 5.0}) {
    CAPTURE(alpha);
    const std::vector<double> x =
        data::mixup(halves, {.num_classes = 1, .alpha = alpha}).batch(all).x.to_vector<double>();
    double count = 0, sum = 0, squares = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      REQUIRE((x[i] >= 0 && x[i] <= 1));
      const double other = i < x.size() / 2 ? x[i] : 1 - x[i];
      if (other == 0) continue;
      ++count;
      sum += other;
      squares += (other - 0.5) * (other - 0.5);
    }
    CHECK(std::abs(squares / count - 0.25 / (2 * alpha + 1)) < 0.012);
    if (alpha < 0.1) continue;  // there, a share that rounds to 1 looks as a partner of the same half
    CHECK(std::abs(count - n / 2.0) < 0.04 * n);
    CHECK(std::abs(sum / count - 0.5) < 0.03);
  }
}

TEST_CASE("mixup and cutmix: errors say what is missing") {
  const std::int64_t first[] = {0};
  CHECK_THROWS_WITH(data::mixup(flat_images(2), {}).batch(first),
                    StartsWith("mixup: the targets are numbers of classes; give num_classes"));
  CHECK_THROWS_WITH(data::mixup(flat_images(3), {.num_classes = 1}).batch(std::vector<std::int64_t>{2}),
                    StartsWith("mixup: a target is class 2; num_classes is 1"));
  CHECK_THROWS_WITH(data::cutmix(flat_images(2), {.alpha = 0}), StartsWith("cutmix: alpha is 0"));
  CHECK_THROWS_WITH(data::cutmix(flat_images(2), {.p = 2}), StartsWith("cutmix: p is 2"));
  const data::TensorDataset rows(ones({2, 3}), zeros({2}, {.dtype = int64})),
      bytes(ones({2, 1, 2, 2}, {.dtype = uint8}), zeros({2}, {.dtype = int64}));
  CHECK_THROWS_WITH(data::cutmix(rows, {.num_classes = 2}).batch(first), StartsWith("cutmix: samples of shape (1, 3)"));
  CHECK_THROWS_WITH(data::mixup(bytes, {.num_classes = 2}).batch(first), StartsWith("mixup: samples are uint8"));
}
