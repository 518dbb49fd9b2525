#pragma once
// How much trying a point promises.

#include <cstdint>
#include <span>
#include <vector>

#include "gaussian_process.hpp"

namespace xgrad::tune {

/// A box of objectives to be minimised, in which a point would be an improvement.
struct ImprovementBox {
  std::vector<double> low, high;
};

/// Boxes that make up what no point of a front dominates, up to a reference point: they do not overlap; low ends may be
/// -inf. All objectives are to be minimised.
std::vector<ImprovementBox> improvement_boxes(const std::vector<std::vector<double>>& front,
                                              const std::vector<double>& reference);

/// The logarithm of an expected improvement, to be maximised: of one objective the expected improvement over `best`
/// (Ament et al., arXiv 2310.20708, for how it is computed where it is small), of several the expected gain in
/// hypervolume over a front, as a mean over fixed draws (Daulton et al., arXiv 2006.05078). Where there are constraints
/// the probability that all hold is a factor. Objectives and constraints are independent processes; objectives are
/// minimised, a constraint holds where it is below its threshold.
class Acquisition {
 public:
  /// Without a `best`, where no feasible point is known, only the constraints count.
  Acquisition(const GaussianProcess& objective, double best, bool has_best = true);
  Acquisition(std::vector<GaussianProcess> objectives, std::vector<ImprovementBox> boxes, std::uint64_t seed);

  void add_constraint(GaussianProcess process, double threshold);

  /// At x; `gradient` gets d numbers, or is empty.
  double operator()(const double* x, std::span<double> gradient = {}) const;

  const GaussianProcess& process() const { return objectives_[0]; }

 private:
  double improvement(const double* x, std::span<double> gradient) const;
  double hypervolume(const double* x, std::span<double> gradient) const;

  struct Constraint {
    GaussianProcess process;
    double threshold;
  };
  std::vector<GaussianProcess> objectives_;
  std::vector<Constraint> constraints_;
  double best_ = 0;
  bool has_best_ = true;
  std::vector<ImprovementBox> boxes_;
  std::vector<double> draws_;  // standard normal, by draw and objective
};

}  // namespace xgrad::tune
