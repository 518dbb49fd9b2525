#pragma once
// Gaussian process regression.

#include <span>
#include <vector>

namespace xgrad::tune {

/// Points in [0, 1]^d by rows. On a categorical axis a coordinate is the index of a choice.
struct Points {
  std::size_t dimensions = 0;
  std::vector<double> values = {};

  std::size_t size() const { return dimensions ? values.size() / dimensions : 0; }
  const double* operator[](std::size_t i) const { return values.data() + i * dimensions; }
  void add(std::span<const double> point) { values.insert(values.end(), point.begin(), point.end()); }
};

/// Parameters of k(a, b) = scale * Matern52(sum_j inverse_squared_lengths[j] * d_j), d_j = (a_j - b_j)^2, or whether
/// the choices differ on a categorical axis; and the variance of independent noise.
struct Kernel {
  std::vector<double> inverse_squared_lengths;
  double scale = 1, noise = 1e-6;
};

struct KernelFit {
  std::vector<bool> categorical;  ///< by axis
  bool deterministic = false;     ///< without noise but the least of 1e-6
};

/// The kernel of largest posterior density given y at the points, with Optuna's priors (GPSampler 5.0): of each inverse
/// squared length l exp(-0.1 / l - 0.1 l), of the scale Gamma(2, 1), of the noise Gamma(1.1, 30). y should have mean 0
/// and variance 1. O(n^3) a step.
Kernel fit_kernel(const Points& points, const std::vector<double>& y, const KernelFit& options);

/// The process given observations, and points that are being observed: these take away variance, and leave the mean.
class GaussianProcess {
 public:
  GaussianProcess(Kernel kernel, Points observed, const std::vector<double>& y, const Points& pending,
                  std::vector<bool> categorical);

  const Kernel& kernel() const { return kernel_; }
  const Points& points() const { return points_; }

  struct Posterior {
    double mean, deviation;
  };
  /// Of the function without noise at x. `mean_gradient` and `deviation_gradient` are of d numbers each, or empty; 0 on
  /// categorical axes.
  Posterior operator()(const double* x, std::span<double> mean_gradient = {},
                       std::span<double> deviation_gradient = {}) const;

 private:
  Kernel kernel_;
  Points points_;  // pending ones at the end
  std::vector<bool> categorical_;
  std::vector<double> weights_, inverse_;
};

}  // namespace xgrad::tune
