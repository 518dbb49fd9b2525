#pragma once
// Probabilities from scores.

#include <optional>

#include "../autograd/operand.hpp"

namespace xgrad {

struct SoftmaxOptions {
  std::optional<DType> dtype = std::nullopt;  // that x is converted to first, a floating one
};

/// exp(x) divided by its sum along an axis: positive numbers that add up to 1 there. The largest element is subtracted
/// first, so elements may be of any size; an infinite one gives NaN all along the axis, except -inf beside finite ones,
/// which gives 0. Integers and bool are converted to float32. Derivatives keep their relative precision however small
/// the probabilities, or what is left of 1 for the largest one.
Tensor softmax(Operand x, std::int64_t axis, const SoftmaxOptions& options = {});

/// The logarithm of softmax(x, axis), without its loss of precision for small probabilities and for those near 1.
Tensor log_softmax(Operand x, std::int64_t axis, const SoftmaxOptions& options = {});

}  // namespace xgrad
