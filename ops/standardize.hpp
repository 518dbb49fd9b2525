#pragma once
// What normalised elements are as differentiable operations: for derivatives of the gradients of layers that normalise.

#include <cmath>

#include "arithmetic.hpp"
#include "math.hpp"
#include "reduce.hpp"

namespace xgrad::detail {

struct Standardized {
  Tensor values, scale;  // (x - mean) * scale, and 1 / sqrt(variance + eps) for each mean
};

/// Over these axes, none being all of them. `near`, which broadcasts to the means, is about the scale: multiplied by it
/// squares stay within the dtype.
inline Standardized standardize(const Tensor& x, const Axes& axes, const Tensor& near, double eps) {
  const auto means = [&axes](const Tensor& of) { return mean(of, axes, {.keepdim = true}); };
  // Centred twice: the first mean has no digits for what may count in the difference.
  const Tensor about = x - means(x), scaled = (about - means(about)) * near,
               more = rsqrt(means(square(scaled)) + square(near * std::sqrt(eps)));
  return {scaled * more, near * more};
}

/// How the values change with x.
inline Tensor change_of_standardized(const Standardized& of, const Tensor& dx, const Axes& axes) {
  const auto means = [&axes](const Tensor& x) { return mean(x, axes, {.keepdim = true}); };
  return (dx - means(dx) - of.values * means(of.values * dx)) * of.scale;
}

}  // namespace xgrad::detail
