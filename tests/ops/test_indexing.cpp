#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/gather.hpp>
#include <xgrad/ops/indexing.hpp>
#include <xgrad/ops/shape.hpp>

#include <cstring>

#include "../catch.hpp"

using namespace xgrad;

namespace {

template <class T>
std::vector<T> values(const Tensor& x) {
  const Tensor dense = x.detach().contiguous();
  return std::vector<T>(dense.data<T>(), dense.data<T>() + dense.numel());
}
using Integers = std::vector<std::int64_t>;

Tensor integers(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

std::vector<Tensor> with_threads(int threads, const std::function<std::vector<Tensor>()>& f) {
  const int before = num_threads();
  set_num_threads(threads);
  auto results = f();
  set_num_threads(before);
  return results;
}

}  // namespace

TEST_CASE("indexing: every dtype is picked and added") {
  const Tensor x = integers({{1, 2}, {3, 4}}), flags = tensor({{1, 0}, {0, 0}}, {.dtype = bool_}),
               at = integers({1, 1, 0});
  CHECK(values<std::int64_t>(index_select(x, 0, at)) == Integers{3, 4, 3, 4, 1, 2});
  CHECK(values<bool>(index_select(flags, 1, integers({1, 0}))) == std::vector<bool>{0, 1, 0, 0});
  CHECK(values<std::int64_t>(index_add(x, 0, at, integers({{10, 10}, {100, 100}, {1, 1}}))) ==
        Integers{2, 3, 113, 114});
  CHECK(values<std::int64_t>(gather(transpose(x, 0, 1), 1, integers({{1, 1, 0}}))) == Integers{3, 3, 1});
  CHECK(values<std::int64_t>(scatter_add(x, 1, integers({{0, 0}}), integers({{5, 6}}))) == Integers{12, 2, 3, 4});
  CHECK(values<bool>(scatter_add(flags, 0, integers({{1, 1}}), tensor({{1, 0}}, {.dtype = bool_}))) ==
        std::vector<bool>{1, 0, 1, 0});
  CHECK(values<std::int64_t>(index_add(integers({INT64_MAX}), 0, integers({0}), integers({1}))) == Integers{INT64_MIN});
  CHECK(index_add(x, 0, at, ones({3, 2}, {.dtype = float64})).dtype() == float64);
  CHECK(scatter_add(ones({2}), 0, integers({0}), integers({1})).dtype() == float32);
}

TEST_CASE("indexing: repeated indices add up, in the values and in the gradient") {
  const Tensor x = zeros({3}, {.requires_grad = true}), at = integers({1, 1, 1, 0});
  CHECK(values<float>(index_add(x, 0, at, tensor({1.0, 2.0, 3.0, 4.0}))) == std::vector<float>{4, 6, 0});
  index_select(x, 0, at).backward(tensor({1.0, 10.0, 100.0, 1000.0}));
  CHECK(values<float>(x.grad()) == std::vector<float>{1000, 111, 0});
  x.zero_grad();
  gather(x, 0, at).backward(tensor({1.0, 10.0, 100.0, 1000.0}));
  CHECK(values<float>(x.grad()) == std::vector<float>{1000, 111, 0});
}

TEST_CASE("indexing: an index that changes in place before backward is an error") {
  const Tensor x = ones({3}, {.requires_grad = true}), at = integers({1, 1});
  const Tensor y = index_select(x, 0, at);
  at.impl().storage->raise_version();
  CHECK_THROWS_WITH(y.backward(ones({2})), Catch::Contains("index_select") && Catch::Contains("version"));
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("indexing: labels out of range are named with their position") {
  const Tensor probabilities = ones({4, 10});
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{10}, INT64_MAX, INT64_MIN}) {
    const Tensor labels = integers({{3}, {9}, {0}, {1}});
    labels.data<std::int64_t>()[2] = bad;
    CHECK_THROWS_WITH(gather(probabilities, 1, labels),
                      Catch::StartsWith("gather: index " + std::to_string(bad) +
                                        " at (2, 0) is out of range for axis 1 of shape (4, 10)"));
  }
}

TEST_CASE("indexing: sums have the same bits for any number of threads") {
  const Tensor x = randn({50, 40, 30}), index = randint(0, 50, {3000}), wide = randint(0, 40, {50, 500, 30});
  const auto run = [&] {
    const Tensor a = x.detach().requires_grad_();
    const Tensor rows = index_select(a, 0, index), elements = gather(a, 1, wide);
    rows.backward(rows.detach());
    const Tensor first = a.grad().clone();
    a.zero_grad();
    elements.backward(elements.detach());
    return std::vector<Tensor>{rows.detach(), elements.detach(), first, a.grad()};
  };
  const auto one = with_threads(1, run), three = with_threads(3, run);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(values<float>(one[i]) == values<float>(three[i]));
}

TEST_CASE("index_add: alpha is a factor of the source") {
  const Tensor at = tensor({1, 1}), x = zeros({2}, {.dtype = int64});
  CHECK(values<std::int64_t>(index_add(x, 0, at, tensor({9007199254740993, std::int64_t{1}}), {.alpha = -3})) ==
        std::vector<std::int64_t>{0, -27021597764222982});
  CHECK_THROWS_WITH(index_add(x, 0, at, tensor({1, 2}), {.alpha = 0.5}), Catch::Contains("alpha is 0.5"));
}

TEST_CASE("scatter_add: what lies beyond the index in a larger source is not added and gets no gradient") {
  const Tensor x = zeros({2, 3}, {.dtype = float64}), at = tensor({{2, 0}});
  Tensor source = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}, {.dtype = float64, .requires_grad = true});
  const Tensor y = scatter_add(x, 1, at, source);
  CHECK(values<double>(y) == std::vector<double>{2, 0, 1, 0, 0, 0});
  y.backward(ones({2, 3}, {.dtype = float64}));
  CHECK(values<double>(source.grad()) == std::vector<double>{1, 1, 0, 0, 0, 0});
}
