#include "batch_norm.hpp"

#include "../autograd/create.hpp"
#include "../ops/normalization.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

BatchNorm::BatchNorm(std::int64_t num_features, const BatchNormLayerOptions& options)
    : eps(options.eps), momentum(options.momentum) {
  if (options.affine) {
    weight = ones({num_features}, {.dtype = options.dtype, .requires_grad = true});
    bias = zeros({num_features}, {.dtype = options.dtype, .requires_grad = true});
  }
  if (options.track_running_stats) {
    running_mean = zeros({num_features}, {.dtype = options.dtype});
    running_var = ones({num_features}, {.dtype = options.dtype});
    num_batches_tracked = zeros({}, {.dtype = int64});
  }
}

Tensor BatchNorm::apply_to(const Tensor& x) const {
  const bool by_batch = training || !running_mean.defined();
  Tensor y =
      batch_norm(x, running_mean, running_var, weight, bias, {.training = by_batch, .momentum = momentum, .eps = eps});
  if (training && num_batches_tracked.defined()) ++*num_batches_tracked.data<std::int64_t>();
  return y;
}

Tensor BatchNorm1d::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    check(x->dim() == 2 || x->dim() == 3, "BatchNorm1d: input has shape ", x->shape(),
          "; (N, C) or (N, C, L) is needed");
    return apply_to(*x);
  });
}

Tensor BatchNorm2d::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    check(x->dim() == 4, "BatchNorm2d: input has shape ", x->shape(), "; (N, C, H, W) is needed");
    return apply_to(*x);
  });
}

}  // namespace xgrad::nn
