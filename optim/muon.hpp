#pragma once
// Muon: momentum of matrices, made orthogonal.

#include "optimizer_of.hpp"

namespace xgrad::optim {

struct MuonOptions {
  Option<double> lr = by_default(1e-3);
  Option<double> momentum = by_default(0.95);
  Option<double> weight_decay = by_default(0.1);  // shrinks the parameter by lr * weight_decay a step
  Option<bool> nesterov = by_default(true);
  Option<int> ns_steps = by_default(5);              // steps of the iteration that makes a matrix orthogonal
  Option<double> eps = by_default(1e-7);             // bounds the norm that a matrix is divided by from below
  Option<bool> match_rms_adamw = by_default(false);  // steps as large as those of AdamW, 0.2 * sqrt(max(rows, columns))
                                                     // * lr; else sqrt(max(1, rows / columns)) * lr

  void validate() const;
  NamedTensors buffers(const Tensor& parameter) const;
  void update(ParameterUpdate& one) const;
};

/// As torch.optim.Muon (Jordan et al., 2024), for the hidden weights of a network; embeddings, biases and norms are for
/// AdamW. A parameter of more than two axes counts as a matrix of its first axis and all others.
///   m = momentum * m + (1 - momentum) * gradient;   u = momentum * m + (1 - momentum) * gradient    (nesterov; else m)
///   x = u / |u|;   ns_steps times: a = x x^T; x = 3.4445 x + (-4.775 a + 2.0315 a a) x
///   parameter = parameter * (1 - lr * weight_decay) - (lr scaled by shape) * x
/// The iteration has the dtype of the parameter (PyTorch: bfloat16). Throws Error in step(), with nothing changed, for
/// a parameter of fewer than two axes.
class Muon : public OptimizerOf<MuonOptions> {
 public:
  using OptimizerOf::OptimizerOf;
};

extern template class OptimizerOf<MuonOptions>;

}  // namespace xgrad::optim
