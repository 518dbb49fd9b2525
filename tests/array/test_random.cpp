#include <xgrad/array/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include <xgrad/core/error.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/core/philox.hpp>
#include "../catch.hpp"

using namespace xgrad;

namespace {

// FNV-1a over the bytes: one wrong bit anywhere changes it.
template <class T>
std::uint64_t digest(const T* values, std::size_t n) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto* bytes = reinterpret_cast<const unsigned char*>(values);
  for (std::size_t i = 0; i < n * sizeof(T); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

// One digest for each kind of fill, of sizes that end within a tile.
std::vector<std::uint64_t> digests(std::size_t n) {
  std::vector<std::uint64_t> all;
  const auto count = static_cast<std::int64_t>(n);
  Generator generator(42, 7);
  std::vector<float> floats(n);
  std::vector<double> doubles(n);
  std::vector<std::int64_t> integers(n);
  const auto bools = std::make_unique<bool[]>(n);
  generator.uniform(floats.data(), count, -2, 3);
  all.push_back(digest(floats.data(), n));
  generator.uniform(doubles.data(), count, -2, 3);
  all.push_back(digest(doubles.data(), n));
  generator.normal(floats.data(), count, 1, 2);
  all.push_back(digest(floats.data(), n));
  generator.normal(doubles.data(), count, 1, 2);
  all.push_back(digest(doubles.data(), n));
  generator.bernoulli(floats.data(), count, 0.3);
  all.push_back(digest(floats.data(), n));
  generator.bernoulli(bools.get(), count, 0.3);
  all.push_back(digest(bools.get(), n));
  generator.integers(integers.data(), count, -5, std::numeric_limits<std::int64_t>::max() / 3);
  all.push_back(digest(integers.data(), n));
  generator.permutation(integers.data(), count);
  all.push_back(digest(integers.data(), n));
  all.push_back(generator.next());
  return all;
}

// The Kolmogorov-Smirnov distance of the values from a distribution, times sqrt(n): above 1.95 with probability 0.001.
template <class T>
double distance(std::vector<T> values, const std::function<double(double)>& distribution) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double most = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = distribution(static_cast<double>(values[i]));
    most = std::max({most, static_cast<double>(i + 1) / n - expected, expected - static_cast<double>(i) / n});
  }
  return most * std::sqrt(n);
}

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

template <class T>
double moment(const std::vector<T>& values, int power) {
  double sum = 0;
  for (const T value : values) sum += std::pow(static_cast<double>(value), power);
  return sum / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("random: philox gives the known answers of Random123") {
  using Block = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) == Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random: words and floats are those of philox under seed, stream and position") {
  const std::uint64_t seed = 0x299f31d0a4093822;
  const std::uint64_t stream = 0x0370734413198a2e;
  const auto block = [&](std::uint64_t index) {
    return philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), 0x13198a2e, 0x03707344},
                  {0xa4093822, 0x299f31d0});
  };
  Generator generator(seed, stream);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto expected = block(i / 2);
    const std::size_t half = i % 2 * 2;
    CHECK(generator.next() == (expected[half] | std::uint64_t{expected[half + 1]} << 32));
  }
  CHECK(generator.state() == GeneratorState{seed, stream, 20});
  for (const std::uint64_t position : {std::uint64_t{17}, (std::uint64_t{1} << 33) - 16}) {
    generator.set_state({seed, stream, position});
    std::vector<float> values(32 * 3);
    generator.uniform(values.data(), 96);
    const std::uint64_t first = (position + 15) / 16 * 8;
    CHECK(generator.state().position == (first + 24) * 2);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint32_t word = block(first + i / 32 * 8 + i % 8)[i % 32 / 8];
      wrong += values[i] != static_cast<float>(word >> 8) / 16777216.0f;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("random: numbers are the golden ones, with any vectors and any number of threads") {
  const std::vector<std::uint64_t> golden_small = {0x5997f2fe66f0dad1, 0x4d2852220d933a8d, 0xc81119ab3bdec4f7,
                                                   0x32808b1cecc2263c, 0x90b4b4a988e0cad5, 0xfef0a203a41075dd,
                                                   0x1a498907517f9936, 0xe3772309d3155229, 0xa3a68a1c8523008f};
  const std::vector<std::uint64_t> golden_large = {0x0160da290620be85, 0x7a4d878a5daddc53, 0x05406d3c210876a5,
                                                   0x221d845d2648978a, 0xfbdc8fdd73bda3b5, 0x90b13e27a31b1f4e,
                                                   0xe8e6cf6adaeeb2c6, 0x514c30231aad79bd, 0x7a52f6defabb74ae};
  const int before = num_threads();
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    CHECK(digests(13) == golden_small);
    CHECK(digests(100003) == golden_large);
  }
  set_num_threads(before);
}

TEST_CASE("random: uniform numbers fill their range evenly and stay in it") {
  Generator generator(1);
  std::vector<float> floats(200000);
  std::vector<double> doubles(200000);
  generator.uniform(floats.data(), 200000);
  generator.uniform(doubles.data(), 200000);
  CHECK(distance(floats, [](double x) { return x; }) < 1.95);
  CHECK(distance(doubles, [](double x) { return x; }) < 1.95);
  CHECK(*std::min_element(floats.begin(), floats.end()) >= 0);
  CHECK(*std::max_element(floats.begin(), floats.end()) < 1);
  generator.uniform(floats.data(), 200000, 1e8, 1e8 + 16);  // floats are 8 apart here
  CHECK(*std::min_element(floats.begin(), floats.end()) == 1e8f);
  CHECK(*std::max_element(floats.begin(), floats.end()) == 1e8f + 8);
  generator.uniform(doubles.data(), 100, 3, 3);
  CHECK(std::all_of(doubles.begin(), doubles.begin() + 100, [](double x) { return x == 3; }));
}

TEST_CASE("random: normal numbers are normal") {
  Generator generator(2);
  std::vector<float> floats(400000);
  std::vector<double> doubles(400000);
  generator.normal(floats.data(), 400000);
  generator.normal(doubles.data(), 400000);
  CHECK(distance(floats, normal_distribution) < 1.95);
  CHECK(distance(doubles, normal_distribution) < 1.95);
  for (const auto& values : {std::vector<double>(floats.begin(), floats.end()), doubles}) {
    CHECK(std::abs(moment(values, 1)) < 4 / std::sqrt(4e5));
    CHECK(std::abs(moment(values, 2) - 1) < 4 * std::sqrt(2 / 4e5));
    CHECK(std::abs(moment(values, 3)) < 4 * std::sqrt(15 / 4e5));
    CHECK(std::abs(moment(values, 4) - 3) < 4 * std::sqrt(96 / 4e5));
    double products = 0;  // Box and Muller's pairs are 8 apart
    for (std::size_t i = 8; i < values.size(); ++i) products += values[i] * values[i - 8];
    CHECK(std::abs(products / 4e5) < 4 / std::sqrt(4e5));
    CHECK(std::count_if(values.begin(), values.end(), [](double x) { return std::abs(x) > 4; }) > 5);
  }
  generator.normal(floats.data(), 400000, 10, 0.5);
  CHECK(moment(floats, 1) == Approx(10).epsilon(1e-3));
  generator.normal(floats.data(), 10, 10, 0);
  CHECK(floats[9] == 10);
}

// Box and Muller's formula with the mathematical library, from the same words.
TEST_CASE("random: normal numbers follow their formula to rounding") {
  const double turn = 2 * 3.14159265358979323846;
  Generator generator(3);
  std::vector<double> doubles(16);
  std::vector<float> floats(32);
  double worst_double = 0, worst_float = 0;
  for (std::uint64_t tile = 0; tile < 2000; ++tile) {
    generator.set_state({3, 0, tile * 16});
    generator.normal(doubles.data(), 16);
    generator.set_state({3, 0, tile * 16});
    generator.normal(floats.data(), 32);
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint64_t index = tile * 8 + i;
      const auto word = philox({static_cast<std::uint32_t>(index), 0, 0, 0}, {3, 0});
      const std::uint64_t a = word[0] | std::uint64_t{word[1]} << 32;
      const std::uint64_t b = word[2] | std::uint64_t{word[3]} << 32;
      const auto as_double = [](std::uint64_t x) { return static_cast<double>(x); };
      // An angle's quadrant is its two upper bits, the rest counts from the middle of the quadrant.
      const double quarter = turn / 4;
      const double radius = std::sqrt(-2 * std::log(1 - as_double(a >> 12) * 0x1p-52));
      const double angle = quarter * (as_double(b >> 62) + as_double((b << 2) >> 12) * 0x1p-52 - 0.5);
      worst_double = std::max({worst_double, std::abs(doubles[i] - radius * std::cos(angle)),
                               std::abs(doubles[i + 8] - radius * std::sin(angle))});
      for (std::size_t k = 0; k < 4; k += 2) {
        const double r = std::sqrt(-2 * std::log((as_double(word[k] >> 1) + 0.5) * 0x1p-31));
        const double rest = as_double(word[k + 1] & 0x3fffffff) * 0x1p-30 - 0.5;
        const double phi = quarter * (as_double(word[k + 1] >> 30) + rest);
        worst_float = std::max({worst_float, std::abs(floats[8 * k + i] - r * std::cos(phi)),
                                std::abs(floats[8 * k + 8 + i] - r * std::sin(phi))});
      }
    }
  }
  CHECK(worst_double < 4e-15);
  CHECK(worst_float < 4e-6);
}

TEST_CASE("random: bernoulli is true as often as asked") {
  Generator generator(4);
  const auto bools = std::make_unique<bool[]>(400000);
  std::vector<float> floats(400000);
  for (const double p : {0.0, 1e-3, 0.1, 0.5, 0.9, 1.0}) {
    generator.bernoulli(bools.get(), 400000, p);
    generator.bernoulli(floats.data(), 400000, p);
    const double limit = 4 * std::sqrt(p * (1 - p) * 4e5);
    CHECK(std::abs(static_cast<double>(std::count(bools.get(), bools.get() + 400000, true)) - p * 4e5) <= limit);
    CHECK(std::abs(static_cast<double>(std::count(floats.begin(), floats.end(), 1.0f)) - p * 4e5) <= limit);
    CHECK(std::count(floats.begin(), floats.end(), 1.0f) + std::count(floats.begin(), floats.end(), 0.0f) == 400000);
  }
}

TEST_CASE("random: integers are in range and equally likely") {
  Generator generator(5);
  std::vector<std::int64_t> values(300000);
  generator.integers(values.data(), 300000, -3, 7);
  std::vector<double> counts(10);
  for (const std::int64_t value : values) {
    REQUIRE((value >= -3 && value < 7));
    counts[static_cast<std::size_t>(value + 3)] += 1;
  }
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - 3e4) * (count - 3e4) / 3e4;
  CHECK(chi_square < 27.9);  // 9 degrees of freedom, probability 0.001

  // A bound of 3/4 of 2^64: a quarter of the words is rejected, and without that multiples of 3, from low, would come
  // twice as often as others.
  constexpr std::int64_t low = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t high = std::numeric_limits<std::int64_t>::max() / 2;
  generator.integers(values.data(), 300000, low, high);
  const double bound = 0.75 * 0x1p64;
  CHECK(*std::max_element(values.begin(), values.end()) < high);
  CHECK(distance(values, [&](double x) { return (x + 0x1p63) / bound; }) < 1.95);
  std::size_t multiples = 0;  // of 3, counted from low: every third
  for (const std::int64_t value : values)
    multiples += (static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(low)) % 3 == 0;
  CHECK(std::abs(static_cast<double>(multiples) - 1e5) < 4 * std::sqrt(3e5 * 2 / 9));
  generator.integers(values.data(), 100, 8, 9);
  CHECK(std::count(values.begin(), values.begin() + 100, 8) == 100);
}

TEST_CASE("random: a permutation holds every number once, in an order of its own") {
  Generator generator(6);
  for (const std::int64_t n : {0, 1, 2, 1000}) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    generator.permutation(order.data(), n);
    std::vector<std::int64_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::int64_t> expected(sorted.size());
    std::iota(expected.begin(), expected.end(), 0);
    CHECK(sorted == expected);
    if (n == 1000) CHECK(order != expected);
  }
  std::vector<double> counts(6);
  for (int i = 0; i < 6000; ++i) {
    std::int64_t order[3];
    generator.permutation(order, 3);
    counts[static_cast<std::size_t>(order[0] * 2 + (order[1] > order[2]))] += 1;
  }
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - 1e3) * (count - 1e3) / 1e3;
  CHECK(chi_square < 20.5);  // 5 degrees of freedom, probability 0.001
}

TEST_CASE("random: a state that is set again continues the same numbers") {
  Generator generator(8, 2);
  std::vector<float> first(77), second(77);
  generator.next();
  const GeneratorState state = generator.state();
  const std::uint64_t word = generator.next();
  generator.normal(first.data(), 77);
  const std::uint64_t after = generator.next();

  Generator other;
  other.next();
  other.set_state(state);
  CHECK(other.seed() == 8);
  CHECK(other.next() == word);
  other.normal(second.data(), 77);
  CHECK(first == second);
  CHECK(other.next() == after);
}

TEST_CASE("random: seeds and streams give different numbers") {
  CHECK(Generator(1).next() != Generator(2).next());
  CHECK(Generator(1, 0).next() != Generator(1, 1).next());
  CHECK(Generator(1).next() != Generator(std::uint64_t{1} << 32).next());
  Generator a(9), b(9);
  CHECK(a.next() == b.next());
}

TEST_CASE("random: each thread has its own stream of the process's seed") {
  const GeneratorState before = default_generator().state();
  manual_seed(123);
  CHECK(default_generator().state() == GeneratorState{123, before.stream, 0});
  std::vector<GeneratorState> states(2);
  for (GeneratorState& state : states)
    std::thread([&] {
      state = default_generator().state();
      default_generator().next();
    }).join();
  CHECK(states[0].seed == 123);
  CHECK(states[1].seed == 123);
  CHECK(states[0].stream != before.stream);
  CHECK(states[1].stream != states[0].stream);
  CHECK(default_generator().state().position == 0);
  manual_seed(before.seed);
  default_generator().set_state(before);
}

TEST_CASE("random: the same seed gives the main thread's numbers in every thread, whichever is first") {
  const GeneratorState before = default_generator().state();
  const auto numbers = [] {
    std::vector<float> all(100);
    default_generator().uniform(all.data(), 100);
    return all;
  };
  manual_seed(5);
  const auto expected = numbers();
  std::vector<std::vector<float>> seeded(4), others(2);
  std::vector<std::thread> threads;
  for (auto& result : seeded)
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) {
        manual_seed(5);
        result = numbers();
      }
    });
  for (auto& thread : threads) thread.join();
  for (const auto& result : seeded) CHECK(result == expected);
  for (auto& result : others) {  // threads without a seed of their own, after the same call
    manual_seed(5);
    std::thread([&] { result = numbers(); }).join();
  }
  CHECK(others[0] == others[1]);
  CHECK(others[0] != expected);
  default_generator().set_state(before);
}

TEST_CASE("random: arguments out of range are errors and use no numbers") {
  Generator generator(10);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  float floats[4];
  double doubles[4];
  bool bools[4];
  std::int64_t integers[4];
  CHECK_THROWS_AS(generator.uniform(floats, 4, 1, 0), Error);
  CHECK_THROWS_AS(generator.uniform(floats, 4, nan, 1), Error);
  CHECK_THROWS_AS(generator.uniform(floats, 4, -3e38, 3e38), Error);
  CHECK_THROWS_AS(generator.uniform(doubles, 4, 0, std::numeric_limits<double>::infinity()), Error);
  CHECK_THROWS_AS(generator.normal(floats, 4, 0, -1), Error);
  CHECK_THROWS_AS(generator.normal(doubles, 4, 0, nan), Error);
  CHECK_THROWS_AS(generator.bernoulli(bools, 4, 1.5), Error);
  CHECK_THROWS_AS(generator.bernoulli(floats, 4, nan), Error);
  CHECK_THROWS_AS(generator.integers(integers, 4, 3, 3), Error);
  generator.uniform(floats, 0);
  generator.permutation(nullptr, -1);
  CHECK(generator.state() == GeneratorState{10, 0, 0});
}
