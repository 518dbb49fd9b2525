// Every function against libm in long double, at every instruction set this CPU has.
#include <xgrad/core/vectorize.hpp>
#include <xgrad/ops/kernels/lane_math.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "../catch.hpp"

using namespace xgrad;
namespace m = lane_math;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Distance in units in the last place; infinite where one is NaN or infinite and the other not, or the signs differ.
template <class T>
double ulps(T got, long double exact) {
  const T want = static_cast<T>(exact);
  if (std::isnan(want)) return std::isnan(got) ? 0 : infinity;
  if (std::isnan(got) || std::signbit(got) != std::signbit(want)) return infinity;
  if (std::isinf(want) || std::isinf(got)) return got == want ? 0 : infinity;
  int exponent;
  std::frexp(std::max(std::fabs(want), std::numeric_limits<T>::min()), &exponent);
  return static_cast<double>(std::fabs(got - exact) / std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits));
}

// Magnitudes spread evenly over the exponents of [low, high], both signs; or evenly over [low, high].
template <class T>
std::vector<T> samples(T low, T high, bool by_exponent) {
  std::vector<T> x = {T(0),
                      T(-0.0),
                      T(1),
                      T(-1),
                      T(0.5),
                      T(-0.5),
                      T(2),
                      T(infinity),
                      T(-infinity),
                      std::numeric_limits<T>::quiet_NaN(),
                      m::from_bits<T>(m::bits(std::numeric_limits<T>::quiet_NaN()) + 0x155),
                      std::numeric_limits<T>::min(),
                      std::numeric_limits<T>::denorm_min(),
                      -std::numeric_limits<T>::denorm_min(),
                      std::numeric_limits<T>::max(),
                      std::numeric_limits<T>::lowest()};
  std::uint64_t state = 1;
  for (int i = 0; i < 2000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const long double u = static_cast<long double>(state >> 11) * 0x1p-53L;
    if (by_exponent) {
      const T v = static_cast<T>(std::exp(std::log((long double)low) + u * std::log((long double)high / low)));
      x.push_back(i % 2 ? v : -v);
    } else {
      x.push_back(static_cast<T>(low + u * ((long double)high - low)));
    }
  }
  return x;
}

template <class T, class F, class Exact>
void holds(const char* name, double bound, F f, Exact exact, T low, T high, bool by_exponent = false) {
  const std::vector<T> x = samples(low, high, by_exponent);
  std::vector<long double> want;
  for (T v : x) want.push_back(exact(static_cast<long double>(v)));
  for (int l = 0; l <= static_cast<int>(simd_level()); ++l) {
    const auto level = static_cast<SimdLevel>(l);
    std::vector<T> y(x.size());
    vectorized(level, [f, in = x.data(), out = y.data(), n = std::int64_t(x.size())] {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < n; ++i) out[i] = flattened(f, in[i]);
    });
    std::size_t worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (ulps(y[i], want[i]) > ulps(y[worst], want[worst])) worst = i;
    INFO(name << " of " << (sizeof(T) == 4 ? "float " : "double ") << x[worst] << " is " << y[worst] << ", should be "
              << want[worst] << ", " << xgrad::name(level));
    CHECK(ulps(y[worst], want[worst]) <= bound);
  }
}

#define HOLDS(f, bound, exact, ...) \
  holds<T>(                         \
      #f, bound, [](T x) { return m::f; }, [](long double x) { return exact; }, __VA_ARGS__)

template <class T>
void exponentials() {
  const T top = sizeof(T) == 4 ? 105 : 747, tiny = std::numeric_limits<T>::denorm_min();
  HOLDS(exp(x), 1.5, std::exp(x), -top, top);
  HOLDS(exp(x), 1.5, std::exp(x), T(-1), T(1));
  HOLDS(expm1(x), 2, std::expm1(x), -top, top);
  HOLDS(expm1(x), 2, std::expm1(x), T(-1), T(1));
  HOLDS(expm1(x), 2, std::expm1(x), tiny, T(1), true);
  HOLDS(tanh(x), sizeof(T) == 4 ? 2 : 3, std::tanh(x), T(-25), T(25));
  HOLDS(tanh(x), sizeof(T) == 4 ? 2 : 3, std::tanh(x), T(-1), T(1));
  HOLDS(tanh(x), sizeof(T) == 4 ? 2 : 3, std::tanh(x), tiny, T(1), true);
  HOLDS(sigmoid(x), 2.5, 1 / (1 + std::exp(-x)), -top, top);
  HOLDS(sigmoid(x), 2.5, 1 / (1 + std::exp(-x)), T(-5), T(5));
  HOLDS(softplus(x), 2, x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)), -top, top);
  HOLDS(hyperbolic(x).sinh, 2, std::sinh(x), -top, top);
  HOLDS(hyperbolic(x).sinh, 2, std::sinh(x), tiny, T(2), true);
  HOLDS(hyperbolic(x).cosh, 2, std::cosh(x), -top, top);
}

template <class T>
void logarithms() {
  const T tiny = std::numeric_limits<T>::denorm_min(), huge = std::numeric_limits<T>::max();
  HOLDS(log(x), 1, std::log(x), tiny, huge, true);
  HOLDS(log(x), 1, std::log(x), T(0.5), T(2));
  HOLDS(log1p(x), 2, std::log1p(x), tiny, huge, true);
  HOLDS(log1p(x), 2, std::log1p(x), T(-1), T(2));
  HOLDS(log1p(x), 2, std::log1p(x), T(-0.01), T(0.01));
  HOLDS(sqrt(x), 0.501, std::sqrt(x), tiny, huge, true);
}

template <class T>
void circulars() {
  const T tiny = std::numeric_limits<T>::denorm_min(), huge = std::numeric_limits<T>::max(), far = T(0x1p31);
  // NaN beyond 2^31, as said in the header.
  HOLDS(circular(x).sin, 3, std::fabs(x) > 0x1p31 ? NAN : std::sin(x), T(-10), T(10));
  HOLDS(circular(x).sin, 3, std::fabs(x) > 0x1p31 ? NAN : std::sin(x), tiny, far, true);
  HOLDS(circular(x).sin, 3, std::fabs(x) > 0x1p31 ? NAN : std::sin(x), -far, far);
  HOLDS(circular(x).cos, 3, std::fabs(x) > 0x1p31 ? NAN : std::cos(x), T(-10), T(10));
  HOLDS(circular(x).cos, 3, std::fabs(x) > 0x1p31 ? NAN : std::cos(x), -far, far);
  HOLDS(atan(x), 2, std::atan(x), tiny, huge, true);
  HOLDS(atan(x), 2, std::atan(x), T(-3), T(3));
  HOLDS(asin(x), 2.5, std::asin(x), T(-1), T(1));
  HOLDS(asin(x), 2.5, std::asin(x), tiny, T(1), true);
  HOLDS(acos(x), 2, std::acos(x), T(-1), T(1));
  HOLDS(acos(x), 2, std::acos(x), T(0.99), T(1));
  HOLDS(atan2(x, T(-2)), 2, std::atan2(x, -2.0L), T(-10), T(10));
  HOLDS(atan2(x, T(0)), 2, std::atan2(x, 0.0L), tiny, huge, true);
  HOLDS(atan2(x, T(-0.0)), 2, std::atan2(x, -0.0L), tiny, huge, true);
  HOLDS(atan2(T(-2), x), 2, std::atan2(-2.0L, x), T(1e-3), T(1e3), true);
  HOLDS(atan2(x, T(infinity)), 2, std::atan2(x, (long double)infinity), T(1), huge, true);
  HOLDS(atan2(x, T(-infinity)), 2, std::atan2(x, -(long double)infinity), T(1), huge, true);
}

template <class T>
void error_functions() {
  const T tiny = std::numeric_limits<T>::denorm_min();
  HOLDS(erf(x), 2, std::erf(x), T(-6), T(6));
  HOLDS(erf(x), 2, std::erf(x), tiny, T(1), true);
  HOLDS(erfc(x), 5, std::erfc(x), T(-6), sizeof(T) == 4 ? T(10.5) : T(27.5));
  HOLDS(erfc(x), 5, std::erfc(x), T(-2), T(2));
}

template <class T>
void powers() {
  const T tiny = std::numeric_limits<T>::denorm_min(), huge = std::numeric_limits<T>::max();
  for (T y : {T(2), T(3), T(0.5), T(-1.5), T(0), T(1e10), T(-3), T(infinity), T(-infinity), T(NAN), T(0x1.8p24)})
    holds<T>(
        "pow(x, y)", 1, [y](T x) { return m::pow(x, y); }, [y](long double x) { return std::pow(x, (long double)y); },
        tiny, huge, true);
  for (T x : {T(2), T(-1), T(0), T(1), T(1.01), T(-2.5), T(-0.0), T(infinity), T(-infinity), T(NAN)})
    holds<T>(
        "pow(x, y)", 1, [x](T y) { return m::pow(x, y); }, [x](long double y) { return std::pow((long double)x, y); },
        T(-150), T(150));
  for (T x : {T(-1), T(-3.5), T(0), T(-0.0), T(-infinity)})
    for (int y = -7; y <= 7; ++y) CHECK(ulps(m::pow(x, T(y)), std::pow((long double)x, (long double)y)) <= 1);
}

}  // namespace

TEST_CASE("lane math: exponentials") { exponentials<float>(), exponentials<double>(); }
TEST_CASE("lane math: logarithms and roots") { logarithms<float>(), logarithms<double>(); }
TEST_CASE("lane math: circular functions and their inverses") { circulars<float>(), circulars<double>(); }
TEST_CASE("lane math: error functions") { error_functions<float>(), error_functions<double>(); }
TEST_CASE("lane math: powers") { powers<float>(), powers<double>(); }

TEST_CASE("lane math: lgamma and digamma") {
  CHECK(m::lgamma(0.5) == Approx(0.57236494292470008707));
  CHECK(m::lgamma(10.0f) == Approx(12.801827480081469611));
  CHECK(m::digamma(1.0) == Approx(-0.57721566490153286061).epsilon(1e-14));
  CHECK(m::digamma(0.5) == Approx(-1.9635100260214234794).epsilon(1e-14));
  CHECK(m::digamma(-0.5) == Approx(0.036489973978576520559).epsilon(1e-12));
  CHECK(m::digamma(100.0) == Approx(4.6001618527380874002).epsilon(1e-14));
  CHECK(m::digamma(0.0) == -infinity);
  CHECK(m::digamma(-0.0) == infinity);
  CHECK(std::isnan(m::digamma(-2.0)));
  CHECK(m::digamma(infinity) == infinity);
}
