#pragma once

#include "../ops/local_response_norm.hpp"
#include "module.hpp"

namespace xgrad::nn {

/// local_response_norm over `size` neighbouring channels.
struct LocalResponseNorm {
  explicit LocalResponseNorm(std::int64_t channels, const LocalResponseNormOptions& with = {})
      : size(channels), options(with) {}
  Tensor operator()(Operand x) const { return local_response_norm(*x, size, options); }
  auto fields() { return xgrad::fields("size", size, "alpha", options.alpha, "beta", options.beta, "k", options.k); }

  std::int64_t size;
  LocalResponseNormOptions options;
};

}  // namespace xgrad::nn
