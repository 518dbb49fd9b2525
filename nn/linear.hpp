#pragma once

#include "../autograd/operand.hpp"
#include "module.hpp"

namespace xgrad::nn {

struct LinearOptions {
  bool bias = true;
  DType dtype = float32;
};

/// y = x weight^T + bias, for x of shape (..., in_features).
/// weight (out, in) and bias (out,) begin uniform in [-1/sqrt(in), 1/sqrt(in)), as PyTorch's do. quantize() makes the
/// weight int8, and y = x (weight_scale weight)^T + bias; see nn/quantize.hpp.
struct Linear {
  /// Throws Error for a negative size or an integer dtype.
  Linear(std::int64_t in_features, std::int64_t out_features, const LinearOptions& options = {});

  Tensor operator()(Operand x) const;
  auto fields() {
    return xgrad::fields("weight", parameter(weight), "bias", parameter(bias), "weight_scale", buffer(weight_scale));
  }

  Tensor weight;
  Tensor bias;          // undefined without one
  Tensor weight_scale;  // (out,), of an int8 weight; else undefined
};

}  // namespace xgrad::nn
