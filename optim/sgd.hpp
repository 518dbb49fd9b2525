#pragma once
// Stochastic gradient descent.

#include "optimizer.hpp"

namespace xgrad::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;     // of the gradient's part in the velocity, from the second step on
  double weight_decay = 0;  // adds weight_decay * parameter to the gradient
  bool nesterov = false;    // needs momentum > 0 and dampening 0
};

/// As torch.optim.SGD, with d = gradient + weight_decay * parameter:
///   v = momentum * v + (1 - dampening) * d     (v = d in the first step)
///   parameter -= lr * v                        (nesterov: lr * (d + momentum * v); momentum 0: lr * d)
class SGD : public Optimizer {
 public:
  explicit SGD(Parameters parameters, const SGDOptions& options = {});
  const SGDOptions& options() const { return options_; }

 private:
  void update(const Piece& piece) const override;
  SGDOptions options_;
};

}  // namespace xgrad::optim
