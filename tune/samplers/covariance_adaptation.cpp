#include "covariance_adaptation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "../trials/normal.hpp"

namespace xgrad::tune {
namespace {

// Eigenvalues of a symmetric matrix, in its diagonal at the end, and its eigenvectors, by columns: cyclic Jacobi.
void diagonalize(std::vector<double>& a, std::vector<double>& vectors, std::size_t n) {
  vectors.assign(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) vectors[i * n + i] = 1;
  for (int sweep = 0; sweep < 50; ++sweep) {
    double off = 0, all = 0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) (i == j ? all : off) += a[i * n + j] * a[i * n + j];
    if (off <= 1e-24 * all) return;
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) {
        if (a[p * n + q] == 0) continue;
        const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
        const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        const auto rotate = [&](double& x, double& y) {
          const double before = x;
          x = c * before - s * y;
          y = s * before + c * y;
        };
        for (std::size_t k = 0; k < n; ++k) rotate(a[k * n + p], a[k * n + q]);
        for (std::size_t k = 0; k < n; ++k) rotate(a[p * n + k], a[q * n + k]);
        for (std::size_t k = 0; k < n; ++k) rotate(vectors[k * n + p], vectors[k * n + q]);
      }
  }
}

double norm(const std::vector<double>& v) { return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0)); }

}  // namespace

CovarianceAdaptation::CovarianceAdaptation(std::vector<double> mean, double sigma, std::size_t population,
                                           std::vector<std::size_t> steps, bool adapt_rates)
    : population_(population),
      steps_(std::move(steps)),
      sigma_(sigma),
      first_sigma_(sigma),
      mean_(std::move(mean)),
      margin_(mean_.size(), 1.0),
      path_sigma_(mean_.size()),
      path_covariance_(mean_.size()),
      adapts_rates_(adapt_rates),
      mean_rate_{.decay = 0.1, .mean = std::vector<double>(mean_.size())},
      covariance_rate_{.decay = 0.03, .mean = std::vector<double>(mean_.size() * mean_.size())} {
  const auto n = static_cast<double>(dimensions()), lambda = static_cast<double>(population);
  const std::size_t mu = population / 2;
  for (std::size_t i = 0; i < population; ++i)
    weights_.push_back(std::log((lambda + 1) / 2) - std::log(static_cast<double>(i) + 1));
  double sum = 0, squares = 0, negative = 0, negative_squares = 0;
  for (std::size_t i = 0; i < population; ++i) {
    const double w = weights_[i];
    (i < mu ? sum : negative) += w;
    (i < mu ? squares : negative_squares) += w * w;
  }
  mu_effective_ = sum * sum / squares;
  const double mu_negative = negative_squares > 0 ? negative * negative / negative_squares : 0;
  c_sigma_ = (mu_effective_ + 2) / (n + mu_effective_ + 5);
  d_sigma_ = 1 + 2 * std::max(0.0, std::sqrt((mu_effective_ - 1) / (n + 1)) - 1) + c_sigma_;
  c_covariance_ = (4 + mu_effective_ / n) / (n + 4 + 2 * mu_effective_ / n);
  c_one_ = 2 / ((n + 1.3) * (n + 1.3) + mu_effective_);
  c_mu_ = std::min(1 - c_one_, 2 * (mu_effective_ - 2 + 1 / mu_effective_) / ((n + 2) * (n + 2) + mu_effective_));
  expected_norm_ = std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
  const double least =
      std::min({1 + c_one_ / c_mu_, 1 + 2 * mu_negative / (mu_effective_ + 2), (1 - c_one_ - c_mu_) / (n * c_mu_)});
  for (std::size_t i = 0; i < population; ++i)
    weights_[i] = i < mu ? weights_[i] / sum : negative < 0 ? -least * weights_[i] / negative : 0;
  covariance_.assign(dimensions() * dimensions(), 0.0);
  for (std::size_t i = 0; i < dimensions(); ++i) covariance_[i * dimensions() + i] = 1;
  decompose();
}

void CovarianceAdaptation::decompose() {
  const std::size_t n = dimensions();
  std::vector<double> matrix = covariance_;
  diagonalize(matrix, axes_, n);
  lengths_.resize(n);
  for (std::size_t i = 0; i < n; ++i) lengths_[i] = std::sqrt(std::max(matrix[i * n + i], 1e-30));
}

std::vector<double> CovarianceAdaptation::point(const std::vector<double>& normal) const {
  const std::size_t n = dimensions();
  std::vector<double> x = mean_;
  for (std::size_t i = 0; i < n; ++i) {
    double y = 0;
    for (std::size_t k = 0; k < n; ++k) y += axes_[i * n + k] * lengths_[k] * normal[k];
    x[i] += sigma_ * margin_[i] * y;
  }
  return x;
}

void CovarianceAdaptation::tell(const std::vector<std::vector<double>>& points) {
  const std::size_t n = dimensions();
  ++generation_;
  const std::vector<double> old_mean = mean_, old_covariance = covariance_;
  const double old_sigma = sigma_;
  std::vector<std::vector<double>> steps(points.size(), std::vector<double>(n));
  std::vector<double> moved(n), whitened(n);
  for (std::size_t k = 0; k < points.size(); ++k)
    for (std::size_t i = 0; i < n; ++i) {
      steps[k][i] = (points[k][i] - mean_[i]) / (sigma_ * margin_[i]);
      if (weights_[k] > 0) moved[i] += weights_[k] * steps[k][i];
    }
  const auto whiten = [&](const std::vector<double>& y) {  // C^-1/2 y
    std::vector<double> along(n), out(n);
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < n; ++i) along[k] += axes_[i * n + k] * y[i];
      along[k] /= lengths_[k];
    }
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < n; ++k) out[i] += axes_[i * n + k] * along[k];
    return out;
  };
  whitened = whiten(moved);
  for (std::size_t i = 0; i < n; ++i) mean_[i] += sigma_ * margin_[i] * moved[i];

  const double keep = std::sqrt(c_sigma_ * (2 - c_sigma_) * mu_effective_);
  for (std::size_t i = 0; i < n; ++i) path_sigma_[i] = (1 - c_sigma_) * path_sigma_[i] + keep * whitened[i];
  const double length = norm(path_sigma_);
  sigma_ *= std::exp(std::min(1.0, c_sigma_ / d_sigma_ * (length / expected_norm_ - 1)));
  sigma_ = std::min(sigma_, 1e4 * first_sigma_);
  const double age = 1 - std::pow(1 - c_sigma_, 2.0 * static_cast<double>(generation_));
  const bool slow = length / std::sqrt(age) < (1.4 + 2 / (static_cast<double>(n) + 1)) * expected_norm_;
  const double along = slow ? std::sqrt(c_covariance_ * (2 - c_covariance_) * mu_effective_) : 0;
  for (std::size_t i = 0; i < n; ++i)
    path_covariance_[i] = (1 - c_covariance_) * path_covariance_[i] + along * moved[i];

  const double stall = slow ? 0 : c_covariance_ * (2 - c_covariance_);
  const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  for (double& entry : covariance_) entry *= 1 + c_one_ * stall - c_one_ - c_mu_ * sum;
  std::vector<double> weights = weights_;
  for (std::size_t k = 0; k < points.size(); ++k)
    if (weights[k] < 0) {
      const double size = norm(whiten(steps[k]));
      weights[k] *= static_cast<double>(n) / (size * size + 1e-8);
    }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double update = c_one_ * path_covariance_[i] * path_covariance_[j];
      for (std::size_t k = 0; k < points.size(); ++k) update += c_mu_ * weights[k] * steps[k][i] * steps[k][j];
      covariance_[i * n + j] += update;
    }
  if (adapts_rates_) adapt_rates(old_mean, old_sigma, old_covariance);
  decompose();
  keep_margin();
}

void CovarianceAdaptation::Rate::update(const std::vector<double>& change) {
  constexpr double wanted = 1.4, speed = 0.1;  // alpha and gamma of the paper
  double square_of_mean = 0, square_of_change = 0;
  for (std::size_t i = 0; i < change.size(); ++i) {
    mean[i] += decay * (change[i] - mean[i]);
    square_of_mean += mean[i] * mean[i];
    square_of_change += change[i] * change[i];
  }
  square += decay * (square_of_change - square);
  const double signal = (square_of_mean - decay / (2 - decay) * square) / (square - square_of_mean);
  const double relative = std::clamp(signal / wanted / rate - 1, -1.0, 1.0);
  if (std::isfinite(relative)) rate = std::min(1.0, rate * std::exp(std::min(speed * rate, decay) * relative));
}

// Before the new covariance is decomposed: axes_ and lengths_ are of the old one.
void CovarianceAdaptation::adapt_rates(const std::vector<double>& old_mean, double old_sigma,
                                       const std::vector<double>& old_covariance) {
  const std::size_t n = dimensions();
  std::vector<double> whitening(n * n);  // the inverse root of sigma^2 C
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t k = 0; k < n; ++k)
        whitening[i * n + j] += axes_[i * n + k] * axes_[j * n + k] / (lengths_[k] * old_sigma);
  const auto product = [n](const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> out(n * n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < n; ++k)
        for (std::size_t j = 0; j < n; ++j) out[i * n + j] += a[i * n + k] * b[k * n + j];
    return out;
  };
  std::vector<double> moved(n), whitened(n), change(n * n);
  for (std::size_t i = 0; i < n; ++i) moved[i] = (mean_[i] - old_mean[i]) / margin_[i];
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) whitened[i] += whitening[i * n + j] * moved[j];
  for (std::size_t i = 0; i < n * n; ++i)
    change[i] = sigma_ * sigma_ * covariance_[i] - old_sigma * old_sigma * old_covariance[i];
  std::vector<double> local = product(product(whitening, change), whitening);
  for (double& each : local) each /= std::numbers::sqrt2;

  const double before = mean_rate_.rate;
  mean_rate_.update(whitened);
  covariance_rate_.update(local);
  for (std::size_t i = 0; i < n; ++i) mean_[i] = old_mean[i] + mean_rate_.rate * margin_[i] * moved[i];
  for (std::size_t i = 0; i < n * n; ++i)
    covariance_[i] = old_sigma * old_sigma * old_covariance[i] + covariance_rate_.rate * change[i];
  decompose();
  double log_lengths = 0;
  for (const double length : lengths_) log_lengths += std::log(length);
  sigma_ = std::exp(log_lengths / static_cast<double>(n));
  for (double& entry : covariance_) entry /= sigma_ * sigma_;
  sigma_ *= before / mean_rate_.rate;
}

// The probability that a discrete coordinate takes another value than that of the mean is kept above 1 / (d lambda).
void CovarianceAdaptation::keep_margin() {
  const std::size_t n = dimensions();
  const double alpha = 1 / static_cast<double>(n * population_);
  for (std::size_t i = 0; i < n; ++i) {
    if (steps_[i] < 2) continue;
    const double cells = static_cast<double>(steps_[i]);
    mean_[i] = std::clamp(mean_[i], 0.0, 1.0);
    const double cell = std::clamp(std::floor(mean_[i] * cells), 0.0, cells - 1);
    const double low = cell / cells, high = (cell + 1) / cells;
    const double deviation = sigma_ * margin_[i] * std::sqrt(covariance_[i * n + i]);
    if (cell == 0 || cell == cells - 1) {
      const double edge = cell == 0 ? high : low, sign = cell == 0 ? -1 : 1;
      const double farthest = deviation * normal_quantile(1 - alpha);
      mean_[i] = edge + sign * std::min(std::abs(mean_[i] - edge), farthest);
      continue;
    }
    const double below = normal_mass(-1e300, (low - mean_[i]) / deviation);
    const double above = normal_mass((high - mean_[i]) / deviation, 1e300);
    const double least_below = std::max(alpha / 2, below), least_above = std::max(alpha / 2, above);
    const double inside = 1 - below - above;
    const double excess = (1 - least_below - least_above - inside) / (least_below + least_above + inside - 1.5 * alpha);
    const double p = least_below + excess * (least_below - alpha / 2),
                 q = least_above + excess * (least_above - alpha / 2);
    const double width = normal_quantile(1 - q) - normal_quantile(p);
    if (!(width > 0)) continue;
    const double wanted = (high - low) / width;
    mean_[i] = low - wanted * normal_quantile(p);
    margin_[i] *= wanted / deviation;
  }
}

bool CovarianceAdaptation::has_converged() const {
  const auto [shortest, longest] = std::minmax_element(lengths_.begin(), lengths_.end());
  double widest = 0;
  for (std::size_t i = 0; i < dimensions(); ++i)
    if (steps_[i] == 0) widest = std::max(widest, sigma_ * std::sqrt(covariance_[i * dimensions() + i]));
  const bool continuous = std::count(steps_.begin(), steps_.end(), 0u) > 0;
  if ((continuous && widest < 1e-12) || *longest > 1e7 * *shortest) return true;
  const std::size_t looked = 10 + 30 * dimensions() / population_;
  if (best_values_.size() < looked) return false;
  const auto [least, most] =
      std::minmax_element(best_values_.end() - static_cast<std::ptrdiff_t>(looked), best_values_.end());
  return *most - *least <= 1e-12 * std::max(1.0, std::abs(*least));
}

}  // namespace xgrad::tune
