#pragma once
// Activation functions as layers; see ops/activation.hpp, ops/math.hpp and ops/softmax.hpp for what they compute.

#include <string>

#include "../ops/activation.hpp"
#include "../ops/math.hpp"
#include "../ops/softmax.hpp"
#include "module.hpp"

namespace xgrad::nn {

struct ReLU {
  Tensor operator()(Operand x) const { return relu(*x); }
};

struct LeakyReLU {
  explicit LeakyReLU(double slope = 0.01) : negative_slope(slope) {}
  Tensor operator()(Operand x) const { return leaky_relu(*x, negative_slope); }
  auto fields() { return xgrad::fields("negative_slope", negative_slope); }
  double negative_slope;
};

struct ELU {
  explicit ELU(double a = 1) : alpha(a) {}
  Tensor operator()(Operand x) const { return elu(*x, alpha); }
  auto fields() { return xgrad::fields("alpha", alpha); }
  double alpha;
};

struct GELU {
  /// "none" or "tanh".
  explicit GELU(std::string how = "none") : approximate(std::move(how)) {}
  Tensor operator()(Operand x) const { return gelu(*x, approximate); }
  auto fields() { return xgrad::fields("approximate", approximate); }
  std::string approximate;
};

struct SiLU {
  Tensor operator()(Operand x) const { return silu(*x); }
};

struct Sigmoid {
  Tensor operator()(Operand x) const { return sigmoid(*x); }
};

struct Tanh {
  Tensor operator()(Operand x) const { return tanh(*x); }
};

struct Softplus {
  explicit Softplus(double b = 1, double t = 20) : beta(b), threshold(t) {}
  Tensor operator()(Operand x) const { return softplus(*x, beta, threshold); }
  auto fields() { return xgrad::fields("beta", beta, "threshold", threshold); }
  double beta, threshold;
};

struct Softmax {
  explicit Softmax(std::int64_t along = -1) : axis(along) {}
  Tensor operator()(Operand x) const { return softmax(*x, axis); }
  auto fields() { return xgrad::fields("axis", axis); }
  std::int64_t axis;
};

struct LogSoftmax {
  explicit LogSoftmax(std::int64_t along = -1) : axis(along) {}
  Tensor operator()(Operand x) const { return log_softmax(*x, axis); }
  auto fields() { return xgrad::fields("axis", axis); }
  std::int64_t axis;
};

}  // namespace xgrad::nn
