#include "incomplete.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include "elementary.hpp"
#include "special.hpp"

namespace xgrad::elementary {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr double tiny = 1e-300;
constexpr int most_steps = 200000;

/// A number with its derivatives by one or two parameters, of the first order or of the second too.
template <int N, int order = 1>
struct Varying {
  static constexpr int pairs = order == 2 ? N * (N + 1) / 2 : 0;
  double v;
  std::array<double, N> d = {};
  std::array<double, pairs> h = {};  // by (0, 0), (0, 1), (1, 1)
};
/// f(k, i, j) for the second derivative k, which is that by i and j.
template <class V, class F>
void each_pair(const F& f) {
  if constexpr (V::pairs > 0) f(0, 0, 0);
  if constexpr (V::pairs > 1) f(1, 0, 1), f(2, 1, 1);
}
template <int N, int order>
Varying<N, order> operator+(const Varying<N, order>& a, const Varying<N, order>& b) {
  Varying<N, order> y{a.v + b.v};
  for (std::size_t i = 0; i < y.d.size(); ++i) y.d[i] = a.d[i] + b.d[i];
  for (std::size_t k = 0; k < y.h.size(); ++k) y.h[k] = a.h[k] + b.h[k];
  return y;
}
template <int N, int order>
Varying<N, order> operator*(const Varying<N, order>& a, const Varying<N, order>& b) {
  Varying<N, order> y{a.v * b.v};
  for (std::size_t i = 0; i < y.d.size(); ++i) y.d[i] = a.d[i] * b.v + a.v * b.d[i];
  each_pair<Varying<N, order>>([&](std::size_t k, std::size_t i, std::size_t j) {
    y.h[k] = a.h[k] * b.v + a.d[i] * b.d[j] + a.d[j] * b.d[i] + a.v * b.h[k];
  });
  return y;
}
template <int N, int order>
Varying<N, order> operator/(const Varying<N, order>& a, const Varying<N, order>& b) {
  Varying<N, order> y{a.v / b.v};
  for (std::size_t i = 0; i < y.d.size(); ++i) y.d[i] = (a.d[i] - y.v * b.d[i]) / b.v;
  each_pair<Varying<N, order>>([&](std::size_t k, std::size_t i, std::size_t j) {
    y.h[k] = (a.h[k] - y.d[i] * b.d[j] - y.d[j] * b.d[i] - y.v * b.h[k]) / b.v;
  });
  return y;
}
template <int N, int order>
Varying<N, order> operator+(double a, const Varying<N, order>& b) {
  Varying<N, order> y = b;
  y.v += a;
  return y;
}
template <int N, int order>
Varying<N, order> operator*(double a, const Varying<N, order>& b) {
  return Varying<N, order>{a} * b;
}

template <int N, int order>
bool negligible(const Varying<N, order>& change, const Varying<N, order>& total) {
  bool small = std::abs(change.v) <= 1e-17 * std::abs(total.v);
  const auto compare = [&](double part, double whole) {
    small = small && std::abs(part) <= 1e-16 * std::abs(whole) + 1e-300;
  };
  for (std::size_t i = 0; i < total.d.size(); ++i) compare(change.d[i], total.d[i]);
  for (std::size_t k = 0; k < total.h.size(); ++k) compare(change.h[k], total.h[k]);
  return small;
}

/// The continued fraction first + a(1) / (b(1) + a(2) / (b(2) + ...)), by Lentz's method as Thompson and Barnett have
/// it; parts(k) gives {a(k), b(k)}.
template <class V, class Parts>
V continued_fraction(const V& first, Parts parts) {
  V f = first, c = first, d{0};
  for (int k = 1; k < most_steps; ++k) {
    const auto [a, b] = parts(k);
    d = b + a * d;
    if (d.v == 0) d.v = tiny;
    d = V{1} / d;
    c = b + a / c;
    if (c.v == 0) c.v = tiny;
    const V delta = c * d, before = f;
    f = f * delta;
    if (negligible(f + -1 * before, 8 * f)) break;
  }
  return f;
}

/// log(1 + x) - x, without cancellation; `ratio` is 1 + x, which may be small.
double log_less(double ratio, double x) {
  if (x < -0.4) return std::log(ratio) - x;
  if (x > 0.4) return std::log1p(x) - x;
  const double s = x / (2 + x), z = s * s;  // log1p(x) = 2 atanh(s), and x - 2 s = x s
  double sum = 0, power = s * z;
  for (int k = 3; std::abs(power) > 1e-18 * std::abs(sum); k += 2, power *= z) sum += power / k;
  return 2 * sum - x * s;
}

/// x^a e^-x / gamma(a + 1).
double gamma_term(double a, double x) {
  if (x == 0) return a == 0 ? 1 : 0;
  if (a < 10) return std::exp(a * std::log(x) - x - lgamma(a + 1));
  return std::exp(a * log_less(x / a, (x - a) / a) - stirling_rest(a)) / std::sqrt(2 * std::numbers::pi * a);
}

bool by_series(double a, double x) { return x < a + 1; }

/// P(a, x) / gamma_term(a, x), the sum of x^k / ((a + 1) ... (a + k)), with its derivatives by a.
template <int order>
Varying<1, order> gamma_series(double a, double x) {
  using V = Varying<1, order>;
  V term{1}, sum = term;
  for (int k = 1; k < most_steps; ++k) {
    term = term * (V{x} / V{a + k, {1}});
    sum = sum + term;
    if (negligible(term, sum)) break;
  }
  return sum;
}

/// Q(a, x) gamma(a) e^x / x^a, with its derivatives by a.
template <int order>
Varying<1, order> gamma_fraction(double a, double x) {
  using V = Varying<1, order>;
  return V{1} / continued_fraction(V{x + 1 - a, {-1}}, [=](int k) {
           return std::pair(V{k * (a - k), {double(k)}}, V{x + 2 * k + 1 - a, {-1}});
         });
}

/// P, or Q, where the other is not small.
template <bool upper>
double incomplete_gamma(double a, double x) {
  if (!(a >= 0) || !(x >= 0) || (a == infinity && x == infinity)) return nan;
  if (x == 0 || a == infinity) return upper ? 1 : 0;
  if (a == 0 || x == infinity) return upper ? 0 : 1;
  const bool lower = by_series(a, x);
  const double density = gamma_term(a, x);
  const double found = density == 0 ? 0
                       : lower      ? density * gamma_series<1>(a, x).v
                                    : density * a * gamma_fraction<1>(a, x).v;
  return lower != upper ? found : 1 - found;
}

/// log(x^a rest^b / beta(a, b)).
double log_beta_density(double a, double b, double x, double rest) {
  if (a < 10 || b < 10) return a * std::log(x) + b * std::log(rest) - betaln(a, b);
  const double n = a + b, off_a = (x * b - rest * a) / a, off_b = -(x * b - rest * a) / b;  // n x / a - 1
  return a * log_less(n / a * x, off_a) + b * log_less(n / b * rest, off_b) + stirling_rest(n) - stirling_rest(a) -
         stirling_rest(b) + 0.5 * std::log(a / n * b / (2 * std::numbers::pi));
}

/// I(a, b, x) a beta(a, b) / (x^a (1-x)^b) for x < (a + 1) / (a + b + 2), with its derivatives by a and b.
template <int order>
Varying<2, order> beta_fraction(double a, double b, double x) {
  using V = Varying<2, order>;
  const V va{a, {1, 0}}, vb{b, {0, 1}};
  return V{1} / continued_fraction(V{1}, [&](int k) {
           const double m = k / 2;
           const V twice = 2 * m + va;
           const V part = k % 2 == 0 ? x * m * (-m + vb) / ((-1 + twice) * twice)
                                     : -x * (m + va) * (m + (va + vb)) / (twice * (1 + twice));
           return std::pair(part, V{1});
         });
}

bool beta_is_lower(double a, double b, double x) { return x < (a + 1) / (a + b + 2); }

/// beta_sample_slopes where beta_is_lower. As of gamma variables, the density cancels.
std::pair<double, double> lower_beta_slopes(double a, double b, double x, double rest) {
  const Varying<2> h = beta_fraction<1>(a, b, x);
  const double of_sum = digamma(a + b), scale = -x * rest / a;
  return {scale * (h.v * (std::log(x) - 1 / a - digamma(a) + of_sum) + h.d[0]),
          scale * (h.v * (std::log(rest) - digamma(b) + of_sum) + h.d[1])};
}

/// A derivative of scale * y by parameters; `slope` and `curvature` are the derivatives of log(scale).
template <int N>
double scaled_derivative(double scale, const Varying<N, 2>& y, const std::array<double, N>& slope,
                         const std::array<double, Varying<N, 2>::pairs>& curvature, std::span<const int> by) {
  const auto i = static_cast<std::size_t>(by[0]), j = static_cast<std::size_t>(by.back());
  if (scale == 0) return 0;
  if (by.size() == 1) return scale * (y.d[i] + slope[i] * y.v);
  const std::size_t k = i + j;
  return scale * (y.h[k] + slope[i] * y.d[j] + slope[j] * y.d[i] + (curvature[k] + slope[i] * slope[j]) * y.v);
}

double lower_beta_derivative(double a, double b, double x, double rest, std::span<const int> by) {
  const double of_sum = digamma(a + b), of_sum_again = polygamma(1, a + b);
  return scaled_derivative<2>(
      std::exp(log_beta_density(a, b, x, rest)) / a, beta_fraction<2>(a, b, x),
      {std::log(x) - digamma(a) + of_sum - 1 / a, std::log(rest) - digamma(b) + of_sum},
      {1 / (a * a) - polygamma(1, a) + of_sum_again, of_sum_again, of_sum_again - polygamma(1, b)}, by);
}

/// The u in [low, high] where an increasing function, which gives its value and its derivative, is 0: Newton's method
/// between the nearest places that are known to lie on the two sides.
template <class F>
double increasing_root(double low, double high, double u, const F& f) {
  for (int i = 0; i < 200 && high - low > 2e-16 * std::abs(u); ++i) {
    const auto [value, slope] = f(u);
    if (value == 0) break;
    (value < 0 ? low : high) = u;
    const double next = u - value / slope;
    const double before = u;
    u = next > low && next < high ? next : 0.5 * (low + high);
    if (std::abs(u - before) <= 4e-16 * std::max(1.0, std::abs(u))) break;
  }
  return u;
}

/// The smallest of 0, 1, ..., most for which `reached`, false and then true, holds; `near` is where it may be.
template <class F>
double smallest_count(double near, double most, const F& reached) {
  double low = near, high = near, step = 1;  // (low, high] has it
  if (reached(near))
    for (low = near - 1; low >= 0 && reached(low); step *= 2) high = low, low = std::max(low - step, -1.0);
  else
    for (high = near + 1; high < most && !reached(high); step *= 2) low = high, high = std::min(high + step, most);
  while (high - low > 1) {
    const double middle = std::floor(low + (high - low) / 2);
    (reached(middle) ? high : low) = middle;
  }
  return high;
}

/// For p < 0.5 log(share / p) of the share below a point, else -log(share / (1 - p)) of that above it.
double log_ratio(double p, double share) {
  return p < 0.5 ? std::log(share) - std::log(p) : std::log1p(-p) - std::log(share);
}

}  // namespace

double gammainc(double a, double x) { return incomplete_gamma<false>(a, x); }
double gammaincc(double a, double x) { return incomplete_gamma<true>(a, x); }

double gamma_density(double a, double x) {
  if (x == 0) return a == 1 ? 1 : a < 1 ? infinity : 0;
  return a / x * gamma_term(a, x);
}

double gammainc_by_a(int order, double a, double x) {
  if (!(a > 0) || !(x >= 0)) return nan;
  if (x == 0 || a == infinity || x == infinity) return 0;
  constexpr int by[] = {0, 0};
  const std::span<const int> times(by, static_cast<std::size_t>(order));
  if (by_series(a, x))
    return scaled_derivative<1>(gamma_term(a, x), gamma_series<2>(a, x), {std::log(x) - digamma(a + 1)},
                                {-polygamma(1, a + 1)}, times);
  return -scaled_derivative<1>(a * gamma_term(a, x), gamma_fraction<2>(a, x), {std::log(x) - digamma(a)},
                               {-polygamma(1, a)}, times);
}

double gammaincinv(double a, double p) {
  if (!(a > 0) || std::isinf(a) || !(p >= 0) || !(p <= 1)) return nan;
  if (p == 0 || p == 1) return p == 0 ? 0 : infinity;
  // The first term of the series bounds x from below; far above, Q falls faster than e^-x / 2.
  const double low = (std::log(p) + lgamma(a + 1)) / a, high = std::log(4 * a + 800);
  if (low < -745) return 0;
  const double u =
      increasing_root(low - 1e-12 * std::abs(low), high, std::clamp(std::log(a), low, high), [=](double at) {
        const double x = std::exp(at), share = p < 0.5 ? gammainc(a, x) : gammaincc(a, x);
        return std::pair(log_ratio(p, share), a * gamma_term(a, x) / share);
      });
  return std::exp(u);
}

double gamma_sample_slope(double a, double x) {
  if (!(a > 0) || !(x >= 0) || std::isinf(a) || std::isinf(x)) return nan;
  if (x == 0) return 0;
  // -(dP/da) / (dP/dx): the density cancels.
  if (by_series(a, x)) {
    const Varying<1> s = gamma_series<1>(a, x);
    return -(s.v * (std::log(x) - digamma(a + 1)) + s.d[0]) * x / a;
  }
  const Varying<1> q = gamma_fraction<1>(a, x);
  return (q.v * (std::log(x) - digamma(a)) + q.d[0]) * x;
}

double betainc(double a, double b, double x, double rest) {
  if (!(a > 0) || !(b > 0) || !(x >= 0) || !(rest >= 0) || std::isinf(a) || std::isinf(b)) return nan;
  if (x == 0) return 0;
  if (rest == 0) return 1;
  if (!beta_is_lower(a, b, x)) {
    const double upper = std::exp(log_beta_density(b, a, rest, x)) / b * beta_fraction<1>(b, a, rest).v;
    return 1 - upper;
  }
  return std::exp(log_beta_density(a, b, x, rest)) / a * beta_fraction<1>(a, b, x).v;
}

double betainc_by(int by_a, int by_b, double a, double b, double x, double rest) {
  if (!(a > 0) || !(b > 0) || !(x >= 0) || !(rest >= 0) || std::isinf(a) || std::isinf(b)) return nan;
  if (x == 0 || rest == 0) return 0;
  int by[2], count = 0;
  const bool lower = beta_is_lower(a, b, x);
  for (int i = 0; i < by_a; ++i) by[count++] = lower ? 0 : 1;
  for (int i = 0; i < by_b; ++i) by[count++] = lower ? 1 : 0;
  const std::span<const int> times(by, static_cast<std::size_t>(count));
  return lower ? lower_beta_derivative(a, b, x, rest, times) : -lower_beta_derivative(b, a, rest, x, times);
}

double betaincinv(double a, double b, double p) {
  if (!(a > 0) || !(b > 0) || std::isinf(a) || std::isinf(b) || !(p >= 0) || !(p <= 1)) return nan;
  if (p == 0 || p == 1) return p;
  // By u = log(x / (1 - x)), which is between what the first terms at both ends say.
  const double scale = betaln(a, b);
  const double first = (std::log(p) + std::log(a) + scale) / a;
  if (first < -745) return 0;
  const double low = first - 40, high = 40 - (std::log1p(-p) + std::log(b) + scale) / b;
  const double u =
      increasing_root(std::min(low, -40.0), std::max(high, 40.0), std::log(a) - std::log(b), [=](double at) {
        const double x = 1 / (1 + std::exp(-at)), rest = 1 / (1 + std::exp(at));
        const double share = p < 0.5 ? betainc(a, b, x, rest) : betainc(b, a, rest, x);
        return std::pair(log_ratio(p, share), std::exp(log_beta_density(a, b, x, rest)) / share);
      });
  return u < 0 ? std::exp(u) / (1 + std::exp(u)) : 1 / (1 + std::exp(-u));
}

double poisson_quantile(double rate, double p) {
  if (!(rate >= 0) || !(p >= 0) || !(p <= 1)) return nan;
  if (p == 1) return rate == 0 ? 0 : infinity;
  return smallest_count(std::floor(rate), infinity, [=](double k) { return gammaincc(k + 1, rate) >= p; });
}

double binomial_quantile(double n, double chance, double p) {
  if (!(chance >= 0) || !(chance <= 1) || !(p >= 0) || !(p <= 1)) return nan;
  return smallest_count(std::floor(n * chance), n,
                        [=](double k) { return k >= n || betainc(n - k, k + 1, 1 - chance, chance) >= p; });
}

std::pair<double, double> beta_sample_slopes(double a, double b, double x, double rest) {
  if (!(a > 0) || !(b > 0) || !(x >= 0) || !(rest >= 0)) return {nan, nan};
  if (x == 0 || rest == 0) return {0, 0};
  if (beta_is_lower(a, b, x)) return lower_beta_slopes(a, b, x, rest);
  const auto [by_b, by_a] = lower_beta_slopes(b, a, rest, x);
  return {-by_a, -by_b};
}

}  // namespace xgrad::elementary
