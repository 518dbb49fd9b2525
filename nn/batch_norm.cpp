#include "batch_norm.hpp"

#include "../ops/normalization.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

BatchNorm::BatchNorm(std::int64_t num_features, const BatchNormLayerOptions& options)
    : ChannelNorm(num_features, options.affine, options.track_running_stats, options.dtype),
      eps(options.eps),
      momentum(options.momentum),
      unbiased(options.unbiased) {}

template <class F>
Tensor BatchNorm::track(const F& normalized) const {
  const bool by_batch = training || !running_mean.defined();
  std::int64_t* const seen = num_batches_tracked.defined() ? num_batches_tracked.data<std::int64_t>() : nullptr;
  const double share = momentum.value_or(seen ? 1 / (static_cast<double>(*seen) + 1) : 0);
  Tensor y = normalized(BatchNormOptions{.training = by_batch, .momentum = share, .eps = eps, .unbiased = unbiased});
  if (training && seen) ++*seen;
  return y;
}

Tensor BatchNorm::apply_to(const Tensor& x) const {
  return track(
      [&](const BatchNormOptions& options) { return batch_norm(x, running_mean, running_var, weight, bias, options); });
}

Tensor BatchNorm::apply_relu_to(const Tensor& x, const Tensor& residual) const {
  return track([&](const BatchNormOptions& options) {
    return batch_norm_relu(x, running_mean, running_var, weight, bias, residual, options);
  });
}

Tensor BatchNorm1d::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    expect_rank("BatchNorm1d", x, {2, 3}, "(N, C) or (N, C, L)");
    return apply_to(*x);
  });
}

Tensor BatchNorm1d::relu(Operand x, const Tensor& residual) const {
  return detail::locate(weight, [&] {
    expect_rank("BatchNorm1d", x, {2, 3}, "(N, C) or (N, C, L)");
    return apply_relu_to(*x, residual);
  });
}

Tensor BatchNorm2d::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    expect_rank("BatchNorm2d", x, {4}, "(N, C, H, W)");
    return apply_to(*x);
  });
}

Tensor BatchNorm2d::relu(Operand x, const Tensor& residual) const {
  return detail::locate(weight, [&] {
    expect_rank("BatchNorm2d", x, {4}, "(N, C, H, W)");
    return apply_relu_to(*x, residual);
  });
}

Tensor BatchNorm3d::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    expect_rank("BatchNorm3d", x, {5}, "(N, C, D, H, W)");
    return apply_to(*x);
  });
}

Tensor BatchNorm3d::relu(Operand x, const Tensor& residual) const {
  return detail::locate(weight, [&] {
    expect_rank("BatchNorm3d", x, {5}, "(N, C, D, H, W)");
    return apply_relu_to(*x, residual);
  });
}

}  // namespace xgrad::nn
