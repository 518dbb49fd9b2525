#include "init.hpp"

#include <cmath>

#include "../array/random.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"

namespace xgrad::nn::init {

namespace {

void check_leaf(const char* op, const Tensor& tensor) {
  check(tensor.is_leaf(), op, ": a tensor of shape ", tensor.shape(),
        " that comes from an operation has no initial value");
}

// Fills with fill(pointer, count).
template <class F>
Tensor& overwrite(const char* op, Tensor& tensor, const F& fill) {
  check_leaf(op, tensor);
  const DType computed = xgrad::detail::compute_dtype(tensor.dtype());
  dispatch_floating(op, computed, [&](auto zero) {
    const bool direct = tensor.is_contiguous() && tensor.dtype() == computed;
    const Tensor dense = direct ? tensor : xgrad::detail::empty(tensor.shape(), computed);
    fill(dense.template data<decltype(zero)>(), dense.numel());
    if (!direct) xgrad::detail::overwrite(tensor, dense);
  });
  tensor.impl().storage->raise_version(op);
  return tensor;
}

Tensor& uniform(const char* op, Tensor& tensor, double low, double high) {
  return overwrite(op, tensor, [&](auto* out, std::int64_t n) { default_generator().uniform(out, n, low, high); });
}
Tensor& normal(const char* op, Tensor& tensor, double mean, double std) {
  return overwrite(op, tensor, [&](auto* out, std::int64_t n) { default_generator().normal(out, n, mean, std); });
}

double fan(const char* op, const Tensor& tensor, Fan mode) {
  const Shape& shape = tensor.shape();
  check(shape.size() >= 2, op, ": a tensor of shape ", shape, " has no fan in and fan out; at least 2 axes are needed");
  double count = static_cast<double>(shape[mode == Fan::in ? 1 : 0]);
  for (std::size_t axis = 2; axis < shape.size(); ++axis) count *= static_cast<double>(shape[axis]);
  return count;
}

// Standard deviation; 0 for a tensor without elements, which takes none.
double xavier_std(const char* op, const Tensor& tensor, double gain) {
  check(std::isfinite(gain) && gain >= 0, op, ": gain must be a number of at least 0, not ", gain);
  const double fans = fan(op, tensor, Fan::in) + fan(op, tensor, Fan::out);
  return fans > 0 ? gain * std::sqrt(2 / fans) : 0;
}
double kaiming_std(const char* op, const Tensor& tensor, const KaimingOptions& options) {
  const double count = fan(op, tensor, options.mode);
  return count > 0 ? gain(options.nonlinearity, options.negative_slope) / std::sqrt(count) : 0;
}

}  // namespace

double gain(Nonlinearity nonlinearity, double negative_slope) {
  switch (nonlinearity) {
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      check(std::isfinite(negative_slope), "gain: negative_slope must be finite, not ", negative_slope);
      return std::sqrt(2 / (1 + negative_slope * negative_slope));
    case Nonlinearity::selu:
      return 0.75;
    default:
      return 1;
  }
}

Tensor& uniform_(Tensor& tensor, double low, double high) { return uniform("uniform_", tensor, low, high); }
Tensor& normal_(Tensor& tensor, double mean, double std) { return normal("normal_", tensor, mean, std); }

Tensor& constant_(Tensor& tensor, double value) {
  check_leaf("constant_", tensor);
  xgrad::detail::overwrite(tensor, full_like(tensor.detach(), value));
  tensor.impl().storage->raise_version("constant_");
  return tensor;
}
Tensor& zeros_(Tensor& tensor) { return constant_(tensor, 0); }
Tensor& ones_(Tensor& tensor) { return constant_(tensor, 1); }

Tensor& xavier_uniform_(Tensor& tensor, double gain) {
  const double bound = std::sqrt(3.0) * xavier_std("xavier_uniform_", tensor, gain);
  return uniform("xavier_uniform_", tensor, -bound, bound);
}
Tensor& xavier_normal_(Tensor& tensor, double gain) {
  return normal("xavier_normal_", tensor, 0, xavier_std("xavier_normal_", tensor, gain));
}

Tensor& kaiming_uniform_(Tensor& tensor, const KaimingOptions& options) {
  const double bound = std::sqrt(3.0) * kaiming_std("kaiming_uniform_", tensor, options);
  return uniform("kaiming_uniform_", tensor, -bound, bound);
}
Tensor& kaiming_normal_(Tensor& tensor, const KaimingOptions& options) {
  return normal("kaiming_normal_", tensor, 0, kaiming_std("kaiming_normal_", tensor, options));
}

}  // namespace xgrad::nn::init
