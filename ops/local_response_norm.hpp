#pragma once
// Normalisation across neighbouring channels.

#include "../autograd/operand.hpp"

namespace xgrad {

struct LocalResponseNormOptions {
  double alpha = 1e-4, beta = 0.75, k = 1;
};

/// x / (k + alpha / size * S)^beta for x of shape (N, C, ...), where S is the sum of squares over `size` neighbouring
/// channels around each, beyond the first and the last being none. Throws Error for a size below 1, and for an x of
/// fewer than three axes or an integer dtype.
Tensor local_response_norm(Operand x, std::int64_t size, const LocalResponseNormOptions& options = {});

}  // namespace xgrad
