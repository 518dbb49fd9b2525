#pragma once
// Squared deviations from means, in one pass over memory.

#include "reduction.hpp"

namespace xgrad::detail {

/// What a tensor's elements are spread around, and how far.
struct Deviations {
  Tensor mean;     // with keepdim
  Tensor squares;  // the sum of (x - mean)^2
};
/// Outside the graph. The mean of no elements is NaN, its sum of squares 0. Throws Error in the name of `op` for a
/// tensor that is not floating.
Deviations deviations(const char* op, const Tensor& x, const ReducedShape& shape);

}  // namespace xgrad::detail
