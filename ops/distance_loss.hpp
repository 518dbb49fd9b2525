#pragma once
// Losses that compare each element with what it should be: how far it is off, or how unlikely the target is under the
// distribution that it is a parameter of. As torch.nn.functional.
//
// Input and target have one shape, an Error otherwise, and are brought to one floating dtype; both may have a gradient.

#include "loss.hpp"

namespace xgrad {

struct BCEOptions {
  Tensor weight = {};  // of each element, broadcast to the input
  Reduction reduction = Reduction::mean;
};

/// -(target * log(input) + (1 - target) * log(1 - input)) for probabilities, with logarithms no lower than -100. Throws
/// Error for an input outside [0, 1]. Of sigmoid(x), binary_cross_entropy_with_logits(x, ...) is faster and exact.
Tensor binary_cross_entropy(Operand input, const Tensor& target, const BCEOptions& options = {});

struct HuberLossOptions {
  double delta = 1;  // above 0
  Reduction reduction = Reduction::mean;
};

/// d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = input - target.
Tensor huber_loss(Operand input, const Tensor& target, const HuberLossOptions& options = {});

struct SmoothL1LossOptions {
  double beta = 1;  // not below 0; with 0 it is l1_loss
  Reduction reduction = Reduction::mean;
};

/// d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = input - target.
Tensor smooth_l1_loss(Operand input, const Tensor& target, const SmoothL1LossOptions& options = {});

struct KLDivOptions {
  bool log_target = false;                // whether the target is given as its logarithm
  Reduction reduction = Reduction::mean;  // of elements; the divergence is the sum, PyTorch's "batchmean" that over N
};

/// target * (log(target) - input): terms of the Kullback-Leibler divergence of the distribution with log-probabilities
/// `input` from that with probabilities `target`. 0 where the target is 0, where the gradient of target * log(target)
/// counts as 0.
Tensor kl_div(Operand input, const Tensor& target, const KLDivOptions& options = {});

struct PoissonNLLLossOptions {
  bool log_input = true;  // whether the input is the logarithm of the rate
  bool full = false;      // with Stirling's approximation of log(target!), for targets over 1
  double eps = 1e-8;      // is added to a rate before its logarithm is taken
  Reduction reduction = Reduction::mean;
};

/// e^input - target * input, or input - target * log(input + eps): the negative log-likelihood of counts, but for a
/// constant.
Tensor poisson_nll_loss(Operand input, const Tensor& target, const PoissonNLLLossOptions& options = {});

struct GaussianNLLLossOptions {
  bool full = false;  // with the constant log(2 pi) / 2
  double eps = 1e-6;  // above 0: a variance below it counts as it, with the gradient of one that does not
  Reduction reduction = Reduction::mean;
};

/// (log(var) + (input - target)^2 / var) / 2: the negative log-likelihood of normal variables with mean `input`. The
/// variance has the shape of the input, or that with a last axis of 1, or without the last axis: one for all of it.
/// Throws Error for a negative variance.
Tensor gaussian_nll_loss(Operand input, const Tensor& target, const Tensor& var,
                         const GaussianNLLLossOptions& options = {});

}  // namespace xgrad
