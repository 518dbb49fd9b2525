#include "running_statistics.hpp"

#include "../autograd/node.hpp"

namespace xgrad::detail {

void check_channels(const char* op, const char* what, const Tensor& tensor, const Tensor& x) {
  if (!tensor.defined()) return;
  const DType computed = compute_dtype(x.dtype());
  check(tensor.shape() == Shape{x.size(1)} && (tensor.dtype() == x.dtype() || tensor.dtype() == computed), op, ": ",
        what, " has shape ", tensor.shape(), " and dtype ", tensor.dtype(), ", input ", x.shape(), " of ", x.dtype(),
        " needs (", x.size(1), ",) of ", x.dtype(), computed != x.dtype() ? " or float32" : "");
}

void check_running(const char* op, const Tensor& running_mean, const Tensor& running_var, const Tensor& x,
                   bool overwritten) {
  check_channels(op, "running_mean", running_mean, x);
  check_channels(op, "running_var", running_var, x);
  check(running_mean.defined() == running_var.defined(), op, ": running_mean and running_var go together");
  check(!running_mean.defined() || (running_mean.is_contiguous() && running_var.is_contiguous()), op,
        ": the running statistics must be contiguous");
  check(!overwritten || !is_grad_enabled() || !(running_mean.requires_grad() || running_var.requires_grad()), op, ": ",
        running_mean.requires_grad() ? "running_mean" : "running_var",
        " requires a gradient, and training overwrites it; detach() it, or evaluate");
}

void update_running(const char* op, const Tensor& running_mean, const Tensor& running_var, const Tensor& batch,
                    double correction, double momentum) {
  const Array means = as_dtype(running_mean, batch.dtype()), variances = as_dtype(running_var, batch.dtype());
  dispatch_floating(op, batch.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t channels = running_mean.numel();
    const auto moved = [momentum](T running, double now) {
      if (momentum == 1) return static_cast<T>(now);
      return momentum == 0 ? running : static_cast<T>((1 - momentum) * static_cast<double>(running) + momentum * now);
    };
    const T *const mean = batch.data<T>(), *const variance = mean + channels;
    T *const to_mean = first_element<T>(means), *const to_var = first_element<T>(variances);
    for (std::int64_t c = 0; c < channels; ++c) {
      to_mean[c] = moved(to_mean[c], static_cast<double>(mean[c]));
      to_var[c] = moved(to_var[c], static_cast<double>(variance[c]) * correction);
    }
  });
  if (means.dtype != running_mean.dtype()) {
    overwrite(running_mean, means);
    overwrite(running_var, variances);
  }
  running_mean.impl().storage->raise_version(op);
  running_var.impl().storage->raise_version(op);
}

}  // namespace xgrad::detail
