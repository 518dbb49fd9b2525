#pragma once
// The standard normal distribution.

namespace xgrad::tune {

/// Probability of (a, b), without cancellation where both lie far on one side. 0 unless a < b.
double normal_mass(double a, double b);

/// The x below which the probability is p, to about 1e-15 (Wichura, algorithm AS 241). -inf at 0, inf at 1.
double normal_quantile(double p);

}  // namespace xgrad::tune
