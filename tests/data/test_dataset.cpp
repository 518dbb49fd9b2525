#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/data/subset.hpp>
#include <xgrad/data/tensor_dataset.hpp>

#include <cmath>
#include <numeric>

#include "../catch.hpp"

using namespace xgrad;
using Catch::Contains;
using Indices = std::vector<std::int64_t>;

namespace {

template <class T>
std::vector<T> values(const Tensor& t) {
  return std::vector<T>(t.data<T>(), t.data<T>() + t.numel());
}

// n samples: x is (n, 2) and holds 10 i and 10 i + 1, y is i.
data::TensorDataset counting(std::int64_t n) {
  Tensor x = empty({n, 2}), y = empty({n}, {.dtype = int64});
  for (std::int64_t i = 0; i < n; ++i) {
    x.data<float>()[2 * i] = static_cast<float>(10 * i);
    x.data<float>()[2 * i + 1] = static_cast<float>(10 * i + 1);
    y.data<std::int64_t>()[i] = i;
  }
  return {x, y};
}

// One that does not share itself.
class Squares : public data::Dataset {
 public:
  std::int64_t size() const override { return 4; }
  data::Batch batch(std::span<const std::int64_t> indices) const override {
    Tensor x = empty({static_cast<std::int64_t>(indices.size())}, {.dtype = int64});
    for (std::size_t i = 0; i < indices.size(); ++i) x.data<std::int64_t>()[i] = indices[i] * indices[i];
    return {x, x};
  }
};

}  // namespace

TEST_CASE("data set: tensors are gathered by sample") {
  const data::TensorDataset set = counting(5);
  CHECK(set.size() == 5);
  const auto [x, y] = set.batch(Indices{4, 0, 4});
  CHECK(x.shape() == Shape{3, 2});
  CHECK(values<float>(x) == std::vector<float>{40, 41, 0, 1, 40, 41});
  CHECK(values<std::int64_t>(y) == Indices{4, 0, 4});
  CHECK(set.batch({}).x.shape() == Shape{0, 2});
}

TEST_CASE("data set: a view is gathered like a copy of it") {
  const Tensor x = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  const data::TensorDataset set(detail::view(x, {3, 2}, {1, 3}), zeros({3}));
  CHECK(values<float>(set.batch(Indices{2}).x) == std::vector<float>{3, 6});
}

TEST_CASE("data set: samples out of range and unequal numbers of samples are errors") {
  const data::TensorDataset set = counting(3);
  CHECK_THROWS_WITH(set.batch(Indices{0, 3}), Contains("sample 3 is out of range for 3 samples"));
  CHECK_THROWS_WITH(set.batch(Indices{-1}), Contains("sample -1 is out of range"));
  CHECK_THROWS_WITH(data::TensorDataset(zeros({3, 2}), zeros({2})), Contains("inputs (3, 2) and targets (2,)"));
  CHECK_THROWS_AS(data::TensorDataset(zeros({}), zeros({})), Error);
  CHECK_THROWS_WITH(data::Subset(set, {0, 3}), Contains("sample 3 is out of range"));
  CHECK_THROWS_WITH(data::DatasetHandle(std::shared_ptr<const data::Dataset>()), Contains("null"));
}

TEST_CASE("data set: empty ones work") {
  const data::TensorDataset set(zeros({0, 4}), zeros({0}));
  CHECK(set.size() == 0);
  CHECK(set.batch({}).x.shape() == Shape{0, 4});
  CHECK(data::random_split(set, {0, 0}).size() == 2);
}

TEST_CASE("random_split: parts by name, as numbers of samples or as fractions") {
  const data::TensorDataset set = counting(10);
  auto [train, test] = data::random_split(set, {0.75, 0.25}, {.seed = 1});
  CHECK(train.size() == 8);  // 7 and 2, and one more for the first
  CHECK(test.size() == 2);
  const std::int64_t most = 7;
  const auto [a, b, c] = data::random_split(set, {most, 2, std::size_t{1}}, {.seed = 1});
  CHECK(a.size() == 7);
  CHECK(c.indices().size() == 1);
  CHECK(a.indices() == Indices(train.indices().begin(), train.indices().begin() + 7));

  Generator generator(3), same(3);
  const auto [first, rest] = data::random_split(set, {1, 9}, generator);
  const auto [again, more] = data::random_split(set, {0.1, 0.9}, Generator(3));
  CHECK(first.indices() == again.indices());
  CHECK(data::random_split(set, std::vector<std::int64_t>{1, 9}, same)[0].indices() == first.indices());
  CHECK(generator.state() == same.state());

  const std::vector<data::Subset> tenths = data::random_split(set, std::vector<double>(10, 0.1));
  CHECK(tenths.size() == 10);
  for (const auto& tenth : tenths) CHECK(tenth.size() == 1);
  const auto thirds = data::random_split(set, {1.0 / 3, 1.0 / 3, 1.0 / 3});
  CHECK(thirds[0].size() == 4);
  CHECK(thirds[2].size() == 3);
  CHECK(data::random_split(counting(100), {0.57, 0.43})[0].size() == 57);

  CHECK_THROWS_WITH(data::random_split(set, {0.5, 0.4}), Contains("the fractions sum to 0.9; they must sum to 1"));
  CHECK_THROWS_WITH(data::random_split(set, {1.5, -0.5}), Contains("1.5 is no fraction"));
  CHECK_THROWS_WITH(data::random_split(set, {std::nan(""), 1.0}), Contains("nan is no fraction"));
  CHECK_THROWS_WITH(data::random_split(set, {0.5, 5}), Contains("some parts are fractions, some numbers"));
  CHECK_THROWS_WITH(data::random_split(set, {UINT64_MAX, std::uint64_t{1}}), Contains("too large"));
  CHECK_THROWS_AS(data::random_split(set, std::vector<std::int64_t>()), Error);
}

TEST_CASE("random_split: every sample goes to exactly one part, by the seed alone") {
  const data::TensorDataset set = counting(100);
  const auto parts = data::random_split(set, {70, 30}, {.seed = 5});
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].size() == 70);
  CHECK(parts[1].size() == 30);
  Indices all = parts[0].indices();
  all.insert(all.end(), parts[1].indices().begin(), parts[1].indices().end());
  CHECK_FALSE(std::is_sorted(all.begin(), all.end()));
  std::sort(all.begin(), all.end());
  Indices expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(all == expected);

  CHECK(data::random_split(set, {70, 30}, {.seed = 5})[0].indices() == parts[0].indices());
  CHECK(data::random_split(set, {70, 30}, {.seed = 6})[0].indices() != parts[0].indices());
  manual_seed(3);
  const Indices first = data::random_split(set, {100})[0].indices(),
                second = data::random_split(set, {100})[0].indices();
  CHECK(first != second);
  manual_seed(3);
  CHECK(data::random_split(set, {100})[0].indices() == first);

  CHECK(values<std::int64_t>(parts[1].batch(Indices{2}).y) == Indices{parts[1].indices()[2]});
  CHECK_THROWS_WITH(data::random_split(set, {70, 31}), Contains("sum to 101, the data set has 100"));
  CHECK_THROWS_WITH(data::random_split(set, {101, -1}), Contains("-1"));
  CHECK_THROWS_AS(data::random_split(set, {INT64_MAX, INT64_MAX}), Error);
}

TEST_CASE("data set: what was made from a temporary or a named one outlives it") {
  std::optional<data::TensorDataset> set = counting(4);
  const data::Subset from_named(*set, {3}), from_temporary(counting(4), {3}), own(Squares(), {3});
  const std::vector<data::Subset> nested = data::random_split(data::Subset(*set, {1}), {1});
  set.reset();
  CHECK(values<std::int64_t>(from_named.batch(Indices{0}).y) == Indices{3});
  CHECK(values<std::int64_t>(from_temporary.batch(Indices{0}).y) == Indices{3});
  CHECK(values<std::int64_t>(own.batch(Indices{0}).y) == Indices{9});
  CHECK(values<std::int64_t>(nested[0].batch(Indices{0}).y) == Indices{1});

  const Squares named;
  const data::Dataset& base = named;
  CHECK(values<std::int64_t>(data::Subset(base, {2}).batch(Indices{0}).y) == Indices{4});
}
