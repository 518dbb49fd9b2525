#pragma once
// Adam for sparse gradients.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct SparseAdamOptions {
  Option<double> lr = by_default(1e-3);
  Option<double> beta1 = by_default(0.9);     // of the running average of the gradient, in [0, 1)
  Option<double> beta2 = by_default(0.999);   // of the running average of its square, in [0, 1)
  Option<double> eps = by_default(1e-8);      // added to the root of the second moment
  Option<bool> maximize = by_default(false);  // ascends: the gradient counts with the opposite sign

  void validate() const;
  GradientKind gradients() const { return GradientKind::sparse; }
  NamedTensors buffers(const Tensor& parameter) const;
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.SparseAdam: Adam on the rows that the gradient has, whose moments alone decay and which alone move.
/// At step t, counted for the whole parameter:
///   m = beta1 * m + (1 - beta1) * g;   v = beta2 * v + (1 - beta2) * g^2
///   parameter -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)
/// step() throws Error for a dense gradient.
class SparseAdam : public OptimizerOf<SparseAdamOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<SparseAdamOptions>;

}  // namespace xgrad::optim
