#pragma once
// Activation functions, element by element; sigmoid and tanh are in math.hpp. Integer tensors are converted to float32
// first. Values and derivatives at 0, infinity and NaN are PyTorch's.

#include <string_view>

#include "../autograd/operand.hpp"

namespace xgrad {

/// max(x, 0), with derivative 0 at 0.
Tensor relu(Operand x);
/// x where x > 0, else slope x.
Tensor leaky_relu(Operand x, double negative_slope = 0.01);
/// x where x > 0, else alpha (e^x - 1).
Tensor elu(Operand x, double alpha = 1);
/// x times the probability that a normal variable is below x. `approximate` is "none", or "tanh" for
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2; Error for anything else.
Tensor gelu(Operand x, std::string_view approximate = "none");
/// x sigmoid(x)
Tensor silu(Operand x);
/// log(1 + e^(beta x)) / beta; x itself where beta x > threshold. Throws Error for beta 0.
Tensor softplus(Operand x, double beta = 1, double threshold = 20);

}  // namespace xgrad
