#pragma once
// Adamax: Adam with the largest gradient in the place of the mean square.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct AdamaxOptions {
  Option<double> lr = by_default(2e-3);
  Option<double> beta1 = by_default(0.9);         // of the running average of the gradient, in [0, 1)
  Option<double> beta2 = by_default(0.999);       // of the fading maximum, in [0, 1)
  Option<double> eps = by_default(1e-8);          // added to the size of a gradient
  Option<double> weight_decay = by_default(0.0);  // adds weight_decay * parameter to the gradient
  Option<bool> maximize = by_default(false);      // ascends: the gradient counts with the opposite sign

  void validate() const;
  static constexpr std::array buffers{"exp_avg", "exp_inf"};
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.Adamax (Kingma and Ba, arXiv 1412.6980), with d = gradient + weight_decay * parameter, at step t:
///   m = beta1 * m + (1 - beta1) * d;   u = max(beta2 * u, |d| + eps);   parameter -= lr / (1 - beta1^t) * m / u
class Adamax : public OptimizerOf<AdamaxOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<AdamaxOptions>;

}  // namespace xgrad::optim
