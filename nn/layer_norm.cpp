#include "layer_norm.hpp"

#include "../autograd/create.hpp"
#include "../ops/layer_norm.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

LayerNorm::LayerNorm(const Shape& shape, const LayerNormOptions& options) : normalized_shape(shape), eps(options.eps) {
  check(!shape.empty(), "LayerNorm: the normalized shape is empty; give at least the size of the last axis");
  if (!options.elementwise_affine) return;
  weight = ones(shape, {.dtype = options.dtype, .requires_grad = true});
  if (options.bias) bias = zeros(shape, {.dtype = options.dtype, .requires_grad = true});
}

Tensor LayerNorm::operator()(Operand x) const {
  return detail::locate(weight, [&] { return layer_norm(*x, normalized_shape, weight, bias, eps); });
}

RMSNorm::RMSNorm(const Shape& shape, const RMSNormOptions& options) : normalized_shape(shape), eps(options.eps) {
  check(!shape.empty(), "RMSNorm: the normalized shape is empty; give at least the size of the last axis");
  if (options.elementwise_affine) weight = ones(shape, {.dtype = options.dtype, .requires_grad = true});
}

Tensor RMSNorm::operator()(Operand x) const {
  return detail::locate(weight, [&] { return rms_norm(*x, normalized_shape, weight, eps); });
}

}  // namespace xgrad::nn
