#include "hypervolume.hpp"

#include <algorithm>
#include <limits>

namespace xgrad::tune {
namespace {

// In the first `axes` objectives. Sorted by the last of these, between one point and the next those before dominate
// what they do in the axes below.
double volume(std::vector<std::vector<double>> points, const std::vector<double>& reference, std::size_t axes) {
  if (axes == 1) {
    double least = reference[0];
    for (const auto& point : points) least = std::min(least, point[0]);
    return reference[0] - least;
  }
  const std::size_t last = axes - 1;
  std::sort(points.begin(), points.end(), [&](const auto& a, const auto& b) { return a[last] < b[last]; });
  double sum = 0, least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < points.size(); ++k) {
    const double height = (k + 1 < points.size() ? points[k + 1][last] : reference[last]) - points[k][last];
    least = std::min(least, points[k][0]);
    if (height <= 0) continue;
    sum += height *
           (axes == 2 ? reference[0] - least
                      : volume({points.begin(), points.begin() + static_cast<std::ptrdiff_t>(k) + 1}, reference, last));
  }
  return sum;
}

}  // namespace

double hypervolume(std::vector<std::vector<double>> points, const std::vector<double>& reference) {
  std::erase_if(points, [&](const std::vector<double>& point) {
    for (std::size_t m = 0; m < reference.size(); ++m)
      if (!(point[m] < reference[m])) return true;
    return false;
  });
  return points.empty() ? 0 : volume(std::move(points), reference, reference.size());
}

std::vector<double> hypervolume_contributions(const std::vector<std::vector<double>>& points,
                                              const std::vector<double>& reference) {
  const double all = hypervolume(points, reference);
  std::vector<double> out;
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::vector<std::vector<double>> others = points;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    out.push_back(std::max(all - hypervolume(std::move(others), reference), 0.0));
  }
  return out;
}

std::vector<double> reference_point(const std::vector<std::vector<double>>& points) {
  std::vector<double> out;
  for (std::size_t m = 0; !points.empty() && m < points[0].size(); ++m) {
    double worst = points[0][m];
    for (const auto& point : points) worst = std::max(worst, point[m]);
    const double reference = std::max(1.1 * worst, 0.9 * worst);
    out.push_back(reference == 0 ? 1e-12 : reference);
  }
  return out;
}

std::vector<std::size_t> hypervolume_subset(const std::vector<std::vector<double>>& points, std::size_t wanted,
                                            const std::vector<double>& reference) {
  std::vector<std::size_t> chosen;
  std::vector<std::vector<double>> together;
  // What a point adds never grows when others are chosen: an old figure is an upper bound.
  std::vector<double> bound(points.size(), std::numeric_limits<double>::infinity());
  double volume_so_far = 0;
  while (chosen.size() < std::min(wanted, points.size())) {
    std::size_t best = points.size();
    double most = -1;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (bound[i] <= most) continue;
      together.push_back(points[i]);
      bound[i] = hypervolume(together, reference) - volume_so_far;
      together.pop_back();
      if (bound[i] > most) most = bound[i], best = i;
    }
    if (best == points.size()) break;
    chosen.push_back(best);
    together.push_back(points[best]);
    volume_so_far += most;
    bound[best] = -2;
  }
  return chosen;
}

}  // namespace xgrad::tune
