#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "../catch.hpp"
#include "../ops/values.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions i64{.dtype = int64}, f64{.dtype = float64};
constexpr std::int64_t big = 9007199254740993;  // 2^53 + 1, which no double is

}  // namespace

TEST_CASE("create: integers are exact") {
  for (const std::int64_t n : {big, -big, INT64_MAX, INT64_MIN}) {
    CAPTURE(n);
    CHECK(values<std::int64_t>(full({2}, n, i64)) == Integers{n, n});
    CHECK(full_like(zeros({}, i64), n).item<std::int64_t>() == n);
    CHECK(zeros({}, i64).fill_(n).item<std::int64_t>() == n);
    CHECK(tensor(n).item<std::int64_t>() == n);
    CHECK(tensor(Integers{n}).item<std::int64_t>() == n);
  }
  CHECK(values<std::int64_t>(arange(big, big + 3, 1, i64)) == Integers{big, big + 1, big + 2});
  CHECK(values<std::int64_t>(arange(INT64_MAX, INT64_MIN, INT64_MIN, i64)) == Integers{INT64_MAX, -1});
  CHECK(values<std::int64_t>(arange(INT64_MIN, INT64_MAX, INT64_MAX, i64)) == Integers{INT64_MIN, -1, INT64_MAX - 1});
}

TEST_CASE("create: what an integer dtype cannot hold is an error that names it") {
  const struct {
    std::function<void()> call;
    const char* message;
  } cases[] = {
      {[] { tensor(18446744073709551615ull); }, "number: 18446744073709551615 does not fit into int64"},
      {[] {
         tensor(std::vector<std::uint64_t>{1, 18446744073709551615ull});
       },
       "tensor: 18446744073709551615 does not fit into int64"},
      {[] { full({2}, 9223372036854775808.0, i64); }, "full: 9223372036854775808 does not fit into int64"},
      {[] { full({}, -1e300, i64); }, "full: -1e+300 does not fit into int64"},
      {[] { full_like(zeros({}, i64), NaN); }, "full: nan does not fit into int64"},
      {[] { zeros({}, i64).fill_(inf); }, "fill_: inf does not fit into int64"},
      {[] {
         tensor({1.0, inf}, i64);
       },
       "tensor: inf does not fit into int64"},
      {[] { tensor(Doubles{1e300}, i64); }, "tensor: 1e+300 does not fit into int64"},
      {[] { from_values(Doubles{NaN}, {1}, i64); }, "from_values: nan does not fit into int64"},
      {[] { arange(0.0, 1e30, 1e29, i64); }, "does not fit into int64"},
      {[] { linspace(0, 1e30, 3, i64); }, "does not fit into int64"},
  };
  for (const auto& each : cases) CHECK_THROWS_WITH(each.call(), Catch::Contains(each.message));
  CHECK(full({}, 1e300).item() == inf);  // as IEEE rounds
  CHECK(full({}, -9223372036854775808.0, i64).item<std::int64_t>() == INT64_MIN);
  CHECK(full({}, 2.75, i64).item<int>() == 2);
}

TEST_CASE("create: everything but 0 is true") {
  for (const double x : {0.5, -1e-300, NaN, inf}) {
    CAPTURE(x);
    CHECK(full({}, x, {.dtype = bool_}).item<bool>());
    CHECK(zeros({}, {.dtype = bool_}).fill_(x).item<bool>());
    CHECK(tensor(x, {.dtype = bool_}).item<bool>());
    CHECK(full({}, x, f64).to(bool_).item<bool>());
    CHECK(full({}, x, f64).item<bool>());
  }
  CHECK_FALSE(full({}, -0.0, {.dtype = bool_}).item<bool>());
}

TEST_CASE("create: sizes that cannot be are errors") {
  const std::int64_t large = std::int64_t{1} << 40;
  const std::function<void()> calls[] = {
      [] { zeros(-1); },
      [] {
        ones({2, -3});
      },
      [] { zeros(std::vector<int>{-1}); },
      [=] {
        zeros({large, large});
      },
      [=] { zeros(large); },
      [] { zeros(18446744073709551615ull); },
      [] { eye(-1); },
      [=] { eye(large); },
      [] { eye(INT64_MAX); },
      [] { linspace(0, 1, -1); },
      [] { linspace(0, 1, INT64_MAX); },
      [] { arange(-1); },
      [] { arange(INT64_MIN, INT64_MAX, 1, i64); },
      [] { arange(0, 1, 1e-300); },
      [] { arange(0, 1, 0); },
      [] { arange(0, 1, 0.0); },
      [] { arange(0, NaN); },
      [] { randperm(-1); },
      [] { randint(3, 3, {2}); },
      [] { randint(3, 2, {0}); },
      [] { rand({2}, i64); },
      [] {
        from_values(Floats{1, 2}, {3});
      },
      [] {
        tensor(std::vector<Floats>{{1, 2}, {3}});
      },
      [] {
        tensor({1, 2}, {.dtype = int64, .requires_grad = true});
      },
  };
  for (const auto& call : calls) CHECK_THROWS_AS(call(), Error);
}

TEST_CASE("create: arange stops before its end, and no element is there twice") {
  const struct {
    double begin, end, step;
    std::int64_t count;
  } cases[] = {{1, 1.3, 0.1, 3},  {0, 0.3, 0.1, 3},      {0, 1, 0.1, 10},    {0, 1, 1.0 / 3, 3},
               {0, -1, -0.25, 4}, {1.3, 1, -0.1, 3},     {5, 5, 1, 0},       {5, 4, 0.5, 0},
               {0, 2.8, 0.7, 4},  {-0.3, 0.3, 0.1, 6},   {0, 1e-5, 3e-6, 4}, {1e308, -1e308, -1e308, 2},
               {0, 10, 0.5, 20},  {0.5, 1000.5, 1, 1000}};
  for (const auto& c : cases)
    for (const DType dtype : {float32, float64}) {
      if (dtype == float32 && c.begin > 1e38) continue;
      const Doubles x = values<double>(arange(c.begin, c.end, c.step, {.dtype = dtype}).to(float64));
      CAPTURE(c.begin, c.end, c.step, dtype);
      CHECK(static_cast<std::int64_t>(x.size()) == c.count);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double exact = c.begin + static_cast<double>(i) * c.step;
        REQUIRE(x[i] == (dtype == float64 ? exact : static_cast<double>(static_cast<float>(exact))));
        REQUIRE((c.step > 0 ? x[i] < c.end : x[i] > c.end));
      }
    }
  CHECK(arange(0, 2.1, 0.7, f64).numel() == 4);               // 3 * 0.7 is 2.0999999999999996 ...
  CHECK(arange(0, 2.1, 0.7).numel() == 3);                    // ... and the same float32 as 2.1
  CHECK(arange(0, 1 - 1e-12, 1 / 3.0 - 1e-12).numel() == 3);  // float32 would round a fourth to the end
  CHECK_THROWS_WITH(arange(16777216, 16777220), Catch::Contains("float32 does not tell 16777216 from 16777217"));
  CHECK_THROWS_WITH(arange(1e16, 1e16 + 4, 0.5, f64), Catch::Contains("does not tell"));
  CHECK_THROWS_WITH(arange(0, 3, 0.5, i64), Catch::Contains("int64 does not tell 0 from 0.5"));
  CHECK(values<float>(arange(4)) == Floats{0, 1, 2, 3});
  CHECK(values<float>(arange(2.5)) == Floats{0, 1, 2});
}

TEST_CASE("create: linspace meets both ends, however far apart") {
  CHECK(values<double>(linspace(-1.7e308, 1.7e308, 3, f64)) == Doubles{-1.7e308, 0, 1.7e308});
  CHECK(values<double>(linspace(0.1, 0.7, 4, f64)).back() == 0.7);
  CHECK(linspace(0, 1, 0).numel() == 0);
  CHECK(values<float>(linspace(3, 9, 1)) == Floats{3});
}

TEST_CASE("create: the dtype of numbers as written") {
  CHECK(tensor({0, 1}).dtype() == int64);
  CHECK(tensor(7u).dtype() == int64);
  CHECK(tensor({{true}, {false}}).dtype() == bool_);
  CHECK(values<std::int64_t>(tensor({NestedNumbers(true), NestedNumbers(2)})) == Integers{1, 2});
  CHECK(values<float>(tensor({1, 2.5})) == Floats{1, 2.5f});
  CHECK(tensor({1, 2}, {.requires_grad = true}).dtype() == float32);
  CHECK(tensor({1.5, 2.5}, i64).dtype() == int64);
  CHECK(tensor({}).dtype() == float32);
}

TEST_CASE("create: from ranges of numbers and of such ranges") {
  CHECK(values<float>(tensor(Floats{1, 2})) == Floats{1, 2});
  CHECK(values<double>(tensor(Doubles{1, 2})) == Doubles{1, 2});
  CHECK(values<std::uint8_t>(tensor(std::vector<std::uint8_t>{1, 255})) == std::vector<std::uint8_t>{1, 255});
  CHECK(values<bool>(tensor(Bools{true, false})) == Bools{true, false});
  CHECK(values<std::int64_t>(tensor(std::array<int, 2>{3, 4})) == Integers{3, 4});
  CHECK(values<std::int64_t>(tensor(std::vector<std::array<int, 2>>{{1, 2}, {3, 4}, {5, 6}})) ==
        Integers{1, 2, 3, 4, 5, 6});
  CHECK(tensor(std::vector<std::vector<Floats>>{{{1}, {2}}, {{3}, {4}}}).shape() == Shape{2, 2, 1});
  CHECK(tensor(Floats{}).shape() == Shape{0});
  CHECK(tensor(std::vector<Floats>(2)).shape() == Shape{2, 0});
  CHECK(tensor(Doubles{1, 2}, {.dtype = float32, .requires_grad = true}).requires_grad());
  CHECK(values<float>(from_values(Integers{1, 2, 3, 4}, {2, 2}, {.dtype = float32})) == Floats{1, 2, 3, 4});
  const float raw[] = {1, 2, 3};
  CHECK(values<float>(from_values<float>(raw, 3)) == Floats{1, 2, 3});
  CHECK(values<float>(from_values(std::span<const float>(raw), {3}, true)) == Floats{1, 2, 3});
}

TEST_CASE("create: like another tensor, but for what options say") {
  const Tensor x = zeros({2, 3}, f64);
  for (const auto& make : std::initializer_list<std::function<Tensor(const TensorOptions&)>>{
           [&](const TensorOptions& o) { return zeros_like(x, o); },
           [&](const TensorOptions& o) { return ones_like(x, o); },
           [&](const TensorOptions& o) { return empty_like(x, o); },
           [&](const TensorOptions& o) { return full_like(x, 3, o); },
           [&](const TensorOptions& o) { return rand_like(x, o); },
           [&](const TensorOptions& o) { return randn_like(x, o); },
           [&](const TensorOptions& o) { return randint_like(x, -3, 4, o); }}) {
    CHECK(make({}).dtype() == float64);
    CHECK(make({}).shape() == x.shape());
    CHECK_FALSE(make({}).requires_grad());
    CHECK(make({.dtype = float32, .requires_grad = true}).dtype() == float32);
    CHECK(make({.requires_grad = true}).requires_grad());
  }
}

TEST_CASE("create: random numbers of a generator leave the thread's own alone") {
  const std::function<Tensor(Generator*)> makers[] = {
      [](Generator* g) { return rand({5}, {.generator = g}); },
      [](Generator* g) { return randn({5}, {.dtype = float64, .generator = g}); },
      [](Generator* g) { return randint(-5, 100, {5}, {.generator = g}); },
      [](Generator* g) { return randint(0, 2, {50}, {.dtype = bool_, .generator = g}); },
      [](Generator* g) { return randperm(20, {.dtype = float32, .generator = g}); },
  };
  for (const auto& make : makers) {
    const GeneratorState before = default_generator().state();
    Generator a(3), b(3);
    CHECK(make(&a).to_vector<double>() == make(&b).to_vector<double>());
    CHECK(default_generator().state() == before);
    CHECK_FALSE(a.state() == GeneratorState{3, 0, 0});
    const Tensor drawn = make(nullptr);
    CHECK_FALSE(default_generator().state() == before);
  }
  CHECK(randint(0, 3, {2}).dtype() == int64);
  CHECK_THROWS_WITH(randint(0, 3, {2}, {.dtype = bool_}),
                    Catch::Contains("bool does not hold all integers from 0 to 2"));
  CHECK_THROWS_AS(randint(0, big, {2}, {.dtype = float32}), Error);
  CHECK_THROWS_AS(randperm((1 << 24) + 2, {.dtype = float32}), Error);
}

TEST_CASE("from_blob: elements of another owner, in any order of axes, are not copied and are kept") {
  auto numbers = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4, 5, 6});
  const std::weak_ptr<std::vector<float>> watched = numbers;
  const std::shared_ptr<void> memory(numbers, numbers->data());
  {
    const Tensor x = from_blob(memory, {2, 3}, float32), columns = from_blob(memory, {3, 2}, float32, Shape{1, 3});
    CHECK(x.data<float>() == numbers->data());
    CHECK(columns.at({2, 1}) == 6);
    (*numbers)[5] = 60;
    CHECK(columns.at({2, 1}) == 60);
    CHECK(sum(x * transpose(columns, 0, 1)).item<float>() == 1 + 4 + 9 + 16 + 25 + 3600);
    Tensor leaf = from_blob(memory, {6}, float32);
    leaf.requires_grad_();
    sum(leaf * leaf).backward();
    CHECK(leaf.grad().at({5}) == 120);
    CHECK(from_blob(memory, {2, 2}, float32, Shape{0, 1}).at({1, 1}) == 2);
    const Tensor part = narrow(x, 0, 1, 1);
    numbers.reset();
    CHECK(part.at({0, 2}) == 60);
  }
  CHECK_FALSE(watched.expired());  // by `memory`
  const Tensor none = from_blob(nullptr, {0, 3}, int32);
  CHECK(none.shape() == Shape{0, 3});

  const auto fails = [&](const char* start, const Shape& shape, DType dtype, const Shape& strides,
                         std::ptrdiff_t shift = 0) {
    const std::shared_ptr<void> from(memory, static_cast<std::byte*>(memory.get()) + shift);
    CHECK_THROWS_WITH(from_blob(from, shape, dtype, strides), Catch::StartsWith(start));
  };
  fails("from_blob: strides (1,) for shape (2, 3); there is one stride for each axis", {2, 3}, float32, {1});
  fails("from_blob: strides (-1,); they must not be negative", {2}, float32, {-1});
  fails("from_blob: the pointer is not aligned for elements of float32", {2}, float32, {1}, 2);
  fails("from_blob: shape (3,) with strides (4611686018427387904,) reaches over more than 2^63 - 1 bytes", {3}, float32,
        {std::int64_t{1} << 62});
  CHECK_THROWS_WITH(from_blob(nullptr, {2}, float32), Catch::StartsWith("from_blob: the pointer is null"));
}
