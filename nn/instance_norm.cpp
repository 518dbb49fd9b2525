#include "instance_norm.hpp"

#include "../ops/group_norm.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

InstanceNorm::InstanceNorm(std::int64_t num_features, const InstanceNormLayerOptions& options)
    : ChannelNorm(num_features, options.affine, options.track_running_stats, options.dtype),
      eps(options.eps),
      momentum(options.momentum) {}

Tensor InstanceNorm::apply_to(const Tensor& x) const {
  const bool by_input = training || !running_mean.defined();
  return instance_norm(x, running_mean, running_var, weight, bias,
                       {.use_input_stats = by_input, .momentum = momentum, .eps = eps});
}

Tensor InstanceNorm1d::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    expect_rank("InstanceNorm1d", x, {3}, "(N, C, L)");
    return apply_to(*x);
  });
}

Tensor InstanceNorm2d::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    expect_rank("InstanceNorm2d", x, {4}, "(N, C, H, W)");
    return apply_to(*x);
  });
}

Tensor InstanceNorm3d::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    expect_rank("InstanceNorm3d", x, {5}, "(N, C, D, H, W)");
    return apply_to(*x);
  });
}

}  // namespace xgrad::nn
