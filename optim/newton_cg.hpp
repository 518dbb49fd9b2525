#pragma once
// Newton's method with conjugate gradients.

namespace xgrad::optim {

/// Names the method for minimize(): each step solves for Newton's step by conjugate gradients, from products of the
/// Hessian with vectors (hvp), as far as is worth it. Needs second derivatives; few steps where these are cheap and the
/// function curves differently in different directions.
struct NewtonCG {};

}  // namespace xgrad::optim
