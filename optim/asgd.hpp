#pragma once
// Averaged stochastic gradient descent.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct ASGDOptions {
  Option<double> lr = by_default(1e-2);
  Option<double> lambd = by_default(1e-4);        // of the decay
  Option<double> alpha = by_default(0.75);        // power of the decay of the rate
  Option<double> t0 = by_default(1e6);            // the step after which the average begins
  Option<double> weight_decay = by_default(0.0);  // adds weight_decay * parameter to the gradient
  Option<bool> maximize = by_default(false);      // ascends: the gradient counts with the opposite sign

  void validate() const;
  static constexpr std::array buffers{"ax"};
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.ASGD (Polyak and Juditsky, 1992), with d = gradient + weight_decay * parameter, at step t:
///   eta = lr / (1 + lambd * lr * (t - 1))^alpha;   parameter = parameter * (1 - lambd * eta) - eta * d
///   ax += (parameter - ax) / max(1, t - 1 - t0)
/// The averages are `ax.0`, ... of state_dict().
class ASGD : public OptimizerOf<ASGDOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<ASGDOptions>;

}  // namespace xgrad::optim
