#pragma once
// RAdam: Adam whose step sizes are trusted as far as their variance is known.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct RAdamOptions {
  Option<double> lr = by_default(1e-3);
  Option<double> beta1 = by_default(0.9);                   // of the running average of the gradient, in [0, 1)
  Option<double> beta2 = by_default(0.999);                 // of the running average of its square, in [0, 1)
  Option<double> eps = by_default(1e-8);                    // added to the root of the second moment
  Option<double> weight_decay = by_default(0.0);            // adds weight_decay * parameter to the gradient
  Option<bool> decoupled_weight_decay = by_default(false);  // as AdamW: shrinks the parameter, and leaves the gradient
  Option<bool> maximize = by_default(false);                // ascends: the gradient counts with the opposite sign

  void validate() const;
  static constexpr std::array buffers{"exp_avg", "exp_avg_sq"};
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.RAdam (Liu et al., arXiv 1908.03265), with d = gradient + weight_decay * parameter, at step t:
///   m = beta1 * m + (1 - beta1) * d;   v = beta2 * v + (1 - beta2) * d^2;   m' = m / (1 - beta1^t)
///   n = 2 / (1 - beta2) - 1;   r = n - 2 t beta2^t / (1 - beta2^t)
///   parameter -= lr * m' * sqrt((r - 4)(r - 2) n / ((n - 4)(n - 2) r)) * sqrt(1 - beta2^t) / (sqrt(v) + eps)
/// where r > 5, else parameter -= lr * m'.
class RAdam : public OptimizerOf<RAdamOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<RAdamOptions>;

}  // namespace xgrad::optim
