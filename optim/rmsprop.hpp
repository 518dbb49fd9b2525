#pragma once
// RMSprop and Adagrad: step sizes by the history of each gradient's size.

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

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;  // the rate at step t is lr / (1 + (t - 1) * lr_decay)
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;
};

/// As torch.optim.Adagrad, with d = gradient + weight_decay * parameter: s += d^2; parameter -= rate * d / (sqrt(s) +
/// eps).
class Adagrad : public Optimizer {
 public:
  explicit Adagrad(Parameters parameters, const AdagradOptions& options = {});
  const AdagradOptions& options() const { return options_; }

 private:
  void update(const Piece& piece) const override;
  double initial_value() const override { return options_.initial_accumulator_value; }
  AdagradOptions options_;
};

}  // namespace xgrad::optim
