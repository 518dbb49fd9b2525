#pragma once
// Gradient clipping.

#include <cmath>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::optim {

/// The norm of all gradients; a number that says whether it is one.
struct GradNorm {
  double value;

  operator double() const { return value; }
  bool is_finite() const { return std::isfinite(value); }
};

/// Scales all gradients together so that the norm of all of them, taken as one vector, is at most max_norm, and gives
/// the norm before. `norm_type` is p of the p-norm; infinity is the largest absolute value. A norm that is not finite
/// leaves the gradients as they are when `error_if_nonfinite` (an Error), and scales them by it otherwise, as in
/// PyTorch: `if (!clip_grad_norm_(parameters, 1).is_finite()) continue;` passes over such a batch. An infinite max_norm
/// leaves them too: nothing is clipped.
GradNorm clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type = 2,
                         bool error_if_nonfinite = false);

/// Clamps each element of each gradient to [-clip_value, clip_value].
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);

}  // namespace xgrad::optim
