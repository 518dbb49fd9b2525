#include <xgrad/autograd/create.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/data/mapped.hpp>
#include <xgrad/data/subset.hpp>
#include <xgrad/data/tensor_dataset.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/slicing.hpp>

#include <map>

#include "../catch.hpp"

using namespace xgrad;
using Catch::StartsWith;
using Indices = std::vector<std::int64_t>;

namespace {

data::TensorDataset counting(std::int64_t n) {
  const Tensor y = arange(n);
  return {y, y};
}

Tensor jittered(const Tensor& x, Generator& generator) {
  double noise = 0;
  generator.uniform(&noise, 1);
  return x.to(float64) + noise;
}

/// What an epoch makes of each sample.
std::map<std::int64_t, double> samples(data::DataLoader& loader) {
  std::map<std::int64_t, double> all;
  for (const auto& [x, y] : loader)
    for (std::int64_t i = 0; i < y.numel(); ++i) all[y.at<std::int64_t>({i})] = x.at({i});
  return all;
}

}  // namespace

TEST_CASE("map: the function gets the input of each sample") {
  const auto doubled = data::map(counting(5), [](const Tensor& x) { return x * 2; });
  const auto [x, y] = doubled.batch(Indices{3, 1});
  CHECK(x.to_vector<int>() == std::vector{6, 2});
  CHECK(y.to_vector<int>() == std::vector{3, 1});
  const auto twice = data::map(counting(3), data::compose([](const Tensor& v) { return v + 1; },
                                                          [](const Tensor& v, Generator&) { return v * 10; }));
  CHECK(twice.batch(Indices{2}).x.item<int>() == 30);
  CHECK(data::map(counting(3), [](const Tensor&) { return zeros({4, 2}); }).batch({}).x.shape() == Shape{0, 4, 2});
}

TEST_CASE("map: what is drawn depends on seed, epoch and sample alone") {
  const auto set = data::map(counting(23), jittered);
  data::DataLoader plain(set, {.batch_size = 4, .seed = 7});
  const auto first = samples(plain), second = samples(plain);
  CHECK(first != second);
  data::DataLoader other_batches(set, {.batch_size = 5, .shuffle = true, .seed = 7, .workers = 3});
  CHECK(samples(other_batches) == first);
  CHECK(samples(other_batches) == second);
  data::DataLoader resumed(set, {.batch_size = 1, .seed = 7});
  resumed.set_epoch(1);
  CHECK(samples(resumed) == second);
  data::DataLoader other_seed(set, {.batch_size = 4, .seed = 8});
  CHECK(samples(other_seed) != first);
  manual_seed(7);
  data::DataLoader without_seed(set, {.batch_size = 4});
  CHECK(samples(without_seed) == first);
  data::DataLoader part(data::Subset(set, {20, 3}), {.batch_size = 2, .seed = 7});
  const auto two = samples(part);
  CHECK(two.at(20) == first.at(20));
  CHECK(two.at(3) == first.at(3));
}

TEST_CASE("map: results that do not fit together are an error") {
  const auto growing = data::map(counting(3), [](const Tensor& x) { return zeros({x.item<std::int64_t>() + 1}); });
  CHECK_THROWS_WITH(growing.batch(Indices{0, 2}),
                    StartsWith("map: sample 2 became (3,) of float32, sample 0 (1,) of float32; the samples of a batch "
                               "have one shape and dtype"));
  const auto none = data::map(counting(3), [](const Tensor&) { return Tensor(); });
  CHECK_THROWS_WITH(none.batch(Indices{1}), StartsWith("map: the function gave an undefined tensor for sample 1"));
}
