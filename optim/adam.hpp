#pragma once
// Adam and AdamW.

#include "optimizer.hpp"

namespace xgrad::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;  // of the running averages of the gradient and of its square, in [0, 1)
  double eps = 1e-8;                  // added to the root of the corrected second moment
  double weight_decay = 0;            // adds weight_decay * parameter to the gradient
};

/// As torch.optim.Adam (Kingma and Ba, arXiv 1412.6980), with d = gradient + weight_decay * parameter, at step t:
///   m = beta1 * m + (1 - beta1) * d;   v = beta2 * v + (1 - beta2) * d^2
///   parameter -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
class Adam : public Optimizer {
 public:
  explicit Adam(Parameters parameters, const AdamOptions& options = {});
  const AdamOptions& options() const { return options_; }

 private:
  friend class AdamW;
  Adam(Parameters parameters, const AdamOptions& options, bool decoupled);
  void update(const Piece& piece) const override;
  AdamOptions options_;
  bool decoupled_ = false;
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
};

/// As torch.optim.AdamW (Loshchilov and Hutter, arXiv 1711.05101): Adam on the gradient alone, after
/// parameter *= 1 - lr * weight_decay.
class AdamW : public Adam {
 public:
  explicit AdamW(Parameters parameters, const AdamWOptions& options = {});
};

}  // namespace xgrad::optim
