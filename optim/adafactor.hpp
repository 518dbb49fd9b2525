#pragma once
// Adafactor: second moments of a matrix kept by row and by column.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct AdafactorOptions {
  Option<double> lr = by_default(1e-2);           // the relative step is at most this, and at most 1 / sqrt(t)
  Option<double> beta2_decay = by_default(-0.8);  // the average of squares takes the part t^beta2_decay of the new ones
  Option<double> eps1 =
      by_default(0.0);  // bounds the second moment, squared, from below; 0 for the machine epsilon of the dtype
  Option<double> eps2 =
      by_default(1e-3);  // bounds the root mean square of a parameter, which steps are relative to, from below
  Option<double> d = by_default(1.0);             // bounds the root mean square of an update from above
  Option<double> weight_decay = by_default(0.0);  // shrinks the parameter by lr * weight_decay a step
  Option<bool> maximize = by_default(false);      // ascends: the gradient counts with the opposite sign

  void validate() const;
  NamedTensors buffers(const Tensor& parameter) const;
  void update(ParameterUpdate& one) const;
};

/// As torch.optim.Adafactor (Shazeer and Stern, arXiv 1804.04235): keeps, of a parameter of shape (..., m, n), running
/// means of the squared gradient of shape (..., m, 1) and (..., 1, n), and takes row * column / mean(row) as the second
/// moment v; of vectors v itself. With rms(x) the root of the mean square of all elements, at step t:
///   alpha = max(eps2, rms(parameter)) * min(lr, 1 / sqrt(t));   u = gradient / sqrt(v)
///   parameter -= alpha * u / max(1, rms(u) / d)
class Adafactor : public OptimizerOf<AdafactorOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<AdafactorOptions>;

}  // namespace xgrad::optim
