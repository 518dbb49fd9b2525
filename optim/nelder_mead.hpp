#pragma once
// Minimisation without derivatives.

namespace xgrad::optim {

/// Names the method for minimize(): a simplex that moves, grows and shrinks by values alone. For functions of a few
/// numbers that have no gradient.
struct NelderMead {
  bool adaptive = false;  // coefficients for functions of many numbers (Gao and Han 2012)
};

}  // namespace xgrad::optim
