#include "init_matrices.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../array/random.hpp"
#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../autograd/primitives.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/diagonal.hpp"
#include "../ops/linalg/qr.hpp"
#include "../ops/math.hpp"
#include "../ops/shape.hpp"

namespace xgrad::nn::init {

namespace {

/// Puts values in row-major order into a leaf.
Tensor& put(const char* op, Tensor& tensor, const Tensor& values) {
  xgrad::detail::overwrite(tensor, values.to(tensor.dtype()));
  tensor.impl().storage->raise_version(op);
  return tensor;
}

void check_floating_leaf(const char* op, const Tensor& tensor) {
  check(tensor.is_leaf(), op, ": a tensor of shape ", tensor.shape(),
        " that comes from an operation has no initial value");
  check(is_floating(tensor.dtype()), op, ": a tensor of ", tensor.dtype(), " cannot hold the values; it needs floats");
}

std::vector<double> draw_normal(std::int64_t count, double mean, double std) {
  std::vector<double> values(static_cast<std::size_t>(count));
  default_generator().normal(values.data(), count, mean, std);
  return values;
}

}  // namespace

Tensor& trunc_normal_(Tensor& tensor, double mean, double std, double low, double high) {
  check_floating_leaf("trunc_normal_", tensor);
  check(std::isfinite(mean) && std::isfinite(std) && std > 0, "trunc_normal_: std must be above 0, not ", std);
  check(low < high && low < mean + 8 * std && high > mean - 8 * std, "trunc_normal_: no values of mean ", mean,
        " and standard deviation ", std, " lie from ", low, " to ", high);
  // Uniform in the interval, kept with the part of the density there that it has at its densest.
  const double from = std::max(low, mean - 8 * std), to = std::min(high, mean + 8 * std);
  const auto exponent = [&](double x) { return -(x - mean) * (x - mean) / (2 * std * std); };
  const double densest = exponent(std::clamp(mean, from, to));
  Generator& generator = default_generator();
  std::vector<double> values(static_cast<std::size_t>(tensor.numel()));
  for (double& value : values)
    for (double kept = 1, density = 0; kept > density;) {
      generator.uniform(&value, 1, from, to);
      generator.uniform(&kept, 1);
      density = std::exp(exponent(value) - densest);
    }
  return put("trunc_normal_", tensor, reshape(xgrad::tensor(values), tensor.shape()));
}

Tensor& eye_(Tensor& tensor) {
  check_floating_leaf("eye_", tensor);
  check(tensor.dim() == 2, "eye_: a matrix is needed, not shape ", tensor.shape());
  const std::int64_t rows = tensor.size(0), columns = tensor.size(1);
  std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
  for (std::int64_t i = 0; i < std::min(rows, columns); ++i) values[static_cast<std::size_t>(i * columns + i)] = 1;
  return put("eye_", tensor, reshape(xgrad::tensor(values), tensor.shape()));
}

Tensor& dirac_(Tensor& tensor, std::int64_t groups) {
  check_floating_leaf("dirac_", tensor);
  check(tensor.dim() >= 3 && tensor.dim() <= 5, "dirac_: the weight of a convolution has 3 to 5 axes, not shape ",
        tensor.shape());
  check(groups >= 1 && tensor.size(0) % groups == 0, "dirac_: ", groups, " groups do not divide ", tensor.size(0),
        " channels");
  const std::int64_t channels = tensor.size(0) / groups, in = tensor.size(1);
  std::int64_t taps = 1, middle = 0;
  for (std::int64_t axis = 2; axis < static_cast<std::int64_t>(tensor.dim()); ++axis) {
    taps *= tensor.size(axis);
    middle = middle * tensor.size(axis) + tensor.size(axis) / 2;
  }
  std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
  for (std::int64_t group = 0; group < groups && taps > 0; ++group)
    for (std::int64_t i = 0; i < std::min(channels, in); ++i)
      values[static_cast<std::size_t>(((group * channels + i) * in + i) * taps + middle)] = 1;
  return put("dirac_", tensor, reshape(xgrad::tensor(values), tensor.shape()));
}

Tensor& orthogonal_(Tensor& tensor, double gain) {
  check_floating_leaf("orthogonal_", tensor);
  check(tensor.dim() >= 2, "orthogonal_: at least 2 axes are needed, not shape ", tensor.shape());
  check(std::isfinite(gain), "orthogonal_: gain must be finite, not ", gain);
  if (tensor.numel() == 0) return tensor;
  const NoGrad no_grad;
  const std::int64_t rows = tensor.size(0), columns = tensor.numel() / rows;
  const Tensor drawn =
      reshape(xgrad::tensor(draw_normal(rows * columns, 0, 1)), {std::max(rows, columns), std::min(rows, columns)});
  const auto [Q, R] = linalg::qr(drawn);
  const Tensor uniform = Q * sign(diagonal(R));  // whatever signs the decomposition has chosen
  return put("orthogonal_", tensor,
             reshape((rows < columns ? transpose(uniform, 0, 1) : uniform) * gain, tensor.shape()));
}

Tensor& sparse_(Tensor& tensor, double sparsity, double std) {
  check_floating_leaf("sparse_", tensor);
  check(tensor.dim() == 2, "sparse_: a matrix is needed, not shape ", tensor.shape());
  check(sparsity >= 0 && sparsity <= 1, "sparse_: sparsity must be from 0 to 1, not ", sparsity);
  check(std::isfinite(std) && std >= 0, "sparse_: std must be a number of at least 0, not ", std);
  const std::int64_t rows = tensor.size(0), columns = tensor.size(1);
  const auto zeros = static_cast<std::size_t>(std::ceil(sparsity * static_cast<double>(rows)));
  std::vector<double> values = draw_normal(rows * columns, 0, std);
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  for (std::int64_t column = 0; column < columns; ++column) {
    default_generator().permutation(order.data(), rows);
    for (std::size_t i = 0; i < zeros; ++i) values[static_cast<std::size_t>(order[i] * columns + column)] = 0;
  }
  return put("sparse_", tensor, reshape(xgrad::tensor(values), tensor.shape()));
}

}  // namespace xgrad::nn::init
