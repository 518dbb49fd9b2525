#pragma once
// Lion: the sign of a momentum.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct LionOptions {
  Option<double> lr = by_default(1e-4);
  Option<double> beta1 = by_default(0.9);         // of the average whose sign is taken, in [0, 1)
  Option<double> beta2 = by_default(0.99);        // of the average that is kept, in [0, 1)
  Option<double> weight_decay = by_default(0.0);  // shrinks the parameter by lr * weight_decay a step
  Option<bool> maximize = by_default(false);      // ascends: the gradient counts with the opposite sign

  void validate() const;
  static constexpr std::array buffers{"exp_avg"};
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// Chen et al., arXiv 2302.06675:
///   parameter -= lr * (sign(beta1 * m + (1 - beta1) * gradient) + weight_decay * parameter)
///   m = beta2 * m + (1 - beta2) * gradient
class Lion : public OptimizerOf<LionOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<LionOptions>;

}  // namespace xgrad::optim
