#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/searching.hpp>
#include <xgrad/ops/sorting.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "../catch.hpp"

using namespace xgrad;

namespace {

using Integers = std::vector<std::int64_t>;

struct Threads {
  explicit Threads(int n) : before(num_threads()) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
  int before;
};

/// Where the elements are in the order that sort() promises.
template <class T>
Integers expected_order(const std::vector<T>& x, bool descending) {
  Integers order(x.size());
  std::iota(order.begin(), order.end(), 0);
  const auto less = [&](T a, T b) { return a < b || (b != b && a == a); };
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t k) {
    const T a = x[static_cast<std::size_t>(i)], b = x[static_cast<std::size_t>(k)];
    return descending ? less(b, a) : less(a, b);
  });
  return order;
}

template <class T>
void check_orders(const Tensor& x) {
  for (const bool descending : {false, true}) {
    const Integers expected = expected_order(x.to_vector<T>(), descending);
    for (const int threads : {1, 3}) {
      const Threads scope(threads);
      CHECK(argsort(x, -1, {.descending = descending}).template to_vector<std::int64_t>() == expected);
      for (const std::size_t k : {std::size_t{1}, std::size_t{40}, expected.size() / 2}) {
        const Integers first(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(k));
        CHECK(topk(x, static_cast<std::int64_t>(k), -1, {.largest = descending})
                  .indices.template to_vector<std::int64_t>() == first);
      }
    }
  }
}

/// With ties, both zeros, infinities and NaN.
template <class T>
Tensor floats(std::int64_t n) {
  const Tensor x = empty(n, {.dtype = dtype_of<T>()});
  T* const at = x.data<T>();
  Generator(3).normal(at, n, 0, 1);
  for (std::int64_t i = 0; i < n; i += 3) at[i] = std::round(4 * at[i]) / 4;
  const T special[] = {T(0),
                       -T(0),
                       std::numeric_limits<T>::infinity(),
                       -std::numeric_limits<T>::infinity(),
                       std::numeric_limits<T>::quiet_NaN(),
                       -std::numeric_limits<T>::quiet_NaN()};
  for (std::int64_t i = 0; i < n; i += 101) at[i] = special[i / 101 % 6];
  return x;
}

}  // namespace

TEST_CASE("sort: short and long rows of every kind of element are in the order of a stable sort", "[threads]") {
  for (const std::int64_t n : {80, 3000, 200000}) {
    INFO(n << " elements");
    check_orders<float>(floats<float>(n));
    check_orders<double>(floats<double>(n));
    Generator generator(7);
    check_orders<std::int64_t>(randint(-40, 1000000, n, {.generator = &generator}));
  }
  const Tensor wide = tensor({std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::lowest(),
                              std::int64_t{0}, std::int64_t{-1}});
  CHECK(argsort(wide).to_vector<std::int64_t>() == Integers{1, 3, 2, 0});
  CHECK(argsort(wide, 0, {.descending = true}).to_vector<std::int64_t>() == Integers{0, 2, 3, 1});
}

TEST_CASE("topk, kthvalue: of long rows they are what sort has there", "[threads]") {
  constexpr std::int64_t n = 600000;
  Generator generator(11);
  for (const Tensor& x : {floats<float>(n), floats<double>(n), randint(-40, 1000, n, {.generator = &generator})}) {
    const Integers order = argsort(x).to_vector<std::int64_t>();
    for (const int threads : {1, 3}) {
      const Threads scope(threads);
      for (const std::int64_t k : {1, 20, 1000})
        CHECK(topk(x, k, 0, {.largest = false}).indices.to_vector<std::int64_t>() ==
              Integers(order.begin(), order.begin() + k));
    }
    for (const std::int64_t k : {std::int64_t{1}, std::int64_t{777}, n / 2, n})
      CHECK(kthvalue(x, k).indices.item<std::int64_t>() == order[static_cast<std::size_t>(k - 1)]);
  }
}

TEST_CASE("sort: values keep the sign of zero") {
  const Tensor sorted = sort(tensor({0.0, -0.0, -1.0})).values;
  CHECK(std::signbit(sorted.at({2})));
  CHECK_FALSE(std::signbit(sorted.at({1})));
}

TEST_CASE("median, quantile: NaN is the result where there is one, with the place of the first") {
  const Tensor x = tensor({{3.0, NAN, 1.0, NAN}, {4.0, 3.0, 2.0, 1.0}}, {.dtype = float64});
  const ValuesAndIndices found = median(x, 1), others = nanmedian(x, 1);
  CHECK(std::isnan(found.values.at({0})));
  CHECK(found.indices.to_vector<std::int64_t>() == Integers{1, 2});
  CHECK(others.values.to_vector<double>() == std::vector<double>{1, 2});
  CHECK(std::isnan(median(x).item()));
  CHECK(std::isnan(quantile(x, 0, {.axis = 1}).at({0})));
  CHECK(quantile(x, 0.5, {.axis = 1}).at({1}) == 2.5);
  CHECK(std::isnan(nanmedian(tensor({NAN, NAN})).item()));
  CHECK(std::isnan(nanquantile(tensor({NAN, NAN}), 0.5).item()));
  CHECK(kthvalue(x, 2, 1).values.to_vector<double>() == std::vector<double>{3, 2});
  CHECK(topk(tensor({1.0, NAN, 2.0}), 2).indices.to_vector<std::int64_t>() == Integers{1, 2});
}

TEST_CASE("unique: counts, inverse and values of many elements") {
  Generator generator(5);
  const Tensor x = randint(0, 50, 20000, {.generator = &generator});
  const UniqueValues found = unique(x);
  CHECK(found.counts.to_vector<std::int64_t>() == bincount(x).to_vector<std::int64_t>());
  CHECK(found.inverse.to_vector<std::int64_t>() == x.to_vector<std::int64_t>());  // as all of 0 to 49 occur
  CHECK(unique(tensor({NAN, 1.0, NAN})).counts.to_vector<std::int64_t>() == Integers{1, 1, 1});
}

TEST_CASE("histogram: long inputs, and edges that are unevenly apart") {
  const Tensor x = floats<float>(150000);
  const Tensor edges = tensor({-5.0, -1.0, -1.0, 0.25, 4.0});
  const auto counts = histogram(x, edges).counts.to_vector<std::int64_t>();
  Integers expected(4);
  for (const float value : x.to_vector<float>()) {
    if (value >= -5 && value < -1) ++expected[0];
    if (value >= -1 && value < 0.25f) ++expected[2];
    if (value >= 0.25f && value <= 4) ++expected[3];
  }
  CHECK(counts == expected);
}
