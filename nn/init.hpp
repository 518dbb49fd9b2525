#pragma once
// Initial values of parameters.

#include "../autograd/tensor.hpp"

/// Each overwrites a leaf in place, outside the graph, with numbers from default_generator(), and returns it. Throws
/// Error, with nothing changed, for an undefined or integer tensor, one that comes from an operation, and arguments out
/// of range.
///
/// The fan of a weight of shape (out, in, kernel...) is in * kernel elements (fan in) or out * kernel elements (fan
/// out); fewer than 2 axes have none, which is an Error.
namespace xgrad::nn::init {

enum class Fan { in, out };

/// What follows the layer; it decides by how much the weights have to grow to keep the variance.
enum class Nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// PyTorch's recommended factor: 1 for linear and sigmoid, 5/3 for tanh, sqrt 2 for relu, sqrt(2 / (1 + slope^2)) for
/// leaky_relu, 3/4 for selu.
double gain(Nonlinearity nonlinearity, double negative_slope = 0.01);

/// Uniform in [low, high).
Tensor& uniform_(Tensor& tensor, double low = 0, double high = 1);
Tensor& normal_(Tensor& tensor, double mean = 0, double std = 1);
/// All of one value; any dtype.
Tensor& constant_(Tensor& tensor, double value);
Tensor& zeros_(Tensor& tensor);
Tensor& ones_(Tensor& tensor);

/// Glorot: uniform in [-b, b) with b = gain * sqrt(6 / (fan in + fan out)).
Tensor& xavier_uniform_(Tensor& tensor, double gain = 1);
/// Glorot: normal with standard deviation gain * sqrt(2 / (fan in + fan out)).
Tensor& xavier_normal_(Tensor& tensor, double gain = 1);

struct KaimingOptions {
  double negative_slope = 0;  // of leaky_relu; called `a` in PyTorch
  Fan mode = Fan::in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};
/// He: uniform in [-b, b) with b = gain * sqrt(3 / fan).
Tensor& kaiming_uniform_(Tensor& tensor, const KaimingOptions& options = {});
/// He: normal with standard deviation gain / sqrt(fan).
Tensor& kaiming_normal_(Tensor& tensor, const KaimingOptions& options = {});

}  // namespace xgrad::nn::init
