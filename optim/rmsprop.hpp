#pragma once
// RMSprop: step sizes by a running average of each gradient's squares.

#include "optimizer.hpp"

namespace xgrad::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  // of the running average of squares
  double eps = 1e-8;    // added to the root
  double weight_decay = 0;
  double momentum = 0;
};

/// As torch.optim.RMSprop, with d = gradient + weight_decay * parameter:
///   s = alpha * s + (1 - alpha) * d^2;   u = d / (sqrt(s) + eps)
///   parameter -= lr * u                  (momentum: v = momentum * v + u; parameter -= lr * v)
class RMSprop : public Optimizer {
 public:
  explicit RMSprop(Parameters parameters, const RMSpropOptions& options = {});
  const RMSpropOptions& options() const { return options_; }

 private:
  void update(const Piece& piece) const override;
  RMSpropOptions options_;
};

}  // namespace xgrad::optim
