#pragma once

#include "../autograd/operand.hpp"
#include "module.hpp"

namespace xgrad::nn {

struct GroupNormOptions {
  double eps = 1e-5;   // added to the variance
  bool affine = true;  // weight and bias, learnt; else 1 and 0
  DType dtype = float32;
};

/// group_norm of x of shape (N, C) or (N, C, ...). weight begins as 1, bias as 0, both of shape (C,).
struct GroupNorm {
  /// Throws Error for a negative size, an integer dtype, and unless num_groups divides num_channels.
  GroupNorm(std::int64_t num_groups, std::int64_t num_channels, const GroupNormOptions& options = {});

  Tensor operator()(Operand x) const;
  auto fields() {
    return xgrad::fields("weight", parameter(weight), "bias", parameter(bias), "num_groups", num_groups);
  }

  Tensor weight, bias;  // undefined when not affine
  std::int64_t num_groups, num_channels;
  double eps;
};

}  // namespace xgrad::nn
