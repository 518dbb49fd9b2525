#include <xgrad/autograd/create.hpp>
#include <xgrad/data/sample_loader.hpp>
#include <xgrad/data/sampler.hpp>
#include <xgrad/data/stream.hpp>
#include <xgrad/data/tensor_dataset.hpp>
#include <xgrad/ops/arithmetic.hpp>

#include <map>
#include <numeric>
#include <set>
#include <stdexcept>

#include "../catch.hpp"

using namespace xgrad;
using Catch::StartsWith;
using Indices = std::vector<std::int64_t>;

namespace {

struct Review {
  Tensor words;
  int stars = 0;
  std::string author;
  double weight = 1;
};

std::vector<Review> reviews(int n) {
  std::vector<Review> all;
  for (int i = 0; i < n; ++i) all.push_back({full({2}, i), i % 5, "author " + std::to_string(i), 0.5 * i});
  return all;
}

/// All batches of an epoch as text.
template <class Loader>
std::string epoch(Loader& loader) {
  std::string all;
  for (const auto& [words, stars, author, weight] : loader) {
    for (std::size_t i = 0; i < author.size(); ++i)
      all += author[i] + ": " + std::to_string(words.at({static_cast<std::int64_t>(i), 1})) + ", ";
    all += stars.shape().str() + "; ";
  }
  return all;
}

Review jittered(Review review, Generator& generator) {
  double noise = 0;
  generator.uniform(&noise, 1);
  review.words = review.words + noise;
  return review;
}

Indices order_of(const data::Sampler& sampler, std::int64_t epoch = 0, std::uint64_t seed = 3) {
  Indices order = sampler.order({seed, epoch});
  CHECK(static_cast<std::int64_t>(order.size()) == sampler.size);
  CHECK(sampler.order({seed, epoch}) == order);
  return order;
}

Indices sorted(Indices values) {
  std::sort(values.begin(), values.end());
  return values;
}

Indices first(std::int64_t n) {
  Indices all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

}  // namespace

TEST_CASE("collate: fields of a struct side by side") {
  const auto [words, stars, author, weight] = data::collate(reviews(3));
  CHECK(words.shape() == Shape{3, 2});
  CHECK(words.dtype() == float32);
  CHECK(stars.dtype() == int64);
  CHECK(stars.to_vector<int>() == std::vector{0, 1, 2});
  CHECK(author == std::vector<std::string>{"author 0", "author 1", "author 2"});
  CHECK(weight.dtype() == float64);
  CHECK(data::collate(std::vector{true, false}).dtype() == bool_);
  CHECK(std::get<1>(data::collate(std::vector<std::pair<float, std::string>>{{1, "a"}})) ==
        std::vector<std::string>{"a"});
  std::vector<Review> odd = reviews(2);
  odd[1].words = zeros({3});
  CHECK_THROWS_WITH(data::collate(odd),
                    StartsWith("collate: field words: tensors (3,) of float32 and (2,) of float32"));
  odd[0].words = Tensor();
  CHECK_THROWS_WITH(data::collate(odd), StartsWith("collate: field words: a tensor is undefined"));
  CHECK_THROWS_WITH(data::collate(std::vector<Review>()), StartsWith("collate: there are no samples"));
}

TEST_CASE("SampleLoader: the same batches for any number of workers, each epoch others", "[threads]") {
  const auto set = data::map(reviews(23), jittered);
  std::string expected, second;
  for (const std::int64_t workers : {0, 1, 2, 4}) {
    data::SampleLoader loader(set, {.batch_size = 4, .shuffle = true, .seed = 7, .workers = workers});
    CHECK(loader.size() == 6);
    const std::string one = epoch(loader), two = epoch(loader);
    if (workers == 0) expected = one, second = two;
    CHECK(one == expected);
    CHECK(two == second);
  }
  CHECK(expected != second);
  data::SampleLoader none(reviews(0), {.workers = 2});
  CHECK(epoch(none).empty());
}

TEST_CASE("SampleLoader: goes on in the middle of an epoch", "[threads]") {
  const auto set = data::map(reviews(10), jittered);
  for (const bool with_seed : {true, false})
    for (const std::int64_t workers : {0, 2}) {
      data::DataLoaderOptions options{.batch_size = 3, .shuffle = true, .workers = workers};
      if (with_seed) options.seed = 5;
      manual_seed(1);
      data::SampleLoader whole(set, options), stopped(set, options), resumed(set, options);
      const std::string all = epoch(whole);
      manual_seed(1);
      auto at = stopped.begin();
      ++at;
      resumed.load_state_dict(stopped.state_dict());
      const std::string rest = epoch(resumed);
      CHECK_FALSE(rest.empty());
      CHECK(all.ends_with(rest));
      CHECK(resumed.epoch() == 1);
    }
}

TEST_CASE("SampleLoader: what a sample throws comes where its batch would have", "[threads]") {
  const auto failing = data::map(reviews(6), [](Review review) {
    if (review.author == "author 3") throw std::out_of_range("no third");
    return review;
  });
  for (const std::int64_t workers : {0, 3}) {
    data::SampleLoader loader(failing, {.batch_size = 2, .workers = workers});
    auto batch = loader.begin();
    CHECK(std::get<2>(*batch)[1] == "author 1");
    CHECK_THROWS_WITH(++batch, "no third");
  }
}

TEST_CASE("sets of samples: filter, concat, zip, cache, subset") {
  const auto set = reviews(6);
  const auto odd = data::filter(set, [](const Review& r) { return r.stars % 2 == 1; });
  CHECK(odd.size() == 2);
  const auto both = data::concat(odd, data::subset(set, {5, 0}));
  CHECK(both.size() == 4);
  CHECK(both.at({}, 1).author == "author 3");
  CHECK(both.at({}, 2).author == "author 5");
  CHECK_THROWS_WITH(data::subset(set, {6}), StartsWith("ChosenSamples: sample 6 is out of range for 6 samples"));

  const auto pairs = data::zip(set, std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(pairs.at({}, 2).second == 3);
  CHECK_THROWS_WITH(data::zip(set, std::vector<int>{1}), StartsWith("zip: the sets have 6 and 1 samples"));

  const auto reads = std::make_shared<int>(0);
  const auto cached = data::cache(data::map(set, [reads](Review r) { return ++*reads, r; }));
  CHECK(cached.at({}, 4).author == cached.at({}, 4).author);
  CHECK(*reads == 1);
}

TEST_CASE("samplers: weighted, with and without replacement") {
  const auto with = data::weighted_sampler({0, 1, 3}, 8000);
  std::map<std::int64_t, int> counts;
  for (const std::int64_t i : order_of(with)) ++counts[i];
  CHECK(counts[0] == 0);
  CHECK(counts[2] == Approx(6000).margin(150));
  CHECK(order_of(with, 1) != order_of(with, 0));
  const auto without = data::weighted_sampler({1, 0, 5, 2}, 3, {.replacement = false});
  int first_is_heaviest = 0;
  for (std::int64_t epoch = 0; epoch < 800; ++epoch) {
    const Indices order = order_of(without, epoch);
    CHECK(sorted(order) == Indices{0, 2, 3});
    first_is_heaviest += order[0] == 2;
  }
  CHECK(first_is_heaviest == Approx(500).margin(60));
  CHECK_THROWS_WITH(data::weighted_sampler({1, -1}, 1), StartsWith("weighted_sampler: -1 is no weight"));
  CHECK_THROWS_AS(data::weighted_sampler({1, 0}, 2, {.replacement = false}), Error);
  CHECK_THROWS_AS(data::weighted_sampler({0}, 1), Error);
}

TEST_CASE("samplers: stratified, by length, shared out") {
  Indices labels;
  for (std::int64_t i = 0; i < 120; ++i) labels.push_back(i < 60 ? 0 : i < 90 ? 1 : 2);
  const Indices mixed = order_of(data::stratified_sampler(tensor(labels)));
  CHECK(sorted(mixed) == first(120));
  for (std::size_t begin = 0; begin < 120; begin += 12) {
    std::map<std::int64_t, int> classes;
    for (std::size_t i = begin; i < begin + 12; ++i) ++classes[labels[static_cast<std::size_t>(mixed[i])]];
    CHECK(std::abs(classes[0] - 6) <= 1);
    CHECK(std::abs(classes[1] - 3) <= 1);
  }

  Indices lengths;
  for (std::int64_t i = 0; i < 103; ++i) lengths.push_back(i * 37 % 103);
  const Indices by_length = order_of(data::length_sampler(lengths, 10));
  CHECK(sorted(by_length) == first(103));
  for (std::size_t begin = 0; begin < 100; begin += 10) {
    const auto [least, most] = std::minmax_element(
        by_length.begin() + static_cast<std::ptrdiff_t>(begin),
        by_length.begin() + static_cast<std::ptrdiff_t>(begin) + 10, [&](std::int64_t a, std::int64_t b) {
          return lengths[static_cast<std::size_t>(a)] < lengths[static_cast<std::size_t>(b)];
        });
    CHECK(lengths[static_cast<std::size_t>(*most)] - lengths[static_cast<std::size_t>(*least)] == 9);
  }
  CHECK(order_of(data::length_sampler({}, 4)).empty());

  Indices all;
  for (std::int64_t rank = 0; rank < 3; ++rank) {
    const Indices share = order_of(data::distributed_sampler(10, {.replicas = 3, .rank = rank}));
    CHECK(share.size() == 4);
    all.insert(all.end(), share.begin(), share.end());
  }
  CHECK(std::set<std::int64_t>(all.begin(), all.end()).size() == 10);
  CHECK(order_of(data::distributed_sampler(10, {.replicas = 3, .rank = 1, .shuffle = false, .drop_last = true})) ==
        Indices{1, 4, 7});
  CHECK_THROWS_AS(data::distributed_sampler(10, {.replicas = 3, .rank = 3}), Error);
}

TEST_CASE("samplers: in loaders of pairs and of structs, the same for any number of workers", "[threads]") {
  const data::Sampler sampler = data::weighted_sampler({1, 1, 0, 1, 1, 1}, 9);
  const Tensor numbers = arange(6);
  std::vector<std::vector<double>> expected;
  for (const std::int64_t workers : {0, 1, 2, 4}) {
    data::DataLoader pairs(data::sampled(data::TensorDataset(numbers, numbers), sampler),
                           {.batch_size = 4, .seed = 2, .workers = workers});
    data::SampleLoader structs(data::sampled(std::vector<double>{0, 1, 2, 3, 4, 5}, sampler),
                               {.batch_size = 4, .seed = 2, .workers = workers});
    std::vector<std::vector<double>> seen, same;
    for (int pass = 0; pass < 2; ++pass) {
      for (const auto& [x, y] : pairs) seen.push_back(x.to_vector<double>());
      for (const Tensor& x : structs) same.push_back(x.to_vector<double>());
    }
    if (workers == 0) expected = seen;
    CHECK(seen == expected);
    CHECK(same == expected);
  }
  CHECK(expected.size() == 6);
  const data::Sampler wrong{2, [](const data::Epoch&) { return Indices{0, 6}; }};
  CHECK_THROWS_WITH(data::sampled(data::TensorDataset(numbers, numbers), wrong).batch(Indices{0}),
                    StartsWith("Sampler: sample 6 is out of range for 6 samples"));
}

TEST_CASE("streams: map, filter, concat, zip, shuffle with a buffer, batches") {
  const auto numbers = [](int n) { return data::stream(std::vector<int>(static_cast<std::size_t>(n), 1)); };
  const auto counting = [](int n) {
    std::vector<int> values(static_cast<std::size_t>(n));
    std::iota(values.begin(), values.end(), 0);
    return data::stream(std::move(values));
  };
  const auto all = [](auto stream) {
    std::vector<int> values;
    for (auto sample = stream(); sample; sample = stream()) values.push_back(*sample);
    return values;
  };
  CHECK(all(data::map(counting(3), [](int i) { return 2 * i; })) == std::vector{0, 2, 4});
  CHECK(all(data::filter(counting(6), [](int i) { return i % 2 == 1; })) == std::vector{1, 3, 5});
  CHECK(all(data::concat(numbers(2), numbers(1))) == std::vector{1, 1, 1});
  CHECK(all(data::map(data::zip(counting(3), numbers(9)), [](std::pair<int, int> p) { return p.first + p.second; })) ==
        std::vector{1, 2, 3});
  const std::vector<int> shuffled = all(data::shuffled(counting(50), 10, 1));
  CHECK(shuffled == all(data::shuffled(counting(50), 10, 1)));
  CHECK(shuffled != all(data::shuffled(counting(50), 10, 2)));
  CHECK(std::set<int>(shuffled.begin(), shuffled.end()).size() == 50);
  for (int i = 0; i < 50; ++i) CHECK(shuffled[static_cast<std::size_t>(i)] < i + 10);
  std::vector<std::int64_t> sizes;
  for (const Tensor& batch : data::batched(counting(7), 3)) sizes.push_back(batch.size(0));
  CHECK(sizes == Indices{3, 3, 1});
  for (const Tensor& batch : data::batched(counting(0), 3)) FAIL(batch);
  CHECK_THROWS_AS(data::shuffled(counting(1), 0, 0), Error);
  CHECK_THROWS_AS(data::batched(counting(1), 0), Error);
}
