#pragma once
// Norms, and the logarithm of a sum of exponentials.

#include "reduce.hpp"

namespace xgrad {

/// The p-norm (sum of |x|^p)^(1/p); for p = infinity the largest |x|, for -infinity the smallest (Error where there are
/// no elements), for 0 the number of elements other than 0, which has no gradient. Where the norm is 0, so is its
/// gradient. `norm(x)`, `norm(x, 1)`, `norm(x, 2, {0, 1}, {.keepdim = true})`. Integers and bool give float32.
Tensor norm(Operand x, double p = 2, const Axes& axes = {}, const ReduceOptions& options = {});

/// log of the sum of exp(x), for elements of any size; -inf where there are none. Integers and bool give float32.
Tensor logsumexp(Operand x, const Axes& axes = {}, const ReduceOptions& options = {});

}  // namespace xgrad
