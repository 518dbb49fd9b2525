#include "linear.hpp"

#include <cmath>

#include "../autograd/create.hpp"
#include "../ops/matmul.hpp"
#include "../ops/quantized_linear.hpp"
#include "init.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

Linear::Linear(std::int64_t in_features, std::int64_t out_features, const LinearOptions& options)
    : weight(empty({out_features, in_features}, {.dtype = options.dtype, .requires_grad = true})) {
  const double bound = in_features > 0 ? 1 / std::sqrt(static_cast<double>(in_features)) : 0;
  init::uniform_(weight, -bound, bound);
  if (options.bias) {
    bias = empty({out_features}, {.dtype = options.dtype, .requires_grad = true});
    init::uniform_(bias, -bound, bound);
  }
}

Tensor Linear::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    return weight_scale.defined() ? xgrad::detail::quantized_linear(*x, weight, weight_scale, bias)
                                  : linear(*x, weight, bias);
  });
}

}  // namespace xgrad::nn
