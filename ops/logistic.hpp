#pragma once
// The logistic function and its integral for formulas that are written once, for duals and tensors alike. They, and
// their derivatives of any order, keep their relative precision in both tails.

#include <limits>
#include <type_traits>

#include "../kernels/dual.hpp"
#include "activation.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "math.hpp"

namespace xgrad::detail {

template <class X>
struct Logistic {
  X value, rest;  // sigmoid(x) and 1 - sigmoid(x)
};

template <class X>
Logistic<X> logistic(const X& x) {
  const auto positive = x > 0;
  const X less = sigmoid(where(positive, -x, x)), more = 1 - less;  // less is at most 1/2
  return {where(positive, more, less), where(positive, less, more)};
}

/// log(1 + e^x), which the softplus of tensors takes for x beyond a threshold.
template <class X>
X log_of_one_plus_exp(const X& x) {
  if constexpr (std::is_same_v<X, Tensor>)
    return softplus(x, 1, std::numeric_limits<double>::infinity());
  else
    return softplus(x);
}

}  // namespace xgrad::detail
