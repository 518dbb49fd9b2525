#include "incomplete.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "elementary.hpp"
#include "special.hpp"

namespace xgrad::elementary {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr double tiny = 1e-300;
constexpr int most_steps = 200000;

/// A number with its derivatives by one or two parameters.
template <int N>
struct Varying {
  double v;
  double d[N];
};
template <int N>
Varying<N> constant(double v) {
  return {v, {}};
}
template <int N>
Varying<N> operator+(const Varying<N>& a, const Varying<N>& b) {
  Varying<N> y{a.v + b.v, {}};
  for (int i = 0; i < N; ++i) y.d[i] = a.d[i] + b.d[i];
  return y;
}
template <int N>
Varying<N> operator*(const Varying<N>& a, const Varying<N>& b) {
  Varying<N> y{a.v * b.v, {}};
  for (int i = 0; i < N; ++i) y.d[i] = a.d[i] * b.v + a.v * b.d[i];
  return y;
}
template <int N>
Varying<N> operator/(const Varying<N>& a, const Varying<N>& b) {
  Varying<N> y{a.v / b.v, {}};
  for (int i = 0; i < N; ++i) y.d[i] = (a.d[i] - y.v * b.d[i]) / b.v;
  return y;
}
template <int N>
Varying<N> operator+(double a, const Varying<N>& b) {
  Varying<N> y = b;
  y.v += a;
  return y;
}
template <int N>
Varying<N> operator*(double a, const Varying<N>& b) {
  Varying<N> y{a * b.v, {}};
  for (int i = 0; i < N; ++i) y.d[i] = a * b.d[i];
  return y;
}

template <int N>
bool negligible(const Varying<N>& change, const Varying<N>& total) {
  bool small = std::abs(change.v) <= 1e-17 * std::abs(total.v);
  for (int i = 0; i < N; ++i) small = small && std::abs(change.d[i]) <= 1e-16 * std::abs(total.d[i]) + 1e-300;
  return small;
}

/// The continued fraction first + a(1) / (b(1) + a(2) / (b(2) + ...)), by Lentz's method as Thompson and Barnett have
/// it; parts(k) gives {a(k), b(k)}.
template <int N, class Parts>
Varying<N> continued_fraction(const Varying<N>& first, Parts parts) {
  Varying<N> f = first, c = first, d = constant<N>(0);
  for (int k = 1; k < most_steps; ++k) {
    const auto [a, b] = parts(k);
    d = b + a * d;
    if (d.v == 0) d.v = tiny;
    d = constant<N>(1) / d;
    c = b + a / c;
    if (c.v == 0) c.v = tiny;
    const Varying<N> delta = c * d, before = f;
    f = f * delta;
    if (negligible(f + -1 * before, 8 * f)) break;
  }
  return f;
}

/// log(1 + x) - x, without cancellation.
double log1p_less_x(double x) {
  if (std::abs(x) > 0.4) return std::log1p(x) - x;
  const double s = x / (2 + x), z = s * s;  // log1p(x) = 2 atanh(s), and x - 2 s = x s
  double sum = 0, power = s * z;
  for (int k = 3; std::abs(power) > 1e-18 * std::abs(sum); k += 2, power *= z) sum += power / k;
  return 2 * sum - x * s;
}

/// x^a e^-x / gamma(a + 1).
double gamma_density(double a, double x) {
  if (x == 0) return a == 0 ? 1 : 0;
  if (a < 10) return std::exp(a * std::log(x) - x - lgamma(a + 1));
  return std::exp(a * log1p_less_x((x - a) / a) - stirling_rest(a)) / std::sqrt(2 * std::numbers::pi * a);
}

bool by_series(double a, double x) { return x < a + 1; }

/// P(a, x) / gamma_density(a, x), the sum of x^k / ((a + 1) ... (a + k)), with its derivative by a.
Varying<1> gamma_series(double a, double x) {
  Varying<1> term{1, {0}}, sum = term;
  for (int k = 1; k < most_steps; ++k) {
    term = term * (constant<1>(x) / Varying<1>{a + k, {1}});
    sum = sum + term;
    if (negligible(term, sum)) break;
  }
  return sum;
}

/// Q(a, x) gamma(a) e^x / x^a, with its derivative by a.
Varying<1> gamma_fraction(double a, double x) {
  return constant<1>(1) / continued_fraction<1>({x + 1 - a, {-1}}, [=](int k) {
           return std::pair(Varying<1>{k * (a - k), {double(k)}}, Varying<1>{x + 2 * k + 1 - a, {-1}});
         });
}

/// P, or Q, where the other is not small.
template <bool upper>
double incomplete_gamma(double a, double x) {
  if (!(a >= 0) || !(x >= 0) || (a == infinity && x == infinity)) return nan;
  if (x == 0 || a == infinity) return upper ? 1 : 0;
  if (a == 0 || x == infinity) return upper ? 0 : 1;
  const bool lower = by_series(a, x);
  const double density = gamma_density(a, x);
  const double found = density == 0 ? 0 : lower ? density * gamma_series(a, x).v : density * a * gamma_fraction(a, x).v;
  return lower != upper ? found : 1 - found;
}

/// log(x^a rest^b / beta(a, b)).
double log_beta_density(double a, double b, double x, double rest) {
  if (a < 10 || b < 10) return a * std::log(x) + b * std::log(rest) - betaln(a, b);
  const double n = a + b, off_a = (x * b - rest * a) / a, off_b = -(x * b - rest * a) / b;  // n x / a - 1
  return a * log1p_less_x(off_a) + b * log1p_less_x(off_b) + stirling_rest(n) - stirling_rest(a) - stirling_rest(b) +
         0.5 * std::log(a / n * b / (2 * std::numbers::pi));
}

/// I(a, b, x) a beta(a, b) / (x^a (1-x)^b) for x < (a + 1) / (a + b + 2), with its derivatives by a and b.
Varying<2> beta_fraction(double a, double b, double x) {
  const Varying<2> va{a, {1, 0}}, vb{b, {0, 1}};
  return constant<2>(1) / continued_fraction<2>(constant<2>(1), [&](int k) {
           const double m = k / 2;
           const Varying<2> twice = 2 * m + va;
           const Varying<2> part = k % 2 == 0 ? x * m * (-m + vb) / ((-1 + twice) * twice)
                                              : -x * (m + va) * (m + (va + vb)) / (twice * (1 + twice));
           return std::pair(part, constant<2>(1));
         });
}

bool beta_is_lower(double a, double b, double x) { return x < (a + 1) / (a + b + 2); }

/// beta_sample_slopes where beta_is_lower. As of gamma variables, the density cancels.
std::pair<double, double> lower_beta_slopes(double a, double b, double x, double rest) {
  const Varying<2> h = beta_fraction(a, b, x);
  const double of_sum = digamma(a + b), scale = -x * rest / a;
  return {scale * (h.v * (std::log(x) - 1 / a - digamma(a) + of_sum) + h.d[0]),
          scale * (h.v * (std::log(rest) - digamma(b) + of_sum) + h.d[1])};
}

}  // namespace

double gammainc(double a, double x) { return incomplete_gamma<false>(a, x); }
double gammaincc(double a, double x) { return incomplete_gamma<true>(a, x); }

double gamma_sample_slope(double a, double x) {
  if (!(a > 0) || !(x >= 0) || std::isinf(a) || std::isinf(x)) return nan;
  if (x == 0) return 0;
  // -(dP/da) / (dP/dx): the density cancels.
  if (by_series(a, x)) {
    const Varying<1> s = gamma_series(a, x);
    return -(s.v * (std::log(x) - digamma(a + 1)) + s.d[0]) * x / a;
  }
  const Varying<1> q = gamma_fraction(a, x);
  return (q.v * (std::log(x) - digamma(a)) + q.d[0]) * x;
}

double betainc(double a, double b, double x, double rest) {
  if (!(a > 0) || !(b > 0) || !(x >= 0) || !(rest >= 0) || std::isinf(a) || std::isinf(b)) return nan;
  if (x == 0) return 0;
  if (rest == 0) return 1;
  if (!beta_is_lower(a, b, x)) {
    const double upper = std::exp(log_beta_density(b, a, rest, x)) / b * beta_fraction(b, a, rest).v;
    return 1 - upper;
  }
  return std::exp(log_beta_density(a, b, x, rest)) / a * beta_fraction(a, b, x).v;
}

std::pair<double, double> beta_sample_slopes(double a, double b, double x, double rest) {
  if (!(a > 0) || !(b > 0) || !(x >= 0) || !(rest >= 0)) return {nan, nan};
  if (x == 0 || rest == 0) return {0, 0};
  if (beta_is_lower(a, b, x)) return lower_beta_slopes(a, b, x, rest);
  const auto [by_b, by_a] = lower_beta_slopes(b, a, rest, x);
  return {-by_a, -by_b};
}

}  // namespace xgrad::elementary
