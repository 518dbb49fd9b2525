#pragma once
// Distributions as coordinates: every parameter is a number u in [0, 1), in which draws are uniform.

#include <cstdint>
#include <optional>
#include <string>

#include "distribution.hpp"

namespace xgrad::tune {

/// The distribution of parameter `name`, with the high end of a stepped range lowered to low + k step. Throws Error, as
/// in `suggest_float: "lr": low 1 is above high 0.1`, for
///   - an end that is NaN or infinite, low > high, a range so wide that high - low is infinite,
///   - a log scale with low <= 0 (of a whole number: low < 1), log_one_minus with high >= 1 or of a whole number,
///   - a step that is not above 0, or with another scale than linear,
///   - whole numbers beyond 2^53 in magnitude, which a double does not hold,
///   - a step of which the range has more than 2^53,
///   - no choices, the same choice twice, and choices that JSON does not have: NaN, infinity, text that is no UTF-8.
Distribution checked(const std::string& name, const Distribution& distribution);

/// Whether a value (the number itself, or the index of the choice) is one that the distribution gives.
bool contains(const Distribution& distribution, double value);

/// A choice or number as a parameter stores it: the number itself, or the index of the choice. Nothing where the
/// distribution does not give it.
std::optional<double> value_in(const Distribution& distribution, const Choice& value);

/// How many values the distribution has; 0 for a range without steps, whose low and high differ. A range that is so
/// narrow that its ends are the same on its scale, as 0.1 and the next double are by their logarithms, counts as one
/// value: its low end.
std::int64_t count(const Distribution& distribution);

/// The coordinate u in [0, 1] of a value. Of k values (steps, whole numbers, choices) each has a cell of [0, 1], and u
/// is in it: for choices and on a linear scale cells are 1/k wide, and u is their middle.
double warp(const Distribution& distribution, double value);

/// The value at u in [0, 1]; contains() holds for it. The inverse of warp().
double unwarp(const Distribution& distribution, double u);

/// A range in the coordinate z in which its scale is linear: z = x, ln x or -ln(1 - x).
struct Axis {
  Scale scale;
  double low, high;              ///< in z; with a step half a step further out than the range itself
  double first, last, step = 0;  ///< the range in x; step 0 for a continuous one

  /// For float and int distributions that passed checked().
  explicit Axis(const FloatDistribution& range);
  explicit Axis(const IntDistribution& range);

  double to_z(double x) const;
  /// The value in the range, on a step where there are steps, that is nearest to z.
  double from_z(double z) const;
};

/// The axis of a float or int distribution. Throws Error for a categorical one.
Axis axis(const Distribution& distribution);

}  // namespace xgrad::tune
