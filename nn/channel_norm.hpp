#pragma once
// What layers have in common that normalise the channels of their input.

#include <algorithm>
#include <initializer_list>

#include "module.hpp"

namespace xgrad::nn {

/// weight and bias, which begin as 1 and 0, and the running statistics, which begin as 0 and 1.
struct ChannelNorm {
  /// Throws Error for a negative size or an integer dtype.
  ChannelNorm(std::int64_t num_features, bool affine, bool track_running_stats, DType dtype);

  auto fields() {
    return xgrad::fields("weight", parameter(weight), "bias", parameter(bias), "running_mean", buffer(running_mean),
                         "running_var", buffer(running_var), "num_batches_tracked", buffer(num_batches_tracked),
                         "training", training);
  }

  Tensor weight, bias;               // (C,); undefined when not affine
  Tensor running_mean, running_var;  // (C,); undefined when not tracked
  Tensor num_batches_tracked;        // int64, ()
  bool training = true;

 protected:
  /// Throws Error in the name of a layer unless x has one of these numbers of axes, which `shapes` describes.
  static void expect_rank(const char* layer, const Tensor& x, std::initializer_list<std::size_t> ranks,
                          const char* shapes) {
    check(std::find(ranks.begin(), ranks.end(), x.dim()) != ranks.end(), layer, ": input has shape ", x.shape(), "; ",
          shapes, " is needed");
  }
};

}  // namespace xgrad::nn
