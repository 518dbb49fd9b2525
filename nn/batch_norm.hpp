#pragma once
// Batch normalisation as layers.

#include <optional>

#include "../autograd/operand.hpp"
#include "channel_norm.hpp"

namespace xgrad::nn {

struct BatchNormLayerOptions {
  double eps = 1e-5;                     // added to the variance
  std::optional<double> momentum = 0.1;  // running = (1 - momentum) * running + momentum * batch; none: the mean of all
  bool affine = true;                    // weight and bias, learnt; else 1 and 0
  bool track_running_stats = true;       // else the batch's statistics serve in evaluation too
  DType dtype = float32;
  bool unbiased = true;  // the divisor of the running variance: n - 1, else n (see batch_norm)
};

/// What BatchNorm1d, BatchNorm2d and BatchNorm3d share: see batch_norm. In training it normalises by the batch's
/// statistics and updates the running ones, which without a momentum are the means of those of all batches so far;
/// after eval(), by the running ones. num_batches_tracked counts the training batches.
struct BatchNorm : ChannelNorm {
  /// Throws Error for a negative size or an integer dtype.
  BatchNorm(std::int64_t num_features, const BatchNormLayerOptions& options);

  auto fields() { return joined(ChannelNorm::fields(), xgrad::fields("momentum", momentum)); }

  double eps;
  std::optional<double> momentum;
  bool unbiased;

 protected:
  Tensor apply_to(const Tensor& x) const;
  Tensor apply_relu_to(const Tensor& x, const Tensor& residual) const;

 private:
  template <class F>
  Tensor track(const F& normalized) const;
};

/// For x of shape (N, C) or (N, C, L).
struct BatchNorm1d : BatchNorm {
  explicit BatchNorm1d(std::int64_t num_features, const BatchNormLayerOptions& options = {})
      : BatchNorm(num_features, options) {}
  Tensor operator()(Operand x) const;
  /// relu of the same, or of its sum with a residual of the shape of x, in one pass over memory: see batch_norm_relu.
  Tensor relu(Operand x, const Tensor& residual = {}) const;
};

/// For images of shape (N, C, H, W).
struct BatchNorm2d : BatchNorm {
  explicit BatchNorm2d(std::int64_t num_features, const BatchNormLayerOptions& options = {})
      : BatchNorm(num_features, options) {}
  Tensor operator()(Operand x) const;
  /// relu of the same, or of its sum with a residual of the shape of x, in one pass over memory: see batch_norm_relu.
  Tensor relu(Operand x, const Tensor& residual = {}) const;
};

/// For volumes of shape (N, C, D, H, W).
struct BatchNorm3d : BatchNorm {
  explicit BatchNorm3d(std::int64_t num_features, const BatchNormLayerOptions& options = {})
      : BatchNorm(num_features, options) {}
  Tensor operator()(Operand x) const;
  /// relu of the same, or of its sum with a residual of the shape of x, in one pass over memory: see batch_norm_relu.
  Tensor relu(Operand x, const Tensor& residual = {}) const;
};

}  // namespace xgrad::nn
