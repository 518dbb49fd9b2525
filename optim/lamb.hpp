#pragma once
// LAMB: Adam with a step as long as each parameter is, for large batches.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct LAMBOptions {
  Option<double> lr = by_default(1e-3);
  Option<double> beta1 = by_default(0.9);         // of the running average of the gradient, in [0, 1)
  Option<double> beta2 = by_default(0.999);       // of the running average of its square, in [0, 1)
  Option<double> eps = by_default(1e-6);          // added to the root of the corrected second moment
  Option<double> weight_decay = by_default(0.0);  // decoupled from the gradient

  void validate() const;
  static constexpr std::array buffers{"exp_avg", "exp_avg_sq"};
  void update(ParameterUpdate& one) const;
};

/// You et al., arXiv 1904.00962, at step t, with the norms of a parameter as a whole:
///   m = beta1 * m + (1 - beta1) * gradient;   v = beta2 * v + (1 - beta2) * gradient^2
///   u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * parameter
///   parameter -= lr * |parameter| / |u| * u     (the ratio is 1 where one of the norms is 0)
class LAMB : public OptimizerOf<LAMBOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<LAMBOptions>;

}  // namespace xgrad::optim
