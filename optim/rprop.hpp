#pragma once
// Rprop: step sizes by the signs of successive gradients, for gradients of the whole data set.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct RpropOptions {
  Option<double> lr = by_default(1e-2);        // the first step size
  Option<double> eta_minus = by_default(0.5);  // what a step size is multiplied by when the sign changes, in (0, 1)
  Option<double> eta_plus = by_default(1.2);   // what it is multiplied by when the sign stays, > 1
  Option<double> step_size_min = by_default(1e-6);
  Option<double> step_size_max = by_default(50.0);
  Option<bool> maximize = by_default(false);  // ascends: the gradient counts with the opposite sign

  void validate() const;
  NamedTensors buffers(const Tensor& parameter) const;
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.Rprop (Riedmiller and Braun, 1993). Where a gradient has the sign of the one before, its step size is
/// multiplied by eta_plus; where it has the other, by eta_minus, and the gradient counts as 0. Step sizes stay between
/// step_size_min and step_size_max. parameter -= sign(gradient) * step size. The rate is that of the first step alone.
class Rprop : public OptimizerOf<RpropOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<RpropOptions>;

}  // namespace xgrad::optim
