#include "gaussian_process.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../core/error.hpp"
#include "../../core/instruction_set.hpp"
#include "../../kernels/elementary.hpp"
#include "bounded_lbfgs.hpp"

namespace xgrad::tune {
namespace {

constexpr double least_noise = 1e-6;

// Of a symmetric n x n matrix, its lower triangle: L with A = L L^T. False where it is not positive definite.
bool cholesky(double* a, std::size_t n) {
  std::vector<double> column(n);
  bool positive = true;
  vectorized([&, a, n, c = column.data()] {
    for (std::size_t j = 0; j < n; ++j) {
      const double pivot = a[j * n + j];
      if (!(pivot > 0)) {
        positive = false;
        return;
      }
      const double root = std::sqrt(pivot), inverse = 1 / root;
      a[j * n + j] = root;
      for (std::size_t i = j + 1; i < n; ++i) c[i] = a[i * n + j] *= inverse;
      for (std::size_t i = j + 1; i < n; ++i) {
        double* __restrict row = a + i * n;
        const double factor = c[i];
        for (std::size_t k = j + 1; k <= i; ++k) row[k] -= factor * c[k];
      }
    }
  });
  return positive;
}

// The inverse of L L^T, whole.
std::vector<double> inverse_of(const std::vector<double>& lower, std::size_t n) {
  std::vector<double> triangle(n * n), inverse(n * n);
  vectorized([n, l = lower.data(), t = triangle.data(), out = inverse.data()] {
    for (std::size_t i = 0; i < n; ++i) {
      double* __restrict row = t + i * n;
      for (std::size_t j = 0; j < i; ++j) {
        const double factor = l[i * n + j];
        const double* __restrict other = t + j * n;
        for (std::size_t k = 0; k <= j; ++k) row[k] -= factor * other[k];
      }
      const double scale = 1 / l[i * n + i];
      for (std::size_t k = 0; k < i; ++k) row[k] *= scale;
      row[i] = scale;
    }
    for (std::size_t k = 0; k < n; ++k) {
      const double* __restrict row = t + k * n;
      for (std::size_t i = 0; i <= k; ++i) {
        double* __restrict to = out + i * n;
        const double factor = row[i];
        for (std::size_t j = 0; j <= i; ++j) to[j] += factor * row[j];
      }
    }
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < i; ++j) out[j * n + i] = out[i * n + j];
  });
  return inverse;
}

std::vector<double> times(const std::vector<double>& matrix, const std::vector<double>& v) {
  const std::size_t n = v.size();
  std::vector<double> out(n);
  vectorized([n, m = matrix.data(), v = v.data(), o = out.data()] {
    for (std::size_t i = 0; i < n; ++i) {
      const double* __restrict row = m + i * n;
      double* __restrict to = o;
      const double factor = v[i];
      for (std::size_t j = 0; j < n; ++j) to[j] += factor * row[j];  // it is symmetric
    }
  });
  return out;
}

// The squared distances along each axis, of all pairs i > j: axis by axis.
std::vector<double> squared_differences(const Points& points, const std::vector<bool>& categorical) {
  const std::size_t n = points.size(), d = points.dimensions, pairs = n * (n - 1) / 2;
  std::vector<double> out(pairs * d);
  for (std::size_t axis = 0; axis < d; ++axis) {
    double* to = out.data() + axis * pairs;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < i; ++j) {
        const double difference = points[i][axis] - points[j][axis];
        *to++ = categorical[axis] ? difference != 0 : difference * difference;
      }
  }
  return out;
}

// Matern 5/2 of squared distances, and what its derivative by them is.
void matern(std::span<const double> squared, std::span<double> values, std::span<double> derivatives) {
  vectorized([n = squared.size(), r2 = squared.data(), f = values.data(), df = derivatives.data()] {
    for (std::size_t i = 0; i < n; ++i) {
      const double r = std::sqrt(5 * r2[i]), e = elementary::exp(-r);
      f[i] = e * (1 + r + 5.0 / 3 * r2[i]);
      df[i] = -5.0 / 6 * (1 + r) * e;
    }
  });
}

// Minus the logarithm of the posterior density of a kernel, and its gradient by the logarithms of its parameters.
class KernelLoss {
 public:
  KernelLoss(const Points& points, const std::vector<double>& y, const KernelFit& options)
      : n_(points.size()),
        d_(points.dimensions),
        y_(y),
        deterministic_(options.deterministic),
        squares_(squared_differences(points, options.categorical)) {}

  Kernel kernel(std::span<const double> x) const {
    Kernel kernel;
    for (std::size_t j = 0; j < d_; ++j) kernel.inverse_squared_lengths.push_back(std::exp(x[j]));
    kernel.scale = std::exp(x[d_]);
    kernel.noise = least_noise + (deterministic_ ? 0 : std::exp(x[d_ + 1]));
    return kernel;
  }

  double operator()(std::span<const double> x, std::span<double> gradient) {
    const Kernel k = kernel(x);
    const std::size_t pairs = n_ * (n_ - 1) / 2;
    squared_.assign(pairs, 0.0);
    for (std::size_t axis = 0; axis < d_; ++axis)
      vectorized(
          [pairs, l = k.inverse_squared_lengths[axis], from = squares_.data() + axis * pairs, to = squared_.data()] {
            for (std::size_t p = 0; p < pairs; ++p) to[p] += l * from[p];
          });
    values_.resize(pairs);
    derivatives_.resize(pairs);
    matern(squared_, values_, derivatives_);
    lower_.assign(n_ * n_, 0.0);
    for (std::size_t i = 0, p = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < i; ++j, ++p) lower_[i * n_ + j] = k.scale * values_[p];
      lower_[i * n_ + i] = k.scale + k.noise;
    }
    if (!cholesky(lower_.data(), n_)) {
      std::fill(gradient.begin(), gradient.end(), 0.0);
      return std::numeric_limits<double>::infinity();
    }
    const std::vector<double> inverse = inverse_of(lower_, n_), weights = times(inverse, y_);
    double loss = 0;
    for (std::size_t i = 0; i < n_; ++i) loss += std::log(lower_[i * n_ + i]) + 0.5 * y_[i] * weights[i];

    // d loss / d K_ij, off the diagonal both halves together; then by the squared distance.
    double by_scale = 0, by_noise = 0;
    for (std::size_t i = 0, p = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < i; ++j, ++p) {
        const double by_entry = inverse[i * n_ + j] - weights[i] * weights[j];
        by_scale += by_entry * values_[p];
        derivatives_[p] *= by_entry * k.scale;
      }
      const double by_diagonal = 0.5 * (inverse[i * n_ + i] - weights[i] * weights[i]);
      by_scale += by_diagonal;
      by_noise += by_diagonal;
    }
    for (std::size_t axis = 0; axis < d_; ++axis) {
      const double l = k.inverse_squared_lengths[axis];
      const double* square = squares_.data() + axis * pairs;
      double by_length = 0;
      for (std::size_t p = 0; p < pairs; ++p) by_length += derivatives_[p] * square[p];
      loss += 0.1 / l + 0.1 * l;
      gradient[axis] = l * by_length - 0.1 / l + 0.1 * l;
    }
    loss += k.scale - std::log(k.scale);
    gradient[d_] = k.scale * (by_scale + 1) - 1;
    if (deterministic_) return loss;
    const double free_noise = k.noise - least_noise;
    loss += 30 * k.noise - 0.1 * std::log(k.noise);
    gradient[d_ + 1] = free_noise * (by_noise + 30 - 0.1 / k.noise);
    return loss;
  }

 private:
  std::size_t n_, d_;
  const std::vector<double>& y_;
  bool deterministic_;
  std::vector<double> squares_, squared_, values_, derivatives_, lower_;
};

}  // namespace

Kernel fit_kernel(const Points& points, const std::vector<double>& y, const KernelFit& options) {
  const std::size_t d = points.dimensions;
  KernelLoss loss(points, y, options);
  const std::size_t numbers = d + (options.deterministic ? 1 : 2);
  std::vector<double> x(numbers, 0.0), low(numbers, -16.0), high(numbers, 8.0);
  if (!options.deterministic) x[d + 1] = std::log(0.01);
  minimize_in_box([&](std::span<const double> at, std::span<double> gradient) { return loss(at, gradient); }, x, low,
                  high, {.max_iterations = 60, .tolerance = 1e-2});
  if (options.deterministic) x.push_back(0);
  return loss.kernel(x);
}

GaussianProcess::GaussianProcess(Kernel kernel, Points observed, const std::vector<double>& y, const Points& pending,
                                 std::vector<bool> categorical)
    : kernel_(std::move(kernel)), points_(std::move(observed)), categorical_(std::move(categorical)), weights_(y) {
  const auto factor = [&](double noise) {
    const std::size_t n = points_.size(), d = points_.dimensions;
    std::vector<double> lower(n * n), squared(n), values(n), derivatives(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        squared[j] = 0;
        for (std::size_t axis = 0; axis < d; ++axis) {
          const double difference = points_[i][axis] - points_[j][axis];
          squared[j] += kernel_.inverse_squared_lengths[axis] *
                        (categorical_[axis] ? (difference != 0) : difference * difference);
        }
      }
      matern(std::span(squared).first(i), std::span(values).first(i), std::span(derivatives).first(i));
      for (std::size_t j = 0; j < i; ++j) lower[i * n + j] = kernel_.scale * values[j];
      lower[i * n + i] = kernel_.scale + noise;
    }
    return cholesky(lower.data(), n) ? lower : std::vector<double>();
  };
  const auto invert = [&] {
    std::vector<double> lower;
    for (double noise = kernel_.noise; lower.empty(); noise *= 10) {
      check(noise < 1e6, "GP: the observations have no finite covariance");
      lower = factor(noise);
    }
    return inverse_of(lower, points_.size());
  };
  inverse_ = invert();
  weights_ = times(inverse_, weights_);
  if (pending.size() == 0) return;
  points_.add(pending.values);
  inverse_ = invert();
  weights_.resize(points_.size());
}

GaussianProcess::Posterior GaussianProcess::operator()(const double* x, std::span<double> mean_gradient,
                                                       std::span<double> deviation_gradient) const {
  const std::size_t n = points_.size(), d = points_.dimensions;
  static thread_local std::vector<double> squared, values, derivatives;
  squared.assign(n, 0.0);
  values.resize(n);
  derivatives.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double* point = points_[i];
    double sum = 0;
    for (std::size_t axis = 0; axis < d; ++axis) {
      const double difference = x[axis] - point[axis];
      sum += kernel_.inverse_squared_lengths[axis] *
             (categorical_[axis] ? static_cast<double>(difference != 0) : difference * difference);
    }
    squared[i] = sum;
  }
  matern(squared, values, derivatives);
  for (double& value : values) value *= kernel_.scale;
  const std::vector<double> solved = times(inverse_, values);
  double mean = 0, explained = 0;
  for (std::size_t i = 0; i < n; ++i) {
    mean += values[i] * weights_[i];
    explained += values[i] * solved[i];
  }
  const double deviation = std::sqrt(std::max(kernel_.scale - explained, 1e-12 * kernel_.scale));
  if (mean_gradient.empty()) return {mean, deviation};
  for (std::size_t axis = 0; axis < d; ++axis) {
    double by_mean = 0, by_explained = 0;
    if (!categorical_[axis])
      for (std::size_t i = 0; i < n; ++i) {
        const double slope = derivatives[i] * (x[axis] - points_[i][axis]);
        by_mean += slope * weights_[i];
        by_explained += slope * solved[i];
      }
    const double factor = 2 * kernel_.scale * kernel_.inverse_squared_lengths[axis];
    mean_gradient[axis] = factor * by_mean;
    deviation_gradient[axis] = -factor * by_explained / deviation;
  }
  return {mean, deviation};
}

}  // namespace xgrad::tune
