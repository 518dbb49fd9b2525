#pragma once
// Adadelta: steps in the units of the parameters.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct AdadeltaOptions {
  Option<double> lr = by_default(1.0);
  Option<double> rho = by_default(0.9);           // of the running averages of squares, between 0 and 1
  Option<double> eps = by_default(1e-6);          // added to both means of squares
  Option<double> weight_decay = by_default(0.0);  // adds weight_decay * parameter to the gradient
  Option<bool> maximize = by_default(false);      // ascends: the gradient counts with the opposite sign

  void validate() const;
  static constexpr std::array buffers{"square_avg", "acc_delta"};
  template <class T>
  void update(const Elements<T>& elements) const;
};

/// As torch.optim.Adadelta (Zeiler, arXiv 1212.5701), with d = gradient + weight_decay * parameter:
///   s = rho * s + (1 - rho) * d^2;   u = sqrt(a + eps) / sqrt(s + eps) * d;   a = rho * a + (1 - rho) * u^2
///   parameter -= lr * u
class Adadelta : public OptimizerOf<AdadeltaOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<AdadeltaOptions>;

}  // namespace xgrad::optim
