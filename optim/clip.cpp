#include "clip.hpp"

#include <algorithm>
#include <cmath>

#include "../autograd/node.hpp"
#include "../core/instruction_set.hpp"

namespace xgrad::optim {

namespace {

/// Calls f(pointer, n, gradient) with the elements of each gradient, in whatever order of its axes they lie.
template <class F>
void for_gradients(const std::vector<Tensor>& parameters, F&& f) {
  for (const Tensor& parameter : parameters) {
    const Tensor gradient = parameter.grad();
    if (!gradient.defined() || !parameter.requires_grad()) continue;
    if (!xgrad::detail::is_dense(gradient)) parameter.set_grad(gradient.clone());
    const Tensor dense = parameter.grad();
    const xgrad::detail::Array numbers = xgrad::detail::as_dtype(dense, xgrad::detail::compute_dtype(dense.dtype()));
    dispatch_floating("clip_grad", numbers.dtype, [&](auto zero) {
      f(xgrad::detail::first_element<decltype(zero)>(numbers), dense.numel(), dense);
    });
    if (numbers.dtype != dense.dtype()) xgrad::detail::overwrite(dense, numbers);
  }
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type,
                       bool error_if_nonfinite) {
  check(max_norm >= 0, "clip_grad_norm_: max_norm is ", max_norm, "; it must not be negative");
  check(norm_type > 0, "clip_grad_norm_: norm_type is ", norm_type, "; it must be positive");
  const NoGrad no_grad;
  double total = 0;
  for_gradients(parameters, [&](auto* g, std::int64_t n, const Tensor&) {
    for (std::int64_t i = 0; i < n; ++i) {
      const double size = std::abs(static_cast<double>(g[i]));
      if (std::isinf(norm_type))
        total = std::isnan(size) || size > total ? size : total;
      else
        total += norm_type == 2 ? size * size : std::pow(size, norm_type);
    }
  });
  const double norm = std::isinf(norm_type) ? total
                      : norm_type == 2      ? std::sqrt(total)
                                            : std::pow(total, 1 / norm_type);
  check(std::isfinite(norm) || !error_if_nonfinite, "clip_grad_norm_: the norm of the gradients is ", norm,
        "; with error_if_nonfinite = false they are scaled by it all the same");
  if (std::isinf(max_norm)) return norm;
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for_gradients(parameters, [&](auto* g, std::int64_t n, const Tensor& gradient) {
    const auto scale = static_cast<std::remove_reference_t<decltype(*g)>>(factor);
    vectorized([=] {
      for (std::int64_t i = 0; i < n; ++i) g[i] *= scale;
    });
    gradient.impl().storage->raise_version("clip_grad_norm_");
  });
  return norm;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  check(clip_value >= 0, "clip_grad_value_: clip_value is ", clip_value, "; it must not be negative");
  const NoGrad no_grad;
  for_gradients(parameters, [&](auto* g, std::int64_t n, const Tensor& gradient) {
    const auto limit = static_cast<std::remove_reference_t<decltype(*g)>>(clip_value);
    vectorized([=] {
      for (std::int64_t i = 0; i < n; ++i) g[i] = g[i] > limit ? limit : g[i] < -limit ? -limit : g[i];
    });
    gradient.impl().storage->raise_version("clip_grad_value_");
  });
}

}  // namespace xgrad::optim
