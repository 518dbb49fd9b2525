#pragma once
// Probabilities from scores.

#include "../autograd/operand.hpp"

namespace xgrad {

/// exp(x) divided by its sum along an axis: positive numbers that add up to 1 there. The largest element is subtracted
/// first, so elements may be of any size; an infinite one gives NaN all along the axis, except -inf beside finite ones,
/// which gives 0. int64 and bool are converted to float32.
Tensor softmax(Operand x, std::int64_t axis);

/// The logarithm of softmax(x, axis), without its loss of precision for small probabilities.
Tensor log_softmax(Operand x, std::int64_t axis);

}  // namespace xgrad
