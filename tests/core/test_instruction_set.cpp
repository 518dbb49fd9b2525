#include <xgrad/core/instruction_set.hpp>
#include <xgrad/kernels/dual.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../catch.hpp"
#include "../processor_time.hpp"

using namespace xgrad;

namespace {

// Nanoseconds of eight runs.
template <class F>
double time(F run) {
  const double start = processor_time();
  for (int k = 0; k < 8; ++k) run();
  return processor_time() - start;
}

// How much faster f over many numbers is than the same clone with something in its loop that forbids vectorisation.
template <class T, class F>
double speedup(F f) {
  constexpr std::int64_t n = 1 << 14;
  std::vector<T> x(n), y(n);
  for (std::int64_t i = 0; i < n; ++i) x[i] = T(1e-3) + T(i % 1000) / 300;
  const auto loop = [f, in = x.data(), out = y.data()] {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < n; ++i) out[i] = flattened(f, in[i]);
  };
  const auto one_by_one = [f, in = x.data(), out = y.data()] {
    for (std::int64_t i = 0; i < n; ++i) {
      out[i] = flattened(f, in[i]);
      asm volatile("" ::: "memory");
    }
  };
  std::vector<double> vector, scalar;
  for (int i = 0; i < 15; ++i) {
    vector.push_back(time([&] { vectorized(loop); }));
    scalar.push_back(time([&] { vectorized(one_by_one); }));
  }
  std::sort(vector.begin(), vector.end());
  std::sort(scalar.begin(), scalar.end());
  return scalar[7] / vector[7];  // medians
}

}  // namespace

TEST_CASE("vectorize: runs the loop, in place too") {
  for (int l = 0; l <= static_cast<int>(simd_level()); ++l) {
    std::vector<float> x(1003);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    vectorized(static_cast<SimdLevel>(l), [p = x.data(), n = std::int64_t(x.size())] {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < n; ++i) p[i] = 2 * p[i] + 1;
    });
    for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(x[i] == 2 * static_cast<float>(i) + 1);
  }
}

TEST_CASE("vectorize: levels have names") {
  CHECK(std::strcmp(name(SimdLevel::baseline), "baseline") == 0);
  CHECK(std::strcmp(name(SimdLevel::avx2), "avx2") == 0);
  CHECK(std::strcmp(name(SimdLevel::avx512), "avx512") == 0);
  CHECK(std::strcmp(name(SimdLevel::amx), "amx") == 0);
}

TEST_CASE("vectorize: loops over lanes are vectorised") {
  if (!times_tell || simd_level() == SimdLevel::baseline) return;
  const auto of = [](auto f) { return [f](auto x) { return flattened(f, real<decltype(x)>{x}).v; }; };
  const auto slope_of = [](auto f) { return [f](auto x) { return flattened(f, dual<decltype(x), 1>{x, {1}}).d[0]; }; };
#define VECTORISED(expression)                        \
  {                                                   \
    const auto f = [](auto x) { return expression; }; \
    INFO(#expression);                                \
    CHECK(speedup<float>(of(f)) > 2);                 \
    CHECK(speedup<float>(slope_of(f)) > 2);           \
    CHECK(speedup<double>(of(f)) > 1.4);              \
  }
  VECTORISED(exp(x))
  VECTORISED(tanh(x))
  VECTORISED(log(x) + sqrt(x))
  VECTORISED(sin(x))
  VECTORISED(erf(x))
  VECTORISED(clamp(x, 0.5, 2) * where(x > 1, exp(x), sigmoid(x)))
  VECTORISED(x * sigmoid(x) + 0.5 * tanh(x))
  VECTORISED(x * tanh(log1p(exp(x))))
}
