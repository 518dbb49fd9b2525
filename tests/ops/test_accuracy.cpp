// The error bounds of docs/accuracy.md, held against long double at every instruction set that this CPU has.
#include <xgrad/autograd/engine.hpp>
#include <xgrad/core/instruction_set.hpp>
#include <xgrad/kernels/dual.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>

#include <math.h>  // lgammal_r

#include <fstream>
#include <map>
#include <numbers>
#include <sstream>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;
namespace m = elementary;

namespace {

using Real = long double;

constexpr Real pi = std::numbers::pi_v<Real>;

Real fraction(Real x) { return x - std::round(x); }

Real digamma_of(Real x) {
  if (x == 0) return std::copysign(Real(inf), -x);
  Real y = 0;
  if (x < 0) {
    if (x == std::floor(x)) return NaN;
    y = -pi / std::tan(pi * fraction(x)), x = 1 - x;
  }
  for (; x < 30; ++x) y -= 1 / x;
  const Real z = 1 / (x * x);
  Real series = 0;
  for (const Real c :
       {-3617 / 8160.L, 1 / 12.L, -691 / 32760.L, 1 / 132.L, -1 / 240.L, 1 / 252.L, -1 / 120.L, 1 / 12.L})
    series = series * z + c;
  return y + std::log(x) - 0.5L / x - series * z;
}

Real trigamma_of(Real x) {
  if (x <= 0) {
    if (x == std::floor(x)) return inf;
    const Real s = pi / std::sin(pi * fraction(x));
    return s * s - trigamma_of(1 - x);
  }
  Real y = 0;
  for (; x < 30; ++x) y += 1 / (x * x);
  const Real z = 1 / (x * x);
  Real series = 0;
  for (const Real c : {-3617 / 510.L, 7 / 6.L, -691 / 2730.L, 5 / 66.L, -1 / 30.L, 1 / 42.L, -1 / 30.L, 1 / 6.L})
    series = series * z + c;
  return y + 1 / x + 0.5L * z + series * z / x;
}

Real lgamma_of(Real x) {
  int sign;
  return ::lgammal_r(x, &sign);
}

Real sigmoid_of(Real x) { return 1 / (1 + std::exp(-x)); }

template <class T>
using Loop = void (*)(SimdLevel level, std::int64_t n, const T* x, T* value, T* slope);

template <class F, class T>
void run(SimdLevel level, std::int64_t n, const T* x, T* value, T* slope) {
  vectorized(level, [=] {
    const F f{};
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < n; ++i) {
      const dual<T, 1> y = flattened(f, dual<T, 1>{x[i], {T(1)}});
      value[i] = y.v, slope[i] = y.d[0];
    }
  });
}

struct Function {
  Real (*value)(Real);
  Real (*slope)(Real);
  Loop<float> floats;
  Loop<double> doubles;
  Tensor (*op)(const Tensor&);
};

template <class F, bool is_op = true>
Function function(Real (*value)(Real), Real (*slope)(Real)) {
  Function all{value, slope, run<F, float>, run<F, double>, nullptr};
  if constexpr (is_op) all.op = [](const Tensor& x) { return F{}(x); };
  return all;
}

#define F(expression) decltype([](const auto& x) __attribute__((always_inline)) { return expression; })
#define OF(expression) [](Real x) -> Real { return expression; }

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> all = {
      {"exp(x)", function<F(exp(x))>(OF(std::exp(x)), OF(std::exp(x)))},
      {"expm1(x)", function<F(expm1(x))>(OF(std::expm1(x)), OF(std::exp(x)))},
      {"log(x)", function<F(log(x))>(OF(std::log(x)), OF(1 / x))},
      {"log1p(x)", function<F(log1p(x))>(OF(std::log1p(x)), OF(1 / (1 + x)))},
      {"sqrt(x)", function<F(sqrt(x))>(OF(std::sqrt(x)), OF(0.5L / std::sqrt(x)))},
      {"rsqrt(x)", function<F(rsqrt(x))>(OF(1 / std::sqrt(x)), OF(-0.5L * std::pow(1 / std::sqrt(x), 3)))},
      {"1 / x", function<F(1 / x)>(OF(1 / x), OF(-1 / (x * x)))},
      {"pow(x, 2.5)", function<F(pow(x, 2.5))>(OF(std::pow(x, 2.5L)), OF(2.5L * std::pow(x, 1.5L)))},
      {"pow(x, -3)", function<F(pow(x, -3))>(OF(std::pow(x, -3.L)), OF(-3 * std::pow(x, -4.L)))},
      {"pow(2.5, x)", function<F(pow(2.5, x))>(OF(std::pow(2.5L, x)), OF(std::log(2.5L) * std::pow(2.5L, x)))},
      {"atan2(x, -2)", function<F(atan2(x, -2)), false>(OF(std::atan2(x, -2.L)), OF(-2 / (x * x + 4)))},
      {"atan2(-2, x)", function<F(atan2(-2, x)), false>(OF(std::atan2(-2.L, x)), OF(2 / (x * x + 4)))},
      {"sin(x)", function<F(sin(x))>(OF(std::sin(x)), OF(std::cos(x)))},
      {"cos(x)", function<F(cos(x))>(OF(std::cos(x)), OF(-std::sin(x)))},
      {"tan(x)", function<F(tan(x))>(OF(std::tan(x)), OF(1 + std::tan(x) * std::tan(x)))},
      {"asin(x)", function<F(asin(x))>(OF(std::asin(x)), OF(1 / std::sqrt((1 - x) * (1 + x))))},
      {"acos(x)", function<F(acos(x))>(OF(std::acos(x)), OF(-1 / std::sqrt((1 - x) * (1 + x))))},
      {"atan(x)", function<F(atan(x))>(OF(std::atan(x)), OF(1 / (1 + x * x)))},
      {"sinh(x)", function<F(sinh(x))>(OF(std::sinh(x)), OF(std::cosh(x)))},
      {"cosh(x)", function<F(cosh(x))>(OF(std::cosh(x)), OF(std::sinh(x)))},
      {"tanh(x)", function<F(tanh(x))>(OF(std::tanh(x)), OF(1 / (std::cosh(x) * std::cosh(x))))},
      {"sigmoid(x)", function<F(sigmoid(x))>(sigmoid_of, OF(sigmoid_of(x) * sigmoid_of(-x)))},
      {"softplus(x)",
       function<F(softplus(x)), false>(OF(x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x))), sigmoid_of)},
      {"erf(x)", function<F(erf(x))>(OF(std::erf(x)), OF(2 / std::sqrt(pi) * std::exp(-x * x)))},
      {"erfc(x)", function<F(erfc(x))>(OF(std::erfc(x)), OF(-2 / std::sqrt(pi) * std::exp(-x * x)))},
      {"lgamma(x)", function<F(lgamma(x))>(lgamma_of, digamma_of)},
      {"digamma(x)", function<F(digamma(x))>(digamma_of, trigamma_of)},
  };
  return all;
}

/// So many units in the last place of the result or, where it is smaller, of `least`.
struct Bound {
  double units, least = 0;
};

struct Row {
  std::string function;
  double low, high;  // infinite and with NaN: every number
  Bound bounds[4];   // value and derivative of float32, of float64
};

/// "2", or "1 of 0.5".
Bound bound_of(const std::string& text) {
  const std::size_t of = text.find(" of ");
  return {std::stod(text), of == std::string::npos ? 0 : std::stod(text.substr(of + 4))};
}

std::vector<Row> rows() {
  std::vector<Row> table;
  std::ifstream in(XGRAD_TESTS_DIR "/../docs/accuracy.md");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("| `", 0) != 0) continue;
    std::vector<std::string> cells;
    std::istringstream text(line.substr(1));
    for (std::string cell; std::getline(text, cell, '|');) {
      const std::size_t begin = cell.find_first_not_of(" `"), end = cell.find_last_not_of(" `");
      cells.push_back(cell.substr(begin, end - begin + 1));
    }
    REQUIRE(cells.size() == 6);
    const std::size_t to = cells[1].find(" to ");
    Row row{cells[0], -inf, inf, {}};
    if (cells[1] != "all") row.low = std::stod(cells[1]), row.high = std::stod(cells[1].substr(to + 4));
    for (std::size_t i = 0; i < 4; ++i) row.bounds[i] = bound_of(cells[2 + i]);
    table.push_back(row);
  }
  return table;
}

/// Infinite where one is NaN or infinite and the other not, or the signs differ.
template <class T>
double units(T got, Real exact, double least) {
  const T want = static_cast<T>(exact);
  if (std::isnan(want)) return std::isnan(got) ? 0 : inf;
  if (got == want) return 0;
  if (std::isnan(got) || std::isinf(want) || std::isinf(got)) return inf;
  int exponent;
  std::frexp(std::max({std::fabs(want), std::numeric_limits<T>::min(), static_cast<T>(least)}), &exponent);
  return static_cast<double>(std::fabs(got - exact) / std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits));
}

/// Numbers of every binade of the range, of its length, and the neighbours of zeros, poles and ends.
template <class T>
std::vector<T> samples(double low, double high) {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x;
  const auto add = [&](T v) {
    if (!(v < low || v > high)) x.push_back(v);
  };
  const T points[] = {0,
                      T(-0.0),
                      1,
                      T(0.5),
                      T(1.5),
                      2,
                      3,
                      T(1.4616321449683623413),
                      T(0.50408300826445540926),
                      T(2.4570247382208005869),
                      T(2.7476826467274126919),
                      10,
                      100,
                      T(low),
                      T(high),
                      Limits::min()};
  std::vector<T> centres(std::begin(points), std::end(points));
  for (int k = 1; k <= 40; ++k) centres.push_back(static_cast<T>(k * pi / 2));
  for (const T center : centres)
    for (const T sign : {T(1), T(-1)}) {
      T up = sign * center, down = up;
      for (int i = 0; i < 4; ++i) {
        add(up), add(down);
        up = std::nextafter(up, T(inf)), down = std::nextafter(down, T(-inf));
      }
    }
  if (std::isinf(low)) x.insert(x.end(), {T(inf), T(-inf), T(NaN), Limits::max(), Limits::lowest()});
  std::uint64_t state = 1;
  const auto random = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<Real>(state >> 11) * 0x1p-53L;
  };
  const Real bottom = std::log(static_cast<Real>(Limits::denorm_min())),
             top = std::log(static_cast<Real>(Limits::max()));
  const Real from = std::max<Real>(low, -1000), length = std::min<Real>(high, 1000) - from;
  for (int i = 0; i < 4000; ++i) {
    const T size = static_cast<T>(std::exp(bottom + random() * (top - bottom)));
    add(size), add(-size);
    add(static_cast<T>(from + random() * length));
    add(static_cast<T>(10 * random() - 5));
  }
  return x;
}

template <class T>
void hold(const Row& row, const char* what, const Bound& bound, const std::vector<T>& x, const std::vector<Real>& want,
          const T* got) {
  std::size_t worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (units(got[i], want[i], bound.least) > units(got[worst], want[worst], bound.least)) worst = i;
  INFO(row.function << ", " << what << (sizeof(T) == 4 ? " of float32 " : " of float64 ") << x[worst] << " is "
                    << got[worst] << ", should be " << want[worst]);
  CHECK(units(got[worst], want[worst], bound.least) <= bound.units);
}

template <class T>
void hold(const Row& row, const Function& f, Loop<T> loop, const Bound& value_bound, const Bound& slope_bound) {
  const std::vector<T> x = samples<T>(row.low, row.high);
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<Real> values, slopes;
  for (const T v : x) values.push_back(f.value(v)), slopes.push_back(f.slope(v));
  for (int l = 0; l <= static_cast<int>(simd_level()); ++l) {
    const auto level = static_cast<SimdLevel>(l);
    std::vector<T> value(x.size()), slope(x.size());
    loop(level, n, x.data(), value.data(), slope.data());
    CAPTURE(name(level));
    hold(row, "value", value_bound, x, values, value.data());
    hold(row, "derivative", slope_bound, x, slopes, slope.data());
  }
  if (!f.op) return;
  for (const bool recorded : {false, true}) {
    const Tensor in = from_values<T>(x, {n}, true), y = f.op(in);
    const Tensor gradient = grad(y, {in}, {.create_graph = recorded, .grad_outputs = {ones_like(y)}})[0];
    CAPTURE(recorded);
    hold(row, "value of a tensor", value_bound, x, values, y.data<T>());
    hold(row, "gradient of a tensor", slope_bound, x, slopes, gradient.data<T>());
  }
}

}  // namespace

TEST_CASE("accuracy: the bounds of docs/accuracy.md hold at every instruction set") {
  std::map<std::string, int> seen;
  for (const Row& row : rows()) {
    CAPTURE(row.function);
    const auto found = functions().find(row.function);
    REQUIRE(found != functions().end());
    ++seen[row.function];
    hold<float>(row, found->second, found->second.floats, row.bounds[0], row.bounds[1]);
    hold<double>(row, found->second, found->second.doubles, row.bounds[2], row.bounds[3]);
  }
  CHECK(seen.size() == functions().size());
}

TEST_CASE("accuracy: pow of every kind of base and exponent") {
  const auto check = [](auto x, auto y) {
    using T = decltype(x);
    const T got = m::pow(x, y), want = static_cast<T>(std::pow(static_cast<Real>(x), static_cast<Real>(y)));
    CAPTURE(x, y, got, want);
    CHECK(units(got, std::pow(static_cast<Real>(x), static_cast<Real>(y)), 0) <= 1);
    if (!std::isnan(want)) CHECK(std::signbit(got) == std::signbit(want));
  };
  const double exponents[] = {0,      1,      2,          3,          -1,      -7,       0.5,       2.5,      1e10,
                              -inf,   inf,    NaN,        8388607.5,  8388609, 16777215, 16777216,  16777218, 50331668,
                              0x1p48, 0x1p53, 0x1p53 - 1, 0x1p53 + 2, 0x1p63,  1e300,    -16777217, -16777218};
  for (const double x : {-1.0, -3.5, 0.0, -0.0, 1.0, 2.0, inf, -inf, NaN, -0.999999, 1e-30, -1e30})
    for (const double y : exponents) check(x, y), check(static_cast<float>(x), static_cast<float>(y));
}

TEST_CASE("accuracy: digamma and polygamma beside their poles") {
  for (const double step : {1e-3, 1e-9, 1e-12, 1e-15, 1e-18, 1e-100})
    for (const double pole : {0.0, -1.0, -2.0, -7.0, -100.0})
      for (const double sign : {1.0, -1.0}) {
        const double x = pole + sign * step;
        if (x == pole) continue;
        CAPTURE(x);
        CHECK(units(m::digamma(x), digamma_of(x), 0) <= 8);
        CHECK(units(m::polygamma(1, x), trigamma_of(x), 0) <= 8);
        const Real off = x - static_cast<Real>(pole);
        if (step < 1e-6) CHECK(m::polygamma(3, x) == Approx(static_cast<double>(6 / (off * off * off * off))));
      }
}
