#include "anomaly.hpp"

#include <cmath>

#include "primitives.hpp"

namespace xgrad::detail {

namespace {

/// Index of the first element that is not finite, row-major; -1 for none.
std::int64_t first_non_finite(const Tensor& x, double& value) {
  const Array memory = row_major(as_dtype(x, compute_dtype(x.dtype())));
  return dispatch_floating("anomaly mode", memory.dtype, [&](auto zero) -> std::int64_t {
    const auto* data = first_element<decltype(zero)>(memory);
    for (std::int64_t i = 0; i < memory.numel; ++i) {
      if (std::isfinite(data[i])) continue;
      value = static_cast<double>(data[i]);
      return i;
    }
    return -1;
  });
}

Shape unravel(std::int64_t flat, const Shape& shape) {
  Shape index = shape;
  for (std::size_t axis = shape.size(); axis-- > 0; flat /= shape[axis]) index[axis] = flat % shape[axis];
  return index;
}

}  // namespace

void expect_finite_output(const Node& node, std::size_t index, const Tensor& output) {
  double value = 0;
  const std::int64_t at = first_non_finite(output, value);
  if (at >= 0)
    fail(node.name(), ": output ", index, " of shape ", output.shape(), " has ", value, " at ",
         unravel(at, output.shape()));
}

void expect_finite_gradient(const Node& node, std::size_t input, const Tensor& gradient) {
  double value = 0;
  const std::int64_t at = first_non_finite(gradient, value);
  if (at >= 0)
    fail(node.name(), ": backward gave a gradient for input ", input, " of shape ", gradient.shape(), " that has ",
         value, " at ", unravel(at, gradient.shape()));
}

}  // namespace xgrad::detail
