#pragma once
// Reductions: many elements of a tensor become one.
//
// Each goes over all axes, over one or over several: sum(x), sum(x, 1), sum(x, {0, 2}, {.keepdim = true}). The reduced
// axes disappear from the shape, or stay with size 1 under keepdim. Every reduction throws Error for an axis that x
// does not have or that is named twice. Results do not depend on the number of threads.

#include <optional>

#include "../array/axes.hpp"
#include "../autograd/operand.hpp"

namespace xgrad {

struct ReduceOptions {
  bool keepdim = false;  // reduced axes stay, with size 1
};

struct SumOptions {
  bool keepdim = false;
  std::optional<DType> dtype = {};  // of the result; x is converted to it first
};

/// Sum of the elements; 0 where there are none. Integers and bool give int64 where options name no dtype.
Tensor sum(Operand x, const Axes& axes = {}, const SumOptions& options = {});

/// Arithmetic mean; NaN where there are no elements. Integers and bool are averaged in float64 and give float32 where
/// options name no dtype, which must be a floating one.
Tensor mean(Operand x, const Axes& axes = {}, const SumOptions& options = {});

struct VarOptions {
  std::int64_t correction = 1;  // subtracted from the number of elements in the divisor; 0 for the population variance
  bool keepdim = false;
};

/// Variance: sum of (x - mean)^2, divided by the number of elements less `correction`, or 0 if that is negative.
/// Integers and bool are computed in float64 and give float32.
Tensor var(Operand x, const Axes& axes = {}, const VarOptions& options = {});

/// Standard deviation, the square root of var(); its derivative at 0 is 0. PyTorch's std: that name would make `std::`
/// ambiguous after `using namespace xgrad`, so it is called as in xtensor.
Tensor stddev(Operand x, const Axes& axes = {}, const VarOptions& options = {});

/// Whether all elements are other than 0 (NaN is): a bool tensor; true where there are none.
Tensor all(Operand x, const Axes& axes = {}, const ReduceOptions& options = {});
/// Whether any element is other than 0 (NaN is): a bool tensor; false where there are none.
Tensor any(Operand x, const Axes& axes = {}, const ReduceOptions& options = {});
/// How many elements are other than 0 (NaN is), int64.
Tensor count_nonzero(Operand x, const Axes& axes = {}, const ReduceOptions& options = {});

}  // namespace xgrad
