#pragma once

#include "../ops/normalization.hpp"
#include "module.hpp"

namespace xgrad::nn {

/// In training, sets elements to 0 with probability p and divides the others by 1 - p; after eval(), the identity.
struct Dropout {
  /// Throws Error unless 0 <= p <= 1.
  explicit Dropout(double probability = 0.5) : p(probability) {
    check(p >= 0 && p <= 1, "Dropout: p is ", p, "; it must lie between 0 and 1");
  }
  Tensor operator()(Operand x) const { return dropout(*x, p, training); }
  auto fields() { return xgrad::fields("p", p, "training", training); }

  double p;
  bool training = true;
};

}  // namespace xgrad::nn
