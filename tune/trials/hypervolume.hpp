#pragma once
// The volume that a front dominates.

#include <cstddef>
#include <vector>

namespace xgrad::tune {

/// The volume of what is dominated by at least one of the points and below the reference point; all objectives are to
/// be minimised. Points that are not below it do not count.
double hypervolume(std::vector<std::vector<double>> points, const std::vector<double>& reference);

/// By how much hypervolume() of all points is above that of the others, for each point.
std::vector<double> hypervolume_contributions(const std::vector<std::vector<double>>& points,
                                              const std::vector<double>& reference);

/// Optuna's reference point: 1.1 times the worst value of each objective, or 0.9 times where that is negative.
std::vector<double> reference_point(const std::vector<std::vector<double>>& points);

/// Positions of `wanted` points of large hypervolume together: one after the other the one that adds the most
/// (which reaches at least 1 - 1/e of the largest).
std::vector<std::size_t> hypervolume_subset(const std::vector<std::vector<double>>& points, std::size_t wanted,
                                            const std::vector<double>& reference);

}  // namespace xgrad::tune
