#pragma once
// What layers that normalise channels share: their parameters of one number a channel, and running statistics.

#include "../autograd/tensor.hpp"

namespace xgrad::detail {

/// Throws Error in the name of `op` unless `tensor`, called `what`, is undefined or has shape (C,), for x of shape
/// (N, C, ...), and the dtype of x or, where x has 16 bits, float32.
void check_channels(const char* op, const char* what, const Tensor& tensor, const Tensor& x);

/// The same for running statistics, which go together, are contiguous, and must not require a gradient where they are
/// about to be overwritten.
void check_running(const char* op, const Tensor& running_mean, const Tensor& running_var, const Tensor& x,
                   bool overwritten);

/// running = (1 - momentum) * running + momentum * batch, in place, where `batch`, of shape (2, C), has means and
/// variances, which are multiplied by `correction`.
void update_running(const char* op, const Tensor& running_mean, const Tensor& running_var, const Tensor& batch,
                    double correction, double momentum);

}  // namespace xgrad::detail
