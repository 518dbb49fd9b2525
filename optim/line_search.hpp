#pragma once
// A step along a line that decreases a function enough.

#include <functional>

namespace xgrad::optim::detail {

struct LinePoint {
  double value, slope;
};

struct LineSearch {
  double sufficient_decrease = 1e-3;  // of the decrease that the slope at 0 foretells
  double curvature = 0.9;             // of the slope at 0, that may be left
  int max_evaluations = 20;
};

struct LineStep {
  bool found = false;
  double step = 0;
};

/// A step that satisfies the strong Wolfe conditions, f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)|, for f'(0) <
/// 0, from a first one on; by the algorithm of More and Thuente (1994). Where values differ by less than `noise`, that
/// the slope has become smaller is enough. What is not finite is too far away. The last point that f was called for is
/// that of the step that was found.
LineStep search_line(const std::function<LinePoint(double)>& f, const LinePoint& at_zero, double first_step,
                     double noise, const LineSearch& options = {});

}  // namespace xgrad::optim::detail
