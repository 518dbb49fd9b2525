#pragma once
// Activation functions as layers; see ops/activation.hpp, ops/math.hpp and ops/softmax.hpp for what they compute.

#include <string>

#include "../autograd/create.hpp"
#include "../ops/activation.hpp"
#include "../ops/math.hpp"
#include "../ops/softmax.hpp"
#include "module.hpp"
#include "module_error.hpp"

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

struct LogSigmoid {
  Tensor operator()(Operand x) const { return logsigmoid(*x); }
};

struct Mish {
  Tensor operator()(Operand x) const { return nn::mish(*x); }
};

struct SELU {
  Tensor operator()(Operand x) const { return selu(*x); }
};

struct CELU {
  explicit CELU(double a = 1) : alpha(a) {}
  Tensor operator()(Operand x) const { return celu(*x, alpha); }
  auto fields() { return xgrad::fields("alpha", alpha); }
  double alpha;
};

struct Softsign {
  Tensor operator()(Operand x) const { return softsign(*x); }
};

struct Tanhshrink {
  Tensor operator()(Operand x) const { return tanhshrink(*x); }
};

struct Hardtanh {
  explicit Hardtanh(double min = -1, double max = 1) : min_val(min), max_val(max) {}
  Tensor operator()(Operand x) const { return hardtanh(*x, min_val, max_val); }
  auto fields() { return xgrad::fields("min_val", min_val, "max_val", max_val); }
  double min_val, max_val;
};

struct ReLU6 {
  Tensor operator()(Operand x) const { return relu6(*x); }
};

struct Hardsigmoid {
  Tensor operator()(Operand x) const { return hardsigmoid(*x); }
};

struct Hardswish {
  Tensor operator()(Operand x) const { return hardswish(*x); }
};

struct Hardshrink {
  explicit Hardshrink(double bound = 0.5) : lambd(bound) {}
  Tensor operator()(Operand x) const { return hardshrink(*x, lambd); }
  auto fields() { return xgrad::fields("lambd", lambd); }
  double lambd;
};

struct Softshrink {
  explicit Softshrink(double bound = 0.5) : lambd(bound) {}
  Tensor operator()(Operand x) const { return softshrink(*x, lambd); }
  auto fields() { return xgrad::fields("lambd", lambd); }
  double lambd;
};

struct Threshold {
  Threshold(double bound, double below) : threshold(bound), value(below) {}
  Tensor operator()(Operand x) const { return xgrad::threshold(*x, threshold, value); }
  auto fields() { return xgrad::fields("threshold", threshold, "value", value); }
  double threshold, value;
};

struct PReLUOptions {
  double init = 0.25;  // of every slope
  DType dtype = float32;
};

/// With slopes that are learnt: one, or one for each of `num_parameters` channels.
struct PReLU {
  /// Throws Error for a negative number or an integer dtype.
  explicit PReLU(std::int64_t num_parameters = 1, const PReLUOptions& options = {})
      : weight(full({num_parameters}, options.init, {.dtype = options.dtype, .requires_grad = true})) {}
  Tensor operator()(Operand x) const {
    return detail::locate(weight, [&] { return prelu(*x, weight); });
  }
  auto fields() { return xgrad::fields("weight", parameter(weight)); }
  Tensor weight;
};

/// In training with random slopes; after eval(), with their mean.
struct RReLU {
  explicit RReLU(double low = 1.0 / 8, double high = 1.0 / 3) : lower(low), upper(high) {}
  Tensor operator()(Operand x) const { return rrelu(*x, lower, upper, training); }
  auto fields() { return xgrad::fields("lower", lower, "upper", upper, "training", training); }
  double lower, upper;
  bool training = true;
};

struct GLU {
  explicit GLU(std::int64_t along = -1) : axis(along) {}
  Tensor operator()(Operand x) const { return glu(*x, axis); }
  auto fields() { return xgrad::fields("axis", axis); }
  std::int64_t axis;
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
