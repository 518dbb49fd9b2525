#pragma once
// Models with weights of bytes, for inference.

#include "linear.hpp"

namespace xgrad::nn {

namespace detail {
void quantize(const Tree& tree);
}  // namespace detail

/// A copy of a model that shares no memory with it, whose Linear layers hold a weight of int8 and a scale for each
/// output, weight_scale, a quarter of the bytes of float32; everything else stays as it is. PyTorch calls this dynamic
/// quantization: each row of a layer's input becomes bytes when it is used, with a scale of its own, and products of
/// bytes are summed up exactly. For inference: such a layer has no gradients.
///
///     nn::eval(net);
///     const auto small = nn::quantize(net);
///     const NoGrad no_grad;
///     small(x);
///
/// state_dict() has `weight` of int8 and `weight_scale`; load it into a quantize()d model. A weight that a Linear
/// shares with another module is its own from then on. Throws Error for a model without a floating Linear, and for a
/// weight that is not finite or has over 131072 inputs.
template <Module M>
M quantize(const M& model) {
  M small = clone(model);
  detail::quantize(detail::tree_of(small));
  return small;
}

}  // namespace xgrad::nn
