#pragma once
// Instance normalisation as layers.

#include "../autograd/operand.hpp"
#include "channel_norm.hpp"

namespace xgrad::nn {

struct InstanceNormLayerOptions {
  double eps = 1e-5;                 // added to the variance
  double momentum = 0.1;             // running = (1 - momentum) * running + momentum * batch
  bool affine = false;               // weight and bias, learnt; else 1 and 0
  bool track_running_stats = false;  // running statistics, which serve in evaluation; else each example's do
  DType dtype = float32;
};

/// What InstanceNorm1d, InstanceNorm2d and InstanceNorm3d share: see instance_norm. num_batches_tracked stays 0, as in
/// PyTorch.
struct InstanceNorm : ChannelNorm {
  /// Throws Error for a negative size or an integer dtype.
  InstanceNorm(std::int64_t num_features, const InstanceNormLayerOptions& options);

  double eps, momentum;

 protected:
  Tensor apply_to(const Tensor& x) const;
};

/// For x of shape (N, C, L).
struct InstanceNorm1d : InstanceNorm {
  explicit InstanceNorm1d(std::int64_t num_features, const InstanceNormLayerOptions& options = {})
      : InstanceNorm(num_features, options) {}
  Tensor operator()(Operand x) const;
};

/// For images of shape (N, C, H, W).
struct InstanceNorm2d : InstanceNorm {
  explicit InstanceNorm2d(std::int64_t num_features, const InstanceNormLayerOptions& options = {})
      : InstanceNorm(num_features, options) {}
  Tensor operator()(Operand x) const;
};

/// For volumes of shape (N, C, D, H, W).
struct InstanceNorm3d : InstanceNorm {
  explicit InstanceNorm3d(std::int64_t num_features, const InstanceNormLayerOptions& options = {})
      : InstanceNorm(num_features, options) {}
  Tensor operator()(Operand x) const;
};

}  // namespace xgrad::nn
