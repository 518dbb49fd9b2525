#include <xgrad/kernels/dual.hpp>

#include <cmath>
#include <limits>
#include <type_traits>

#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using D1 = dual<double, 1>;
using D2 = dual<double, 2>;

// The derivative carried by a dual against the difference quotient of the values.
template <class F>
void differentiates(const char* name, F f, std::initializer_list<double> points) {
  for (double x : points) {
    INFO(name << " at " << x);
    const double h = 1e-6 * std::max(1.0, std::fabs(x));
    const D1 y = f(D1{x, {1.0}});
    const double slope = (f(real<double>{x + h}).v - f(real<double>{x - h}).v) / (2 * h);
    CHECK(y.v == f(real<double>{x}).v);
    CHECK(y.d[0] == Approx(slope).epsilon(1e-7).margin(1e-8));
    const auto single = f(dual<float, 1>{static_cast<float>(x), {1.0f}});
    CHECK(single.d[0] ==
          Approx(f(D1{static_cast<double>(static_cast<float>(x)), {1.0}}).d[0]).epsilon(1e-4).margin(1e-6));
  }
}
#define DIFFERENTIATES(expression, ...) differentiates(#expression, [](auto x) { return expression; }, {__VA_ARGS__})

template <class F>
double slope(F f, double x) {
  return f(D1{x, {1.0}}).d[0];
}
#define SLOPE(expression, at) slope([](auto x) { return expression; }, at)

}  // namespace

TEST_CASE("duals: constants take the type of the dual") {
  const real<float> x{0.1f};
  static_assert(std::is_same_v<decltype(0.5 * x), real<float>>);
  static_assert(std::is_same_v<decltype(1 - x), real<float>>);
  static_assert(std::is_same_v<decltype(where(x < 1, 1.0, 0)), real<float>>);
  static_assert(std::is_same_v<decltype(pow(2, x)), real<float>>);
  CHECK((0.1 * x).v == 0.1f * 0.1f);
  CHECK((x + 0.1).v == 0.1f + 0.1f);
  CHECK((1 / x).v == 1 / 0.1f);
}

TEST_CASE("duals: comparisons and selection") {
  const real<double> a{1}, b{2};
  CHECK((a < b).v);
  CHECK((2 <= b).v);
  CHECK((a != 2).v);
  CHECK((a < b && !(a == b)).v);
  CHECK_FALSE((a > b || a >= 1.5).v);
  CHECK(where(a < b, a, 7).v == 1);
  CHECK(where(a > b, 5, b).v == 2);
  CHECK(SLOPE(where(x < 1, 0.5 * x * x, x - 0.5), 0.25) == 0.25);
  CHECK(SLOPE(where(x < 1, 0.5 * x * x, x - 0.5), 2.0) == 1);
}

TEST_CASE("duals: derivatives agree with difference quotients") {
  DIFFERENTIATES(+x, -1.5, 2.0);
  DIFFERENTIATES(-x, -1.5, 2.0);
  DIFFERENTIATES(x + x * 3, -1.5, 2.0);
  DIFFERENTIATES(2 - x * x, -1.5, 2.0);
  DIFFERENTIATES((x - 1) / (x + 5), -1.5, 2.0);
  DIFFERENTIATES(3 / x + x / 4, -1.5, 2.0);
  DIFFERENTIATES(exp(x), -3.0, 0.0, 2.5);
  DIFFERENTIATES(expm1(x), -3.0, 0.0, 2.5);
  DIFFERENTIATES(log(x), 0.3, 1.0, 20.0);
  DIFFERENTIATES(log1p(x), -0.7, 0.0, 20.0);
  DIFFERENTIATES(sqrt(x), 0.3, 1.0, 20.0);
  DIFFERENTIATES(rsqrt(x), 0.3, 1.0, 20.0);
  DIFFERENTIATES(square(x), -2.0, 0.0, 3.0);
  DIFFERENTIATES(sin(x), -4.0, -1.0, 0.0, 2.0, 5.0);
  DIFFERENTIATES(cos(x), -4.0, -1.0, 0.0, 2.0, 5.0);
  DIFFERENTIATES(tan(x), -1.0, 0.0, 1.2);
  DIFFERENTIATES(asin(x), -0.9, 0.0, 0.3);
  DIFFERENTIATES(acos(x), -0.9, 0.0, 0.3);
  DIFFERENTIATES(atan(x), -4.0, 0.0, 0.7);
  DIFFERENTIATES(sinh(x), -2.0, 0.0, 0.7);
  DIFFERENTIATES(cosh(x), -2.0, 0.0, 0.7);
  DIFFERENTIATES(tanh(x), -2.0, 0.0, 0.7);
  DIFFERENTIATES(sigmoid(x), -2.0, 0.0, 0.7);
  DIFFERENTIATES(softplus(x), -2.0, 0.0, 0.7);
  DIFFERENTIATES(erf(x), -2.0, 0.0, 0.7);
  DIFFERENTIATES(erfc(x), -2.0, 0.0, 0.7);
  DIFFERENTIATES(lgamma(x), -0.5, 0.3, 4.5);
  DIFFERENTIATES(abs(x), -2.0, 3.0);
  DIFFERENTIATES(relu(x), -2.0, 3.0);
  DIFFERENTIATES(sign(x) + floor(x), -2.5, 3.5);
  DIFFERENTIATES(clamp(x, -1, 1), -2.5, 0.5, 3.5);
  DIFFERENTIATES(maximum(x, 1) * min(x, 2), -2.5, 1.5, 3.5);
  DIFFERENTIATES(minimum(1, x) + max(2.5, x), -2.5, 1.5, 3.5);
  DIFFERENTIATES(atan2(x, 2) + atan2(-1, x), -2.5, 1.5, 3.5);
  DIFFERENTIATES(pow(x, 2) + pow(x, 3) + pow(x, -1) + pow(x, 0) + pow(x, 1), -2.5, 1.5);
  DIFFERENTIATES(pow(x, 2.7) + pow(1.5, x) + pow(x, x), 0.4, 1.5);
  DIFFERENTIATES(x * tanh(log1p(exp(x))), -3.0, 0.0, 2.0);
}

TEST_CASE("duals: each variable has its own derivative") {
  const D2 x{3.0, {1.0, 0.0}}, y{4.0, {0.0, 1.0}};
  const D2 r = sqrt(x * x + y * y);
  CHECK(r.v == 5);
  CHECK(r.d[0] == Approx(0.6));
  CHECK(r.d[1] == Approx(0.8));
  D2 z = x / y;
  z += 2 * y;
  CHECK(z.d[0] == 0.25);
  CHECK(z.d[1] == Approx(2 - 3.0 / 16));
  const D2 p = pow(x, y), a = atan2(y, x);
  CHECK(p.d[0] == Approx(4 * 27));
  CHECK(p.d[1] == Approx(81 * std::log(3)));
  CHECK(a.d[0] == Approx(-4.0 / 25));
  CHECK(a.d[1] == Approx(3.0 / 25));
}

TEST_CASE("duals: derivatives at kinks are PyTorch's") {
  CHECK(SLOPE(abs(x), 0.0) == 0);
  CHECK(SLOPE(relu(x), 0.0) == 0);
  CHECK(SLOPE(sign(x), 2.0) == 0);
  CHECK(SLOPE(clamp(x, -1, 1), 1.0) == 1);
  CHECK(SLOPE(clamp(x, -1, 1), -1.0) == 1);
  CHECK(SLOPE(clamp(x, -1, 1), 1.0001) == 0);
  CHECK(SLOPE(maximum(x, 1), 1.0) == 0.5);
  CHECK(SLOPE(minimum(x, 1), 1.0) == 0.5);
  CHECK(SLOPE(maximum(x, x), 1.0) == 1);
}

TEST_CASE("duals: derivatives at poles are PyTorch's") {
  CHECK(SLOPE(sqrt(x), 0.0) == infinity);
  CHECK(SLOPE(log(x), 0.0) == infinity);
  CHECK(SLOPE(pow(x, 0), 0.0) == 0);
  CHECK(SLOPE(pow(x, 1), 0.0) == 1);
  CHECK(SLOPE(pow(x, 2), 0.0) == 0);
  CHECK(SLOPE(pow(x, 1.5), 0.0) == 0);
  CHECK(SLOPE(pow(x, 0.5), 0.0) == infinity);
  CHECK(SLOPE(pow(0, x), 0.0) == 0);
  CHECK(SLOPE(pow(0, x), 2.0) == 0);
  CHECK(std::isnan(SLOPE(log(x), std::nan(""))));
}

TEST_CASE("duals: a variable that does not take part keeps derivative zero at a pole") {
  const D2 zero{0.0, {1.0, 0.0}}, y{2.0, {0.0, 1.0}};
  CHECK((sqrt(zero) * y).d[1] == 0);
  CHECK((log(zero) + y).d[1] == 1);
  CHECK((y / zero).d[1] == infinity);
  CHECK(SLOPE(sqrt(relu(x)), -1.0) == 0);
  CHECK(SLOPE(where(x > 0, sqrt(x), 0), -1.0) == 0);
}

TEST_CASE("duals: NaN passes through selections") {
  const D2 not_a_number{std::nan(""), {1, 0}}, other{1, {0, 1}};
  for (const D2& y : {maximum(not_a_number, other), minimum(not_a_number, other), maximum(other, not_a_number)}) {
    CHECK(std::isnan(y.v));
    CHECK((y.d[0] == 1 && y.d[1] == 1));  // both, as of tensors
  }
  CHECK(std::isnan(clamp(real<double>{0.5}, std::nan(""), 1).v));
  const real<float> nan{std::nanf("")}, one{1.0f};
  CHECK(std::isnan(maximum(nan, one).v));
  CHECK(std::isnan(maximum(one, nan).v));
  CHECK(std::isnan(minimum(nan, one).v));
  CHECK(std::isnan(minimum(one, nan).v));
  CHECK(std::isnan(clamp(nan, 0, 1).v));
  CHECK(std::isnan(relu(nan).v));
}
