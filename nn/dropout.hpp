#pragma once
// Dropout as layers. After eval() each is the identity.

#include "../ops/normalization.hpp"
#include "module.hpp"

namespace xgrad::nn {

/// What the layers here share.
struct DropoutLayer {
  /// Throws Error unless 0 <= p <= 1.
  explicit DropoutLayer(double probability) : p(probability) {
    check(p >= 0 && p <= 1, "Dropout: p is ", p, "; it must lie between 0 and 1");
  }
  auto fields() { return xgrad::fields("p", p, "training", training); }

  double p;
  bool training = true;
};

/// In training, sets elements to 0 with probability p and divides the others by 1 - p.
struct Dropout : DropoutLayer {
  explicit Dropout(double probability = 0.5) : DropoutLayer(probability) {}
  Tensor operator()(Operand x) const { return dropout(*x, p, training); }
};

/// The same with whole channels of x, of shape (N, C, L).
struct Dropout1d : DropoutLayer {
  explicit Dropout1d(double probability = 0.5) : DropoutLayer(probability) {}
  Tensor operator()(Operand x) const { return dropout1d(*x, p, training); }
};

/// The same with whole channels of images, of shape (N, C, H, W).
struct Dropout2d : DropoutLayer {
  explicit Dropout2d(double probability = 0.5) : DropoutLayer(probability) {}
  Tensor operator()(Operand x) const { return dropout2d(*x, p, training); }
};

/// The same with whole channels of volumes, of shape (N, C, D, H, W).
struct Dropout3d : DropoutLayer {
  explicit Dropout3d(double probability = 0.5) : DropoutLayer(probability) {}
  Tensor operator()(Operand x) const { return dropout3d(*x, p, training); }
};

/// In training, alpha_dropout: for networks of SELU.
struct AlphaDropout : DropoutLayer {
  explicit AlphaDropout(double probability = 0.5) : DropoutLayer(probability) {}
  Tensor operator()(Operand x) const { return alpha_dropout(*x, p, training); }
};

}  // namespace xgrad::nn
