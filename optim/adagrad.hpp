#pragma once
// Adagrad: step sizes by the sum of each gradient's squares.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct AdagradOptions {
  Option<double> lr = by_default(1e-2);
  Option<double> lr_decay = by_default(0.0);  // the rate at step t is lr / (1 + (t - 1) * lr_decay)
  Option<double> weight_decay = by_default(0.0);
  Option<double> initial_accumulator_value = by_default(0.0);
  Option<double> eps = by_default(1e-10);
  Option<bool> maximize = by_default(false);

  void validate() const;
  GradientKind gradients() const;
  NamedTensors buffers(const Tensor& parameter) const;
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.Adagrad, with d = gradient + weight_decay * parameter: s += d^2; parameter -= rate * d / (sqrt(s) +
/// eps). Takes sparse gradients where weight_decay is 0.
class Adagrad : public OptimizerOf<AdagradOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<AdagradOptions>;

}  // namespace xgrad::optim
