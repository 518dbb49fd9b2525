#pragma once
// Normalisation over a mini-batch, and dropout.

#include "../autograd/operand.hpp"

namespace xgrad {

struct BatchNormOptions {
  bool training = false;  // normalise by the batch's statistics and update the running ones; else by the running ones
  double momentum = 0.1;  // running = (1 - momentum) * running + momentum * batch
  double eps = 1e-5;      // added to the variance
  bool unbiased = true;   // whether the running variance is of the divisor n - 1; else of n, the variance of the batch
};

/// Normalises each channel of x, of shape (N, C) or (N, C, ...), over all other axes:
///   y = (x - mean) / sqrt(variance + eps) * weight + bias, with weight and bias of shape (C,), 1 and 0 where
///   undefined.
/// In training mean and biased variance are the batch's, and running_mean and running_var, of shape (C,), move towards
/// the batch's mean and variance, in place, unless undefined. Otherwise they are what normalises. Throws Error
/// for training with one value a channel, for statistics that are missing when not training, and for shapes or dtypes
/// that do not fit; the running statistics are then as before. The result lies in memory in the order of x.
Tensor batch_norm(Operand x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight = {},
                  const Tensor& bias = {}, const BatchNormOptions& options = {});

/// relu(batch_norm(...) + residual) in one pass over memory, and one less backward; residual, of the shape and dtype of
/// x, is 0 where undefined.
Tensor batch_norm_relu(Operand x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight = {},
                       const Tensor& bias = {}, const Tensor& residual = {}, const BatchNormOptions& options = {});

/// In training sets each element to 0 with probability p and divides the others by 1 - p; else gives x. The mask comes
/// from default_generator(), drawn in the order of the elements in memory. Throws Error unless 0 <= p <= 1.
Tensor dropout(Operand x, double p = 0.5, bool training = true);
/// In training sets whole channels of each example to 0, with probability p, and divides the others by 1 - p; else
/// gives x. The shape is (N, C, L) for dropout1d, (N, C, H, W) for dropout2d and (N, C, D, H, W) for dropout3d. The
/// mask comes from default_generator(). Throws Error for other shapes, and unless 0 <= p <= 1.
Tensor dropout1d(Operand x, double p = 0.5, bool training = true);
Tensor dropout2d(Operand x, double p = 0.5, bool training = true);
Tensor dropout3d(Operand x, double p = 0.5, bool training = true);
/// In training sets each element, with probability p, to what selu gives far below 0, and scales and shifts all such
/// that mean 0 and variance 1 stay; else gives x. Throws Error unless 0 <= p <= 1.
Tensor alpha_dropout(Operand x, double p = 0.5, bool training = true);

}  // namespace xgrad
