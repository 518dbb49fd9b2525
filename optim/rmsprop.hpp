#pragma once
// RMSprop: step sizes by a running average of each gradient's squares.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct RMSpropOptions {
  Option<double> lr = by_default(1e-2);
  Option<double> alpha = by_default(0.99);  // of the running average of squares, between 0 and 1
  Option<double> eps = by_default(1e-8);    // added to the root
  Option<double> weight_decay = by_default(0.0);
  Option<double> momentum = by_default(0.0);
  Option<bool> centered = by_default(false);  // divides by the root of the variance of the gradient
  Option<bool> maximize = by_default(false);

  void validate() const;
  NamedTensors buffers(const Tensor& parameter) const;
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.RMSprop, with d = gradient + weight_decay * parameter:
///   s = alpha * s + (1 - alpha) * d^2;   u = d / (sqrt(s) + eps)
///   parameter -= lr * u                  (momentum: v = momentum * v + u; parameter -= lr * v)
/// centered: a = alpha * a + (1 - alpha) * d, and s - a^2 in the place of s.
class RMSprop : public OptimizerOf<RMSpropOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<RMSpropOptions>;

}  // namespace xgrad::optim
