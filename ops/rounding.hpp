#pragma once
// Integers near a number, element by element, and numbers in place of what is none. Integer tensors are given back as
// they are.

#include <optional>

#include "reduce.hpp"

namespace xgrad {

/// The smallest integer that is not below x. The derivative is 0.
Tensor ceil(Operand x);
/// x without what follows the point. The derivative is 0.
Tensor trunc(Operand x);
/// x rounded to that many decimals (to tens, hundreds, ... where negative), to even where two are as near. The
/// derivative is 0.
Tensor round(Operand x, std::int64_t decimals = 0);
/// x - trunc(x), with derivative 1.
Tensor frac(Operand x);

struct NanToNumOptions {
  double nan = 0;                     // in place of NaN
  std::optional<double> posinf = {};  // in place of infinity: by default the largest number of the dtype
  std::optional<double> neginf = {};  // and of -infinity: by default the lowest
};
/// x with numbers in place of NaN and infinities, whose gradient is 0.
Tensor nan_to_num(Operand x, const NanToNumOptions& options = {});

/// The sum of the elements that are not NaN. Without axes over all; the options and dtypes are those of sum.
Tensor nansum(Operand x, const Axes& axes = {}, const SumOptions& options = {});
/// The mean of the elements that are not NaN: NaN where there is none.
Tensor nanmean(Operand x, const Axes& axes = {}, const SumOptions& options = {});

}  // namespace xgrad
