#pragma once

#include <optional>

#include "../autograd/operand.hpp"
#include "module.hpp"

namespace xgrad::nn {

struct LayerNormOptions {
  double eps = 1e-5;               // added to the variance
  bool elementwise_affine = true;  // weight and bias, learnt; else 1 and 0
  bool bias = true;                // without one, only weight is learnt
  DType dtype = float32;
};

/// layer_norm over the last axes, of the given shape. weight begins as 1, bias as 0, both of that shape.
struct LayerNorm {
  /// Throws Error for an empty shape, a negative size or an integer dtype.
  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {});
  explicit LayerNorm(std::int64_t features, const LayerNormOptions& options = {})
      : LayerNorm(Shape{features}, options) {}

  Tensor operator()(Operand x) const;
  auto fields() { return xgrad::fields("weight", parameter(weight), "bias", parameter(bias)); }

  Shape normalized_shape;
  Tensor weight, bias;  // undefined when not learnt
  double eps;
};

struct RMSNormOptions {
  std::optional<double> eps = {};  // added to the mean square; none: the spacing of the dtype at 1
  bool elementwise_affine = true;  // weight, learnt; else 1
  DType dtype = float32;
};

/// rms_norm over the last axes, of the given shape. weight, of that shape, begins as 1.
struct RMSNorm {
  /// Throws Error for an empty shape, a negative size or an integer dtype.
  explicit RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options = {});
  explicit RMSNorm(std::int64_t features, const RMSNormOptions& options = {}) : RMSNorm(Shape{features}, options) {}

  Tensor operator()(Operand x) const;
  auto fields() { return xgrad::fields("weight", parameter(weight)); }

  Shape normalized_shape;
  Tensor weight;  // undefined when not learnt
  std::optional<double> eps;
};

}  // namespace xgrad::nn
