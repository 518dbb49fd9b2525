#pragma once
// Where an acquisition is largest.

#include <set>

#include "../trials/draws.hpp"
#include "../trials/joint_space.hpp"
#include "acquisition.hpp"

namespace xgrad::tune {

/// The parameters as axes of a Gaussian process: warp(u) of numbers, the index of choices.
struct SearchAxis {
  Distribution distribution;
  std::int64_t values = 0;  ///< 0: continuous
  bool categorical = false;
  std::optional<double> fixed = {};  ///< this coordinate is given
  double low = 0, high = 1;          ///< where a continuous one is searched

  double to_x(double value) const;
  double to_value(double x) const;
};

/// The coordinates of the best point found: by bounded L-BFGS from the best of Sobol points, from some others drawn by
/// what they promise, and from `starts`; steps and choices in turn with it. Points in `taken`, and those that
/// differ from one of them by less than `apart` along every axis, are only given where no other was found.
std::vector<double> most_promising(const Acquisition& acquisition, const std::vector<SearchAxis>& axes,
                                   const Points& starts, const std::set<std::vector<double>>& taken, Draws draws,
                                   double apart = 0);

}  // namespace xgrad::tune
