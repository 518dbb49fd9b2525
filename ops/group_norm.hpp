#pragma once
// Normalisation of each example by itself, over its channels and places.

#include "../autograd/operand.hpp"

namespace xgrad {

/// Normalises groups of neighbouring channels of each example of x, of shape (N, C) or (N, C, ...):
///   y = (x - mean) / sqrt(variance + eps) * weight + bias, with the mean and the biased variance of each of the
///   `num_groups` groups of each example, and weight and bias of shape (C,), 1 and 0 where undefined.
/// The result lies in memory in the order of x where that is row-major or has the channels last; another order is
/// copied to row-major first. Throws Error unless num_groups divides the number of channels, for groups of one element,
/// and for shapes or dtypes that do not fit.
Tensor group_norm(Operand x, std::int64_t num_groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

struct InstanceNormOptions {
  bool use_input_stats = true;  // normalise by the statistics of each example; else by the running ones
  double momentum = 0.1;        // running = (1 - momentum) * running + momentum * batch
  double eps = 1e-5;            // added to the variance
};

/// Normalises each channel of each example of x, of shape (N, C, ...), over its places: group_norm with as many groups
/// as channels. running_mean and running_var, of shape (C,), move in place towards the means over the examples of mean
/// and unbiased variance, unless undefined; without use_input_stats they are what normalises. Throws Error for one
/// place a channel with use_input_stats, for statistics that are missing without, and for shapes or dtypes that do not
/// fit; the running statistics are then as before.
Tensor instance_norm(Operand x, const Tensor& running_mean = {}, const Tensor& running_var = {},
                     const Tensor& weight = {}, const Tensor& bias = {}, const InstanceNormOptions& options = {});

}  // namespace xgrad
