#pragma once
// Batch normalisation as layers.

#include "../autograd/operand.hpp"
#include "module.hpp"

namespace xgrad::nn {

struct BatchNormLayerOptions {
  double eps = 1e-5;                // added to the variance
  double momentum = 0.1;            // running = (1 - momentum) * running + momentum * batch
  bool affine = true;               // weight and bias, learnt; else 1 and 0
  bool track_running_stats = true;  // else the batch's statistics serve in evaluation too
  DType dtype = float32;
};

/// What BatchNorm1d and BatchNorm2d share: see batch_norm. In training it normalises by the batch's statistics and updates the
/// running ones; after eval(), by the running ones. weight begins as 1, bias as 0, running_mean as 0, running_var as 1.
struct BatchNorm {
  /// Throws Error for a negative size or an integer dtype.
  BatchNorm(std::int64_t num_features, const BatchNormLayerOptions& options);

  auto fields() {
    return xgrad::fields("weight", parameter(weight), "bias", parameter(bias), "running_mean", buffer(running_mean),
                         "running_var", buffer(running_var), "num_batches_tracked", buffer(num_batches_tracked),
                         "training", training, "momentum", momentum);
  }

  Tensor weight, bias;                // (C,); undefined when not affine
  Tensor running_mean, running_var;   // (C,); undefined when not tracked
  Tensor num_batches_tracked;         // int64, (); the number of training batches seen
  double eps, momentum;
  bool training = true;

 protected:
  Tensor apply_to(const Tensor& x) const;
};

/// For x of shape (N, C) or (N, C, L).
struct BatchNorm1d : BatchNorm {
  explicit BatchNorm1d(std::int64_t num_features, const BatchNormLayerOptions& options = {}) : BatchNorm(num_features, options) {}
  Tensor operator()(Operand x) const;
};

/// For images of shape (N, C, H, W).
struct BatchNorm2d : BatchNorm {
  explicit BatchNorm2d(std::int64_t num_features, const BatchNormLayerOptions& options = {}) : BatchNorm(num_features, options) {}
  Tensor operator()(Operand x) const;
};

}  // namespace xgrad::nn
