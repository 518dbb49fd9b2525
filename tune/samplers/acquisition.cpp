#include "acquisition.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "../trials/normal.hpp"
#include "sobol.hpp"

namespace xgrad::tune {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t draws = 64;
const double log_sqrt_2pi = 0.5 * std::log(2 * std::numbers::pi);

double log_density(double z) { return -0.5 * z * z - log_sqrt_2pi; }
double below(double z) { return 0.5 * std::erfc(-z * std::numbers::sqrt2 / 2); }

// Mills' ratio, probability below z over density at z, for z <= -10.
double mills(double z) {
  const double w = 1 / (z * z);
  return -(1 - w * (1 - w * (3 - w * (15 - w * 105)))) / z;
}

// log h(z), h(z) = density(z) + z below(z), with what below(z) and density(z) are in relation to h(z).
struct LogImprovement {
  double log_h, below_over_h, density_over_h;
};
LogImprovement log_improvement(double z) {
  if (z < -10) {
    const double w = 1 / (z * z), rest = w * (1 - w * (3 - w * (15 - w * 105)));  // 1 + z mills(z)
    return {log_density(z) + std::log(rest), mills(z) / rest, 1 / rest};
  }
  const double density = std::exp(log_density(z)), probability = below(z), h = density + z * probability;
  return {std::log(h), probability / h, density / h};
}

// Boxes in the first `axes` objectives. Points are sorted by the last of these; between two of them those before cut
// out what they dominate in the axes below.
std::vector<ImprovementBox> boxes_of(std::vector<std::vector<double>> points, const std::vector<double>& reference,
                                     std::size_t axes) {
  if (axes == 1) {
    double least = reference[0];
    for (const auto& point : points) least = std::min(least, point[0]);
    return {{{-infinity}, {least}}};
  }
  const std::size_t last = axes - 1;
  std::sort(points.begin(), points.end(), [&](const auto& a, const auto& b) { return a[last] < b[last]; });
  std::vector<ImprovementBox> out;
  double from = -infinity;
  for (std::size_t k = 0; k <= points.size(); ++k) {
    const double to = k < points.size() ? std::min(points[k][last], reference[last]) : reference[last];
    if (to > from) {
      for (ImprovementBox& box :
           boxes_of({points.begin(), points.begin() + static_cast<std::ptrdiff_t>(k)}, reference, last)) {
        bool empty = false;
        for (std::size_t m = 0; m < last; ++m) empty = empty || !(box.high[m] > box.low[m]);
        if (empty) continue;
        box.low.push_back(from);
        box.high.push_back(to);
        out.push_back(std::move(box));
      }
      from = to;
    }
  }
  return out;
}

}  // namespace

std::vector<ImprovementBox> improvement_boxes(const std::vector<std::vector<double>>& front,
                                              const std::vector<double>& reference) {
  return boxes_of(front, reference, reference.size());
}

Acquisition::Acquisition(const GaussianProcess& objective, double best, bool has_best)
    : objectives_{objective}, best_(best), has_best_(has_best) {}

Acquisition::Acquisition(std::vector<GaussianProcess> objectives, std::vector<ImprovementBox> boxes, std::uint64_t seed)
    : objectives_(std::move(objectives)), boxes_(std::move(boxes)) {
  const SobolSequence sequence(seed);
  for (std::size_t s = 0; s < draws; ++s)
    for (std::size_t m = 0; m < objectives_.size(); ++m)
      draws_.push_back(normal_quantile(sequence(static_cast<std::int64_t>(s), m)));
}

void Acquisition::add_constraint(GaussianProcess process, double threshold) {
  constraints_.push_back({std::move(process), threshold});
}

double Acquisition::operator()(const double* x, std::span<double> gradient) const {
  std::fill(gradient.begin(), gradient.end(), 0.0);
  double value = 0;
  if (has_best_) value = objectives_.size() == 1 ? improvement(x, gradient) : hypervolume(x, gradient);
  std::vector<double> by_mean(gradient.size()), by_deviation(gradient.size());
  for (const Constraint& constraint : constraints_) {
    const auto [mean, deviation] = constraint.process(x, by_mean, by_deviation);
    const double z = (constraint.threshold - mean) / deviation;
    const double ratio = z < -10 ? 1 / mills(z) : std::exp(log_density(z)) / below(z);  // density over probability
    value += z < -10 ? log_density(z) + std::log(mills(z)) : std::log(below(z));
    for (std::size_t i = 0; i < gradient.size(); ++i)
      gradient[i] -= ratio * (by_mean[i] + z * by_deviation[i]) / deviation;
  }
  return value;
}

double Acquisition::improvement(const double* x, std::span<double> gradient) const {
  std::vector<double> by_mean(gradient.size()), by_deviation(gradient.size());
  const auto [mean, deviation] = objectives_[0](x, by_mean, by_deviation);
  const auto [log_h, below_over_h, density_over_h] = log_improvement((best_ - mean) / deviation);
  for (std::size_t i = 0; i < gradient.size(); ++i)
    gradient[i] += (-below_over_h * by_mean[i] + density_over_h * by_deviation[i]) / deviation;
  return log_h + std::log(deviation);
}

double Acquisition::hypervolume(const double* x, std::span<double> gradient) const {
  const std::size_t d = gradient.size(), objectives = objectives_.size();
  std::vector<double> by_mean(objectives * d), by_deviation(objectives * d), mean(objectives), deviation(objectives);
  for (std::size_t m = 0; m < objectives; ++m) {
    const auto posterior =
        objectives_[m](x, std::span(by_mean).subspan(m * d, d), std::span(by_deviation).subspan(m * d, d));
    mean[m] = posterior.mean;
    deviation[m] = posterior.deviation;
  }
  constexpr double least = 1e-12;  // as Optuna: so that there is a gradient where nothing is gained
  double total = 0;
  std::vector<double> y(objectives), side(objectives), slope_mean(objectives), slope_deviation(objectives);
  for (std::size_t s = 0; s < draws; ++s) {
    for (std::size_t m = 0; m < objectives; ++m) y[m] = mean[m] + deviation[m] * draws_[s * objectives + m];
    for (const ImprovementBox& box : boxes_) {
      double volume = 1;
      for (std::size_t m = 0; m < objectives; ++m) {
        const double room = box.high[m] - y[m];
        side[m] = std::clamp(room, least, std::max(box.high[m] - box.low[m], least));
        volume *= side[m];
      }
      total += volume;
      if (d == 0) continue;
      for (std::size_t m = 0; m < objectives; ++m) {
        const double room = box.high[m] - y[m];
        if (!(room > least && room < box.high[m] - box.low[m])) continue;
        slope_mean[m] -= volume / side[m];
        slope_deviation[m] -= volume / side[m] * draws_[s * objectives + m];
      }
    }
  }
  for (std::size_t m = 0; m < objectives; ++m)
    for (std::size_t i = 0; i < d; ++i)
      gradient[i] += (slope_mean[m] * by_mean[m * d + i] + slope_deviation[m] * by_deviation[m * d + i]) / total;
  return std::log(total / static_cast<double>(draws));
}

}  // namespace xgrad::tune
