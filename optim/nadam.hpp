#pragma once
// NAdam: Adam with Nesterov's momentum.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct NAdamOptions {
  Option<double> lr = by_default(2e-3);
  Option<double> beta1 = by_default(0.9);                   // of the running average of the gradient, in [0, 1)
  Option<double> beta2 = by_default(0.999);                 // of the running average of its square, in [0, 1)
  Option<double> eps = by_default(1e-8);                    // added to the root of the corrected second moment
  Option<double> weight_decay = by_default(0.0);            // adds weight_decay * parameter to the gradient
  Option<double> momentum_decay = by_default(4e-3);         // how fast the momentum grows to beta1
  Option<bool> decoupled_weight_decay = by_default(false);  // as AdamW: shrinks the parameter, and leaves the gradient
  Option<bool> maximize = by_default(false);                // ascends: the gradient counts with the opposite sign

  void validate() const;
  NamedTensors buffers(const Tensor& parameter) const;
  void update(ParameterUpdate& one) const;
};

/// As torch.optim.NAdam (Dozat, 2016), with d = gradient + weight_decay * parameter, at step t:
///   mu_t = beta1 * (1 - 0.96^(t * momentum_decay) / 2);   c_t = mu_1 * ... * mu_t
///   m = beta1 * m + (1 - beta1) * d;   v = beta2 * v + (1 - beta2) * d^2
///   parameter -= lr * ((1 - mu_t) / (1 - c_t) * d + mu_(t+1) / (1 - c_(t+1)) * m) / (sqrt(v / (1 - beta2^t)) + eps)
class NAdam : public OptimizerOf<NAdamOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<NAdamOptions>;

}  // namespace xgrad::optim
