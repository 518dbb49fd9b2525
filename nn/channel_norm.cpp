#include "channel_norm.hpp"

#include "../autograd/create.hpp"

namespace xgrad::nn {

ChannelNorm::ChannelNorm(std::int64_t num_features, bool affine, bool track_running_stats, DType dtype) {
  if (affine) {
    weight = ones({num_features}, {.dtype = dtype, .requires_grad = true});
    bias = zeros({num_features}, {.dtype = dtype, .requires_grad = true});
  }
  if (track_running_stats) {
    running_mean = zeros({num_features}, {.dtype = dtype});
    running_var = ones({num_features}, {.dtype = dtype});
    num_batches_tracked = zeros({}, {.dtype = int64});
  }
}

}  // namespace xgrad::nn
