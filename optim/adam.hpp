#pragma once
// Adam and AdamW.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct AdamOptions {
  Option<double> lr = by_default(1e-3);
  Option<double> beta1 = by_default(0.9);         // of the running average of the gradient, in [0, 1)
  Option<double> beta2 = by_default(0.999);       // of the running average of its square, in [0, 1)
  Option<double> eps = by_default(1e-8);          // added to the root of the corrected second moment
  Option<double> weight_decay = by_default(0.0);  // adds weight_decay * parameter to the gradient
  Option<bool> amsgrad = by_default(false);       // divides by the root of the largest second moment so far
  Option<bool> maximize = by_default(false);      // ascends: the gradient counts with the opposite sign

  void validate() const;
  NamedTensors buffers(const Tensor& parameter) const;
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.Adam (Kingma and Ba, arXiv 1412.6980), with d = gradient + weight_decay * parameter, at step t:
///   m = beta1 * m + (1 - beta1) * d;   v = beta2 * v + (1 - beta2) * d^2
///   parameter -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
/// amsgrad takes the largest v of all steps in the place of v.
class Adam : public OptimizerOf<AdamOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

struct AdamWOptions {
  Option<double> lr = by_default(1e-3);
  Option<double> beta1 = by_default(0.9), beta2 = by_default(0.999);
  Option<double> eps = by_default(1e-8);
  Option<double> weight_decay = by_default(0.01);
  Option<bool> amsgrad = by_default(false);
  Option<bool> maximize = by_default(false);

  void validate() const;
  NamedTensors buffers(const Tensor& parameter) const;
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.AdamW (Loshchilov and Hutter, arXiv 1711.05101): Adam on the gradient alone, after
/// parameter *= 1 - lr * weight_decay.
class AdamW : public OptimizerOf<AdamWOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<AdamOptions>;
extern template class OptimizerOf<AdamWOptions>;

}  // namespace xgrad::optim
