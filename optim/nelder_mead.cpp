#include "nelder_mead.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "methods.hpp"

namespace xgrad::optim::detail {

namespace {

struct Corner {
  Vector x;
  double value;
  bool operator<(const Corner& other) const { return value < other.value; }
};

/// x0 and, for each element, x0 with that element changed by a twentieth; as SciPy begins.
std::vector<Corner> first_simplex(const Vector& x0, Objective& objective) {
  const auto corner = [&](const Vector& x) { return Corner{x, objective.value(x)}; };
  std::vector<Corner> simplex{corner(x0)};
  for (std::size_t i = 0; i < x0.size(); ++i) {
    Vector x = x0;
    x[i] = x[i] != 0 ? 1.05 * x[i] : 0.00025;
    simplex.push_back(corner(x));
  }
  std::stable_sort(simplex.begin(), simplex.end());
  return simplex;
}

bool is_small(const std::vector<Corner>& simplex, double tolerance) {
  for (const Corner& corner : simplex) {
    const bool near = largest(plus(corner.x, -1, simplex[0].x)) <= tolerance;
    if (!near || !(std::abs(corner.value - simplex[0].value) <= tolerance)) return false;
  }
  return true;
}

}  // namespace

Progress nelder_mead(Objective& objective, bool adaptive, const Limits& limits) {
  const Vector x0 = objective.elements();
  const auto n = static_cast<double>(x0.size());
  const double expansion = adaptive ? 1 + 2 / n : 2, contraction = adaptive ? 0.75 - 1 / (2 * n) : 0.5,
               shrinkage = adaptive ? 1 - 1 / n : 0.5;
  std::vector<Corner> simplex = first_simplex(x0, objective);
  std::int64_t steps = 0;
  const auto ended = [&](Progress::Reason reason) {
    return Progress{reason, simplex[0].x, {}, simplex[0].value, steps};
  };
  if (std::isnan(simplex[0].value)) return ended(Progress::not_finite);
  for (;; ++steps) {
    if (is_small(simplex, limits.tolerance)) return ended(Progress::converged);
    if (steps == limits.iterations) return ended(Progress::iterations);
    Corner& worst = simplex.back();
    Vector center(x0.size(), 0);
    for (std::size_t i = 0; i + 1 < simplex.size(); ++i) center = plus(center, 1 / n, simplex[i].x);
    const Vector way = plus(center, -1, worst.x);
    const auto at = [&](double along) {
      Corner corner{plus(center, along, way), 0};
      corner.value = objective.value(corner.x);
      return corner;
    };
    const Corner reflected = at(1);
    bool replaced = true;
    if (reflected.value < simplex[0].value) {
      const Corner expanded = at(expansion);
      worst = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < simplex[simplex.size() - 2].value) {
      worst = reflected;
    } else {
      const bool outside = reflected.value < worst.value;
      const Corner contracted = at(outside ? contraction : -contraction);
      replaced = outside ? contracted.value <= reflected.value : contracted.value < worst.value;
      if (replaced) worst = contracted;
    }
    if (!replaced)
      for (std::size_t i = 1; i < simplex.size(); ++i) {
        simplex[i].x = plus(simplex[0].x, shrinkage, plus(simplex[i].x, -1, simplex[0].x));
        simplex[i].value = objective.value(simplex[i].x);
      }
    std::stable_sort(simplex.begin(), simplex.end());
  }
}

}  // namespace xgrad::optim::detail
