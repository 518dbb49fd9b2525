#pragma once
// Activation functions, element by element; sigmoid and tanh are in math.hpp. Integer tensors are converted to float32
// first. Values and derivatives at kinks, infinity and NaN are PyTorch's; the derivative of softsign at infinity is 0.

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
/// log(sigmoid(x))
Tensor logsigmoid(Operand x);
/// scale x where x > 0, else scale alpha (e^x - 1), with the constants that keep mean 0 and variance 1.
Tensor selu(Operand x);
/// x where x > 0, else alpha (e^(x / alpha) - 1). Throws Error for alpha 0.
Tensor celu(Operand x, double alpha = 1);
/// x / (1 + |x|)
Tensor softsign(Operand x);
/// x - tanh(x)
Tensor tanhshrink(Operand x);

/// x within [min_val, max_val], with derivative 0 on the bounds. Throws Error for min_val > max_val.
Tensor hardtanh(Operand x, double min_val = -1, double max_val = 1);
/// hardtanh(x, 0, 6)
Tensor relu6(Operand x);
/// relu6(x + 3) / 6, with derivative 0 at -3 and 3.
Tensor hardsigmoid(Operand x);
/// x relu6(x + 3) / 6, with derivative 0 at -3 and 1 at 3.
Tensor hardswish(Operand x);
/// x where |x| > lambd, else 0.
Tensor hardshrink(Operand x, double lambd = 0.5);
/// x brought nearer to 0 by lambd, as far as 0. Throws Error for a negative lambd.
Tensor softshrink(Operand x, double lambd = 0.5);
/// x where x > threshold, else value.
Tensor threshold(Operand x, double threshold, double value);

/// x where x > 0, else weight x. `weight`, of the dtype of x, is one number, or has shape (C,), one for each channel of
/// x, of shape (N, C, ...). Throws Error for other shapes and dtypes.
Tensor prelu(Operand x, const Tensor& weight);
/// x where x > 0, else slope x: in training with a slope for each element, uniform in [lower, upper) and drawn from
/// default_generator() in the order of the elements in memory; otherwise (lower + upper) / 2. Throws Error for
/// lower > upper.
Tensor rrelu(Operand x, double lower = 1.0 / 8, double upper = 1.0 / 3, bool training = false);
/// a sigmoid(b), where a and b are the halves of x along an axis. Throws Error for an odd size of that axis.
Tensor glu(Operand x, std::int64_t axis = -1);

namespace nn {

/// x tanh(log(1 + e^x))
/// In nn, so that a program may have a lambda of its own of this name beside `using namespace xgrad`.
Tensor mish(Operand x);

}  // namespace nn

}  // namespace xgrad
