#pragma once
// The state of CMA-ES.

#include <cstddef>
#include <functional>
#include <vector>

namespace xgrad::tune {

/// One run of CMA-ES in [0, 1]^d: Hansen, "The CMA evolution strategy: a tutorial" (arXiv 1604.00772), with active
/// covariance, and with a margin around steps (Hamano et al., arXiv 2205.13482), so that a discrete coordinate never
/// gets stuck on one of its values. A generation's points are made from standard normal draws, and told back with them.
class CovarianceAdaptation {
 public:
  /// `steps`: by coordinate the number of values, in the middles of cells of equal width; 0: continuous. With
  /// `adapt_rates` mean and covariance go only so far each generation as what earlier ones said is signal and not noise
  /// (Nomura et al., arXiv 2304.03473).
  CovarianceAdaptation(std::vector<double> mean, double sigma, std::size_t population, std::vector<std::size_t> steps,
                       bool adapt_rates = false);

  std::size_t population() const { return population_; }
  std::size_t dimensions() const { return mean_.size(); }
  const std::vector<double>& mean() const { return mean_; }
  double sigma() const { return sigma_; }

  /// The point made from d draws; may be outside of [0, 1]^d.
  std::vector<double> point(const std::vector<double>& normal) const;

  /// Points of one generation, best first.
  void tell(const std::vector<std::vector<double>>& points);

  /// Whether it cannot go on: it has shrunk to a point, its axes differ by 1e7, or the best values of the last
  /// generations, given to tell_best(), were the same.
  bool has_converged() const;
  void tell_best(double value) { best_values_.push_back(value); }

 private:
  void decompose();
  void keep_margin();
  void adapt_rates(const std::vector<double>& old_mean, double old_sigma, const std::vector<double>& old_covariance);

  std::size_t population_;
  std::vector<std::size_t> steps_;
  double sigma_, first_sigma_;
  std::vector<double> mean_, margin_;                // margin_: the diagonal of A
  std::vector<double> covariance_, axes_, lengths_;  // C = B D^2 B^T, B by columns
  std::vector<double> path_sigma_, path_covariance_;
  std::vector<double> weights_, best_values_;
  double mu_effective_, c_sigma_, d_sigma_, c_covariance_, c_one_, c_mu_, expected_norm_;
  std::size_t generation_ = 0;

  // How much of an update is taken, by moving means of updates and of their squared lengths.
  struct Rate {
    double rate = 1, decay = 0;
    std::vector<double> mean = {};
    double square = 0;
    void update(const std::vector<double>& change);
  };
  bool adapts_rates_;
  Rate mean_rate_, covariance_rate_;
};

}  // namespace xgrad::tune
