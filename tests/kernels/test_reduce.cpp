#include <xgrad/kernels/reduce.hpp>

#include <cmath>
#include <cstring>
#include <vector>

#include "../catch.hpp"

using namespace xgrad;

namespace {

template <class T>
std::vector<T> numbers(std::int64_t n) {
  std::vector<T> values(static_cast<std::size_t>(n));
  std::uint64_t state = 12345;
  for (T& value : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    if constexpr (std::is_floating_point_v<T>)
      value = static_cast<T>(static_cast<double>(state >> 11) * 0x1p-53 - 0.4);
    else
      value = static_cast<T>(static_cast<std::int64_t>(state >> 40) % 1000 - 500);
  }
  return values;
}

/// The sum over axes where `result` is 1, one element after the other.
template <class T, class Sum>
std::vector<Sum> simple_sum(const Shape& shape, const Shape& result, const std::vector<T>& from) {
  std::vector<Sum> to(static_cast<std::size_t>(result.numel()), Sum{});
  const Shape strides = row_major_strides(result);
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), at = 0;
    for (std::size_t axis = shape.size(); axis-- > 0; rest /= shape[axis])
      if (result[axis] != 1) at += rest % shape[axis] * strides[axis];
    to[static_cast<std::size_t>(at)] += static_cast<Sum>(from[i]);
  }
  return to;
}

template <class T, class Sum>
std::vector<Sum> sum(const Shape& shape, const Shape& result, const std::vector<T>& from) {
  std::vector<Sum> to(static_cast<std::size_t>(result.numel()), Sum(-77));
  detail::sum_axes(dtype_of<T>(), shape, result, reinterpret_cast<const std::byte*>(from.data()),
                   reinterpret_cast<std::byte*>(to.data()));
  return to;
}

/// Every choice of axes of `shape` to reduce.
std::vector<Shape> results(const Shape& shape) {
  std::vector<Shape> all;
  for (unsigned set = 0; set < 1u << shape.size(); ++set) {
    Shape result = shape;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (set >> axis & 1) result[axis] = 1;
    all.push_back(result);
  }
  return all;
}

const std::vector<Shape> shapes = {{},
                                   {1},
                                   {7},
                                   {31},
                                   {32},
                                   {100},
                                   {2047},
                                   {2048},
                                   {2500},
                                   {70001},
                                   {3, 5},
                                   {65, 3},
                                   {700, 7},
                                   {5000, 2},
                                   {20000, 3},
                                   {4, 64},
                                   {300, 64},
                                   {300, 1030},
                                   {9000, 70},
                                   {3, 40, 5},
                                   {2, 600, 3},
                                   {4, 3, 49},
                                   {16, 8, 20, 5},
                                   {3, 1, 4, 1, 5},
                                   {5, 4, 3, 2, 3, 2, 3, 2}};

struct RestoreThreads {
  int before = num_threads();
  ~RestoreThreads() { set_num_threads(before); }
};

}  // namespace

TEST_CASE("sum_axes: any axes of any shape, against one addition after the other") {
  for (const Shape& shape : shapes)
    for (const Shape& result : results(shape)) {
      CAPTURE(shape, result);
      const auto singles = numbers<float>(shape.numel());
      const auto expected = simple_sum<float, double>(shape, result, singles);
      const auto actual = sum<float, float>(shape, result, singles);
      double worst = 0;
      for (std::size_t i = 0; i < actual.size(); ++i) worst = std::max(worst, std::abs(actual[i] - expected[i]));
      const double magnitude = 0.3 * static_cast<double>(shape.numel()) / static_cast<double>(result.numel());
      CHECK(worst <= 4 * 0x1p-24 * magnitude + 0x1p-24);

      const auto doubles = numbers<double>(shape.numel());
      const auto expected_doubles = simple_sum<double, long double>(shape, result, doubles);
      const auto actual_doubles = sum<double, double>(shape, result, doubles);
      worst = 0;
      for (std::size_t i = 0; i < actual_doubles.size(); ++i)
        worst = std::max(worst, static_cast<double>(std::abs(actual_doubles[i] - expected_doubles[i])));
      CHECK(worst <= 4 * 0x1p-53 * magnitude + 0x1p-53);

      const auto integers = numbers<std::int64_t>(shape.numel());
      CHECK(sum<std::int64_t, std::int64_t>(shape, result, integers) ==
            simple_sum<std::int64_t, std::int64_t>(shape, result, integers));
    }
}

TEST_CASE("sum_axes: bool is counted") {
  bool flags[300] = {};
  for (int i = 0; i < 300; i += 3) flags[i] = true;
  std::int64_t count = 0, columns[3] = {};
  detail::sum_axes(bool_, {300}, {1}, reinterpret_cast<const std::byte*>(flags), reinterpret_cast<std::byte*>(&count));
  detail::sum_axes(bool_, {100, 3}, {1, 3}, reinterpret_cast<const std::byte*>(flags),
                   reinterpret_cast<std::byte*>(columns));
  CHECK(count == 100);
  CHECK(columns[0] == 100);
  CHECK(columns[1] == 0);
}

TEST_CASE("sum_axes: the sum of nothing is 0, and of no outputs nothing") {
  CHECK(sum<float, float>({0}, {1}, {}) == std::vector<float>{0});
  CHECK(sum<float, float>({0, 3}, {1, 3}, {}) == std::vector<float>{0, 0, 0});
  CHECK(sum<float, float>({3, 0}, {3, 1}, {}) == std::vector<float>{0, 0, 0});
  CHECK(sum<float, float>({2, 0, 3}, {2, 1, 1}, {}) == std::vector<float>{0, 0});
  CHECK(sum<float, float>({3, 0}, {1, 0}, {}).empty());
  CHECK(sum<double, double>({0, 4, 0}, {1, 1, 1}, {}) == std::vector<double>{0});
}

TEST_CASE("sum_axes: int64 wraps around") {
  CHECK(sum<std::int64_t, std::int64_t>({2}, {1}, {INT64_MAX, 1}) == std::vector<std::int64_t>{INT64_MIN});
}

TEST_CASE("sum_axes: ten million times 0.1 in float32 loses no more than pairwise summation") {
  const std::vector<float> tenths(10'000'000, 0.1f);
  const double exact = 1e7 * static_cast<double>(0.1f);
  CHECK(std::abs(sum<float, float>({10'000'000}, {1}, tenths)[0] - exact) < 1e-6 * exact);
  CHECK(std::abs(sum<float, float>({5'000'000, 2}, {1, 2}, tenths)[1] - exact / 2) < 1e-6 * exact);
  CHECK(std::abs(sum<float, float>({100'000, 100}, {1, 100}, tenths)[7] - exact / 100) < 1e-6 * exact / 100);
  CHECK(std::abs(sum<float, float>({10, 100'000, 10}, {10, 1, 10}, tenths)[7] - exact / 100) < 1e-6 * exact / 100);
}

TEST_CASE("sum_axes: the same bits with any number of threads") {
  const RestoreThreads restore;
  for (const Shape& shape :
       {Shape{1'000'003}, Shape{50000, 30}, Shape{3000, 500}, Shape{40, 33, 900}, Shape{40, 9000, 3}}) {
    const auto values = numbers<float>(shape.numel());
    for (const Shape& result : results(shape)) {
      CAPTURE(shape, result);
      set_num_threads(1);
      const auto one = sum<float, float>(shape, result, values);
      for (const int threads : {2, 3, 8}) {
        set_num_threads(threads);
        const auto several = sum<float, float>(shape, result, values);
        CHECK(std::memcmp(one.data(), several.data(), one.size() * sizeof(float)) == 0);
      }
    }
  }
}
