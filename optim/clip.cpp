#include "clip.hpp"

#include "../autograd/node.hpp"
#include "../autograd/sparse_rows.hpp"
#include "../ops/comparison.hpp"
#include "../ops/norm.hpp"

namespace xgrad::optim {

namespace {

/// The gradients of the parameters that are trained, the rows of sparse ones; those whose elements share memory are
/// replaced by copies.
std::vector<Tensor> gradients_of(const std::vector<Tensor>& parameters) {
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parameters) {
    if (!parameter.requires_grad() || parameter.numel() == 0) continue;
    if (const std::optional<SparseRows> sparse = sparse_grad(parameter)) {
      if (sparse->values.numel() > 0) gradients.push_back(sparse->values);
      continue;
    }
    if (!parameter.grad().defined()) continue;
    if (!xgrad::detail::is_dense(parameter.grad())) parameter.set_grad(parameter.grad().clone());
    gradients.push_back(parameter.grad());
  }
  return gradients;
}

double total_norm(const std::vector<Tensor>& gradients, double p) {
  double total = 0;
  for (const Tensor& gradient : gradients) {
    const double one = norm(gradient, p).item();
    if (std::isinf(p))
      total = std::isnan(one) || one > total ? one : total;
    else
      total += p == 2 ? one * one : std::pow(one, p);
  }
  return std::isinf(p) ? total : p == 2 ? std::sqrt(total) : std::pow(total, 1 / p);
}

}  // namespace

GradNorm clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type,
                         bool error_if_nonfinite) {
  check(max_norm >= 0, "clip_grad_norm_: max_norm is ", max_norm, "; it must not be negative");
  check(norm_type > 0, "clip_grad_norm_: norm_type is ", norm_type, "; it must be positive");
  const NoGrad no_grad;
  const std::vector<Tensor> gradients = gradients_of(parameters);
  const GradNorm total{total_norm(gradients, norm_type)};
  check(total.is_finite() || !error_if_nonfinite, "clip_grad_norm_: the norm of the gradients is ", total.value,
        "; with error_if_nonfinite = false they are scaled by it all the same");
  const double factor = max_norm / (total + 1e-6);
  if (std::isinf(max_norm) || factor >= 1) return total;
  for (Tensor gradient : gradients) gradient.mul_(factor);
  return total;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  check(clip_value >= 0, "clip_grad_value_: clip_value is ", clip_value, "; it must not be negative");
  const NoGrad no_grad;
  for (Tensor gradient : gradients_of(parameters)) gradient.copy_(clamp(gradient, -clip_value, clip_value));
}

}  // namespace xgrad::optim
