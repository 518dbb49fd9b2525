#include "sampling.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "../core/parallel.hpp"
#include "../core/philox.hpp"
#include "elementary.hpp"
#include "special.hpp"

namespace xgrad::detail {

namespace {

/// The random numbers of one element.
class Stream {
 public:
  Stream(std::uint64_t key, std::int64_t element)
      : key_{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)},
        element_(static_cast<std::uint64_t>(element)) {}

  /// In (0, 1), with 52 bits.
  double uniform() {
    if (left_ == 0) {
      block_ = philox({static_cast<std::uint32_t>(element_), static_cast<std::uint32_t>(element_ >> 32), blocks_++, 0},
                      key_);
      left_ = 2;
    }
    --left_;
    const std::uint64_t bits = std::uint64_t{block_[2 * left_]} << 32 | block_[2 * left_ + 1];
    return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
  }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t element_;
  std::uint32_t blocks_ = 0;
  std::array<std::uint32_t, 4> block_ = {};
  std::size_t left_ = 0;
};

template <class F>
void for_each_stream(std::uint64_t key, std::int64_t n, std::int64_t grain, const F& f) {
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) f(i, Stream(key, i));
  });
}

/// G. Marsaglia and W. Tsang, "A simple method for generating gamma variables" (2000); below 1 by gamma(a + 1) U^(1/a).
double log_gamma_variable(double a, Stream& random) {
  if (!(a < std::numeric_limits<double>::infinity())) return a;
  const double boost = a < 1 ? std::log(random.uniform()) / a : 0, d = (a < 1 ? a + 1 : a) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal(), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v))
      return std::log(d) + std::log(v) + boost;
  }
}

double log_factorial(double k) { return elementary::lgamma(k + 1); }

/// W. Hoermann, "The transformed rejection method for generating Poisson random variables" (1993), from 10 on; below by
/// adding up probabilities.
double poisson_variable(double rate, Stream& random) {
  if (rate < 10) {
    double u = random.uniform(), p = std::exp(-rate), k = 0;
    while (u > p && k < 1000) u -= p, p *= rate / ++k;
    return k;
  }
  const double log_rate = std::log(rate), b = 0.931 + 2.53 * std::sqrt(rate), a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = random.uniform() - 0.5, v = random.uniform(), us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_rate - rate - log_factorial(k)) return k;
  }
}

/// W. Hoermann, "The generation of binomial random variates" (1993), where n p >= 10; below by adding up probabilities.
double binomial_variable(double n, double p, Stream& random) {
  if (p > 0.5) return n - binomial_variable(n, 1 - p, random);
  if (!(p > 0) || n == 0) return 0;
  const double odds = p / (1 - p);
  if (n * p < 10) {
    double u = random.uniform(), q = std::exp(n * std::log1p(-p)), k = 0;
    while (u > q && k < n) u -= q, ++k, q *= (n - k + 1) / k * odds;
    return k;
  }
  const double spread = std::sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = n * p + 0.5, v_r = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spread, m = std::floor((n + 1) * p);
  for (;;) {
    const double u = random.uniform() - 0.5, v = random.uniform(), us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || k > n) continue;
    const double accepted =
        log_factorial(m) + log_factorial(n - m) - log_factorial(k) - log_factorial(n - k) + (k - m) * std::log(odds);
    if (std::log(v * alpha / (a / (us * us) + b)) <= accepted) return k;
  }
}

}  // namespace

void sample_log_gamma(std::uint64_t key, std::int64_t n, const double* shape, double* out) {
  for_each_stream(key, n, 256, [=](std::int64_t i, Stream random) { out[i] = log_gamma_variable(shape[i], random); });
}

void sample_poisson(std::uint64_t key, std::int64_t n, const double* rate, double* out) {
  for_each_stream(key, n, 256, [=](std::int64_t i, Stream random) { out[i] = poisson_variable(rate[i], random); });
}

void sample_binomial(std::uint64_t key, std::int64_t n, const double* trials, const double* p, double* out) {
  for_each_stream(key, n, 256,
                  [=](std::int64_t i, Stream random) { out[i] = binomial_variable(trials[i], p[i], random); });
}

void sample_categorical(std::uint64_t key, std::int64_t rows, std::int64_t classes, std::int64_t draws,
                        const double* weights, std::int64_t* out) {
  parallel_for(rows, 1 + 16384 / (classes + draws), [=](std::int64_t begin, std::int64_t end) {
    std::vector<double> sums(static_cast<std::size_t>(classes));
    for (std::int64_t row = begin; row < end; ++row) {
      const double* of_row = weights + row * classes;
      double total = 0;
      for (std::int64_t k = 0; k < classes; ++k) sums[static_cast<std::size_t>(k)] = total += of_row[k];
      for (std::int64_t i = row * draws; i < (row + 1) * draws; ++i) {
        const double u = Stream(key, i).uniform() * total;
        std::int64_t k = std::upper_bound(sums.begin(), sums.end(), u) - sums.begin();
        k = std::min(k, classes - 1);
        while (k > 0 && of_row[k] == 0) --k;  // rounding may lead past the last class that can come
        out[i] = k;
      }
    }
  });
}

void sample_multinomial(std::uint64_t key, std::int64_t n, std::int64_t classes, std::int64_t trials,
                        const double* weights, double* out) {
  for_each_stream(key, n, 16, [=](std::int64_t i, Stream random) {
    // Each class in turn is a binomial variable of what is left.
    double left = static_cast<double>(trials), rest = 0;
    const double* of_row = weights + i * classes;
    for (std::int64_t k = 0; k < classes; ++k) rest += of_row[k];
    for (std::int64_t k = 0; k < classes; ++k) {
      const double weight = of_row[k], p = weight == 0 ? 0 : k + 1 == classes ? 1 : std::min(weight / rest, 1.0);
      out[i * classes + k] = binomial_variable(left, p, random);
      left -= out[i * classes + k], rest -= weight;
    }
    for (std::int64_t k = classes - 1; left > 0 && k >= 0; --k)  // that rounding has left over
      if (of_row[k] > 0) out[i * classes + k] += left, left = 0;
  });
}

}  // namespace xgrad::detail
