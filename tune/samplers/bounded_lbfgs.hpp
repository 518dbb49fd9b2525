#pragma once
// Minimisation of a smooth function of a few numbers in a box.

#include <functional>
#include <span>
#include <vector>

namespace xgrad::tune {

struct BoundedLbfgsOptions {
  int max_iterations = 100;
  double tolerance = 1e-5;  ///< ends where no component of the projected gradient is above this
};

/// L-BFGS with projection onto the box (Bertsekas 1982): what is held at a bound by its gradient stays there, the
/// others take the step of the inverse Hessian built from the last pairs, halved until the function sank enough.
/// `evaluate` gives the value at x and writes the gradient. x is moved to the best point found, whose value is
/// returned.
double minimize_in_box(const std::function<double(std::span<const double>, std::span<double>)>& evaluate,
                       std::vector<double>& x, std::span<const double> low, std::span<const double> high,
                       const BoundedLbfgsOptions& options = {});

}  // namespace xgrad::tune
