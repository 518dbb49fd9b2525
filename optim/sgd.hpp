#pragma once
// Stochastic gradient descent.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct SGDOptions {
  Option<double> lr = by_default(1e-3);
  Option<double> momentum = by_default(0.0);
  Option<double> dampening = by_default(0.0);     // of the gradient's part in the velocity, from the second step on
  Option<double> weight_decay = by_default(0.0);  // adds weight_decay * parameter to the gradient
  Option<bool> nesterov = by_default(false);      // needs momentum > 0 and dampening 0
  Option<bool> maximize = by_default(false);      // ascends: the gradient counts with the opposite sign

  void validate() const;
  GradientKind gradients() const;
  NamedTensors buffers(const Tensor& parameter) const;
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.SGD, with d = gradient + weight_decay * parameter:
///   v = momentum * v + (1 - dampening) * d     (v = d in the first step)
///   parameter -= lr * v                        (nesterov: lr * (d + momentum * v); momentum 0: lr * d)
/// Takes sparse gradients where momentum and weight_decay are 0, with which all rows would move.
class SGD : public OptimizerOf<SGDOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<SGDOptions>;

}  // namespace xgrad::optim
