#pragma once
// Adagrad: step sizes by the sum of each gradient's squares.

#include "optimizer.hpp"

namespace xgrad::optim {

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
